"""A certificate from a real authority, by both challenges."""

from __future__ import annotations

import stat

import pytest

from itsjustintv_desktop.engine.ingress.ways import WayState, Webhook
from tests.engine.ingress.acme.rig import Rig


@pytest.mark.parametrize("challenge", ["tls-alpn-01", "http-01"])
async def test_a_certificate_is_had_and_served_and_only_then_is_twitch_told(rig: Rig, challenge: str) -> None:
    rig.change(challenge=challenge)
    before, _ = await rig.shown()
    rig.begin()
    await rig.reaches("ready")
    assert rig.way.target == Webhook(f"https://{rig.name}/twitch")
    status = rig.way.status
    assert status.state is WayState.READY
    assert status.address == f"https://{rig.name}/twitch"
    assert set(status.facts) == {"authority", "certificate_names", "certificate_until", "next_renewal"}
    assert status.facts["authority"] == "127.0.0.1"
    assert status.facts["certificate_names"] == rig.name
    now, _ = await rig.shown()
    assert now != before
    assert "Pebble" in now.issuer.rfc4514_string()
    for name in ("cert.pem", "key.pem", "acme_cache.json"):
        assert stat.S_IMODE((rig.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(rig.folder.stat().st_mode) == 0o700
