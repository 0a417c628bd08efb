"""What this version cannot do is said truthfully."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.schema import Config, Server, Telemetry, Tls, Tunnel, Twitch
from itsjustintv_desktop.engine.limits import not_yet


@pytest.mark.parametrize("url", ["", "https://example.com/twitch"])
def test_no_setting_makes_subscriptions(url: str) -> None:
    (said,) = not_yet(Config(twitch=Twitch(incoming_webhook_url=url)))
    assert "does not make subscriptions" in said
    assert "docs/first-stream.md" in said
    assert ("is not used yet" in said) == bool(url)


def test_every_wish_it_cannot_fulfil_is_named() -> None:
    config = Config(
        twitch=Twitch(transport="conduit"),
        server=Server(tls=Tls(enabled=True)),
        tunnel=Tunnel(provider="ngrok"),
        telemetry=Telemetry(enabled=True),
    )
    said = not_yet(config)
    assert len(said) == 4
    for table, sentence in zip(("conduit", "[server.tls]", "[tunnel]", "[telemetry]"), said, strict=True):
        assert table in sentence
