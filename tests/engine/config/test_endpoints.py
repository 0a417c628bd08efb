"""Twitch's addresses, and a simulator's in their place."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.core.errors import ConfigError


def test_the_real_ones() -> None:
    endpoints = Endpoints.from_environ({"ITSJUSTINTV_TWITCH_API_URL": ""})
    assert endpoints.api_url == "https://api.twitch.tv/helix"
    assert endpoints.auth_url == "https://id.twitch.tv/oauth2"
    assert endpoints.eventsub_url == "wss://eventsub.wss.twitch.tv/ws"
    assert endpoints == Endpoints()


def test_a_simulator_on_this_machine_may_be_plain() -> None:
    endpoints = Endpoints.from_environ(
        {
            "ITSJUSTINTV_TWITCH_API_URL": "http://127.0.0.1:9000/helix/",
            "ITSJUSTINTV_TWITCH_AUTH_URL": "http://localhost:9000/oauth2",
            "ITSJUSTINTV_TWITCH_EVENTSUB_URL": "ws://[::1]:9000/ws",
        }
    )
    assert endpoints.api_url == "http://127.0.0.1:9000/helix"
    assert endpoints.auth_url == "http://localhost:9000/oauth2"
    assert endpoints.eventsub_url == "ws://[::1]:9000/ws"
    assert endpoints != Endpoints()


@pytest.mark.parametrize(
    "value",
    [
        "http://api.twitch.tv/helix",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://10.0.0.1/",
        "ws://127.0.0.1/",
        "api.twitch.tv",
        "https://",
        "https://[::1/",
        "https://a:99999/",
        "https://user@example.com/",
        "https://example.com/?x=1",
    ],
)
def test_anything_else_is_an_error_that_names_the_variable(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoints.from_environ({"ITSJUSTINTV_TWITCH_API_URL": value, "ITSJUSTINTV_TWITCH_EVENTSUB_URL": "http://x/"})
    first, second = caught.value.problems
    assert first.startswith("ITSJUSTINTV_TWITCH_API_URL: ")
    assert second.startswith("ITSJUSTINTV_TWITCH_EVENTSUB_URL: it must be an address that begins with wss://")
