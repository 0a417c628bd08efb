"""Names of destinations, the order a streamer's come in, and formats guessed from addresses."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.destinations import (
    destinations_of,
    effective_destinations,
    format_of,
    guessed_format,
)
from itsjustintv_desktop.engine.config.load import parse
from itsjustintv_desktop.engine.config.schema import Config


def config_of(text: str) -> Config:
    return parse(text, file="config.toml", environ={}).config


@pytest.mark.parametrize(
    ("url", "format_name"),
    [
        ("https://discord.com/api/webhooks/1/token", "discord"),
        ("https://discordapp.com/api/webhooks/1/token", "discord"),
        ("https://ptb.discord.com/api/webhooks/1/token", "discord"),
        ("https://canary.discord.com/api/v10/webhooks/1/token", "discord"),
        ("https://DISCORD.com/api/webhooks/1/token?wait=true", "discord"),
        ("https://discord.com/api/webhooks/1/token/slack", "slack"),
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://discord.com/channels/1/2", "json"),
        ("https://discord.com.evil.example/api/webhooks/1/token", "json"),
        ("https://slack.com/services/x", "json"),
        ("https://example.com/discord.com/api/webhooks/", "json"),
        ("https://[broken/", "json"),
        ("@keyring", "json"),
        ("", "json"),
    ],
)
def test_formats_are_guessed(url: str, format_name: str) -> None:
    assert guessed_format(url).name == format_name


def test_a_format_that_is_set_wins_over_the_guess() -> None:
    config = config_of(
        "[destinations.a]\nurl = 'https://discord.com/api/webhooks/1/t'\nformat = 'json'\n"
        "[destinations.b]\nurl = 'https://discord.com/api/webhooks/1/t'\n"
        "[destinations.c]\nurl = '@keyring'\n"
        "[destinations.d]\nurl = '@keyring'\nformat = 'slack'\n"
    )
    url = "https://discord.com/api/webhooks/2/t"
    found = {name: (one.format, format_of(one, url).name) for name, one in config.destinations.items()}
    assert found == {
        "a": ("json", "json"),
        "b": ("discord", "discord"),
        "c": ("json", "discord"),
        "d": ("slack", "slack"),
    }


TEXT = """
[destinations.one]
url = "https://example.com/one"
[destinations.two]
url = "https://example.com/two"
enabled = false
[streamers.both]
destinations = ["two", "one", "two"]
target_webhook_url = "https://example.com/own"
[streamers.own]
target_webhook_url = "https://hooks.slack.com/services/a/b/c"
[streamers.named]
destinations = ["both"]
[streamers.none]
"""


def test_the_names_of_a_streamer() -> None:
    config = config_of(TEXT)
    found = {key: destinations_of(config, streamer) for key, streamer in config.streamers.items()}
    assert found == {"both": ("two", "one", "both"), "own": ("own",), "named": ("both",), "none": ()}


def test_the_global_one_is_for_those_without() -> None:
    config = config_of(TEXT + '[global_webhook]\nenabled = true\nurl = "https://example.com/all"\n')
    found = {key: destinations_of(config, streamer) for key, streamer in config.streamers.items()}
    assert found == {"both": ("two", "one", "both"), "own": ("own",), "named": ("both",), "none": ("global",)}
    everything = effective_destinations(config)
    assert list(everything) == ["one", "two", "both", "own", "global"]
    assert all(name == destination.name for name, destination in everything.items())
    assert everything["own"].format == "slack"


def test_an_address_in_the_vault_tells_its_format_when_it_is_known() -> None:
    text = "[streamers.a]\ntarget_webhook_url = '@keyring'\n[global_webhook]\nenabled = true\nurl = '@keyring'\n"
    loaded = parse(text + "target_webhook_secret = '@keyring'\n", file="config.toml", environ={})
    for destination in effective_destinations(loaded.config).values():
        assert format_of(destination, "https://hooks.slack.com/services/a/b/c").name == "slack"
    assert loaded.secrets_in_clear == ()


def test_a_discord_address_in_the_clear_counts_as_a_secret() -> None:
    text = (
        "[streamers.'a b']\nlogin = 'x'\nwebhook_url = 'https://discord.com/api/webhooks/1/t'\n"
        "[destinations.d]\nurl = 'https://example.com/'\nsecret = 's'\n"
    )
    loaded = parse(text, file="config.toml", environ={})
    assert loaded.secrets_in_clear == ('streamers."a b".webhook_url', "destinations.d.secret")
