"""Addresses of Discord that cannot work: a warning at the line, in every place an address of a receiver stands."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.load import parse

_PLACES = (
    "[destinations.a]\nurl = '{}'",
    "[streamers.a]\ntarget_webhook_url = '{}'",
    "[global_webhook]\nurl = '{}'\nenabled = true",
)


def _warnings(text: str) -> tuple[str, ...]:
    return parse(text, file="config.toml", environ={}).warnings


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("https://discord.gg/SECRET", "an invitation to Discord, not a webhook"),
        ("https://discord.com/channels/1/SECRET", "a link into Discord, not a webhook"),
        ("https://canary.discord.com/channels/1/SECRET", "a link into Discord, not a webhook"),
        ("https://discord.com/api/webhooks/...", "no whole webhook of Discord"),
        ("https://discord.com/api/webhooks/123/", "no whole webhook of Discord"),
        ("https://www.discord.com/api/webhooks", "no whole webhook of Discord"),
        ("https://ptb.discord.com/api/webhooks/abc/SECRET", "no whole webhook of Discord"),
        ("http://discord.com/api/webhooks/123/SECRET", "Discord is reached over https:// only"),
    ],
)
def test_one_that_cannot_work_is_a_warning(place: str, address: str, sentence: str) -> None:
    (warning,) = _warnings(place.format(address))
    assert warning.startswith("config.toml:2: ")
    assert sentence in warning
    assert "SECRET" not in warning


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize(
    "address",
    [
        "https://discord.com/api/webhooks/123/a_b-C",
        "https://canary.discord.com/api/v10/webhooks/123/a_b-C?thread_id=4",
        "https://discord.com/api/webhooks/123/x/slack",
        "http://127.0.0.1:8080/api/webhooks/1",
        "https://discord.com.example.org/",
    ],
)
def test_one_that_can_goes_without_a_word(place: str, address: str) -> None:
    assert _warnings(place.format(address)) == ()
