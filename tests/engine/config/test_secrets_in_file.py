"""Secrets that stand in the file: found whatever the environment says, and told when others may read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from itsjustintv_desktop.engine import redaction
from itsjustintv_desktop.engine.config import secrets_in_file
from itsjustintv_desktop.engine.config.load import Loaded, load, parse

POSIX = pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX thing")
DISCORD = "https://discord.com/api/webhooks/1/t"


def of(text: str, environ: dict[str, str] | None = None) -> Loaded:
    return parse(text, file="config.toml", environ=environ or {})


def test_a_key_that_the_environment_also_sets_still_stands_in_the_file() -> None:
    text = (
        f"[Twitch]\nClient_Secret = 'x'\n[destinations.a]\nurl = '{DISCORD}'\n"
        f"[streamers.twitch.b]\nwebhook_url = '{DISCORD}'"
    )
    environ = {
        "ITSJUSTINTV_TWITCH_CLIENT_SECRET": "other",
        "ITSJUSTINTV_DESTINATIONS_A_URL": "https://example.com/",
        "ITSJUSTINTV_STREAMERS_B_TARGET_WEBHOOK_URL": "https://example.com/",
    }
    found = ("Twitch.Client_Secret", "streamers.twitch.b.webhook_url", "destinations.a.url")
    assert of(text).secrets_in_clear == found
    assert of(text, environ).secrets_in_clear == found


def test_what_only_the_environment_says_does_not_stand_in_the_file() -> None:
    environ = {"ITSJUSTINTV_TWITCH_CLIENT_SECRET": "other", "ITSJUSTINTV_DESTINATIONS_A_URL": DISCORD}
    loaded = of("[twitch]\nclient_secret = '@keyring'\n[tunnel]\nauthtoken = ''\n", environ)
    assert loaded.secrets_in_clear == loaded.secrets_fixed == ()


@pytest.mark.parametrize(
    ("url", "counts"),
    [
        ("https://example.com/", False),
        ("https://me:pw@example.com/", True),
        ("https://token@example.com/", True),
        ("@keyring", False),
        (DISCORD, True),
    ],
)
def test_addresses_that_count(url: str, counts: bool) -> None:
    assert of(f"[destinations.a]\nurl = '{url}'").secrets_in_clear == (("destinations.a.url",) if counts else ())


def test_headers_that_look_like_credentials_are_named_as_fixed() -> None:
    loaded = of(
        "[destinations.a]\nurl = 'https://example.com/'\nheaders = { Authorization = 'Bearer x', X-Colour = 'red' }\n"
        "[telemetry.headers]\nx-api-key = 'k'\n"
    )
    assert loaded.secrets_in_clear == ()
    assert loaded.secrets_fixed == ("telemetry.headers.x-api-key", "destinations.a.headers.Authorization")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that everybody may enter, unlike those of pytest."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@POSIX
@pytest.mark.parametrize("folder_mode", [0o700, 0o750])
def test_a_folder_that_others_may_not_enter_keeps_them_out(open_folder: Path, folder_mode: int) -> None:
    path = open_folder / "deep" / "config.toml"
    path.parent.mkdir()
    path.write_text("[twitch]\nclient_secret = 'hidden'\n")
    path.chmod(0o604)
    assert load(path, {}).warnings
    open_folder.chmod(folder_mode)
    assert load(path, {}).warnings == ()


@POSIX
@pytest.mark.parametrize(("mode", "is_said"), [(0o600, False), (0o640, True), (0o604, True), (0o400, False)])
@pytest.mark.parametrize("secret", ["client_secret = 'hidden'", ""])
def test_others_that_may_read_secrets_are_told_of(open_folder: Path, mode: int, is_said: bool, secret: str) -> None:
    path = open_folder / "my config.toml"
    path.write_text(f"[twitch]\n{secret}\n")
    path.chmod(mode)
    warnings = load(path, {}).warnings
    assert bool(warnings) == (is_said and bool(secret))
    if warnings:
        assert f"chmod 600 '{path}'" in warnings[0]
        assert "twitch.client_secret" in warnings[0]
        assert "hidden" not in warnings[0]


def test_a_table_that_is_none_is_no_trouble() -> None:
    broken: list[dict[str, Any]] = [
        {"twitch": 1},
        {"streamers": [1]},
        {"destinations": {"a": "x"}},
        {"telemetry": {"headers": []}},
    ]
    for raw in broken:
        assert secrets_in_file.find(raw).movable == secrets_in_file.find(raw).fixed == ()


def test_the_secrets_of_tables_are_learnt_wherever_they_stand() -> None:
    secrets_in_file.learn(
        {
            "twitch": {"client_secret": "client-secret-1", "client_id": "my-client-id"},
            "streamers": {
                "alice": {"target_webhook_url": "https://h/x?k=value-of-it", "nested": {"SECRET": "upper-one"}}
            },
            "telemetry": {"headers": {"x-api-key": "Bearer of-telemetry"}},
            "destinations": {"main": {"url": 5, "secret": None, "headers": "no table"}},
        }
    )
    told = redaction.redact("client-secret-1 my-client-id value-of-it upper-one of-telemetry")
    assert told == "[hidden] my-client-id [hidden] [hidden] [hidden]"


@pytest.mark.parametrize(
    ("proxy", "counts"),
    [
        ("http://me:s3cret@proxy.example:3128", True),
        ("me:s3cret@proxy.example:3128", True),
        ("http://proxy.example:3128", False),
        ("direct", False),
    ],
)
def test_a_proxys_password_is_one_that_only_the_file_can_hold(proxy: str, counts: bool) -> None:
    loaded = of(f"[network]\nproxy = '{proxy}'\n")
    assert loaded.secrets_in_clear == ()
    assert loaded.secrets_fixed == (("network.proxy",) if counts else ())
