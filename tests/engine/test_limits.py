"""What this version cannot do is said truthfully."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.schema import Config, Server, Telemetry, Tls, Tunnel, Twitch
from itsjustintv_desktop.engine.limits import not_yet


def test_every_wish_it_cannot_fulfil_is_named() -> None:
    (said,) = not_yet(Config(telemetry=Telemetry(enabled=True)))
    assert "[telemetry]" in said


def test_what_it_can_do_is_not_named() -> None:
    config = Config(
        twitch=Twitch(transport="conduit", incoming_webhook_url="https://example.com/twitch"),
        server=Server(tls=Tls(enabled=True)),
        tunnel=Tunnel(provider="ngrok"),
    )
    assert not_yet(config) == []
