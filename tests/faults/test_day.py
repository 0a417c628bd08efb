"""24 hours in minutes: everything that goes wrong in a day goes wrong, and nothing is lost, doubled or left over."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.day import script
from tests.faults.day.script import DAY, Happening
from tests.faults.day.verdict import judge
from tests.faults.day.world import Transport, World, opened

SEED = int(os.environ.get("DAY_SEED", "1"))
"""Another number makes another day."""
ENDINGS = {"authorization_revoked", "version_removed", "user_removed"}
SETTLING = 4500.0
"""Seconds: Twitch is asked again within 66 minutes for a subscription that ended because of the channel."""


@asynccontextmanager
async def lived(
    folder: Path, transport: Transport, day: list[Happening], patch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """After the whole day, which the program must have passed; it still runs."""
    async with opened(folder, transport, seed=SEED, monkeypatch=patch) as world:
        await world.on_start()
        for happening in day:
            await world.do(happening)
        await world.times.to(DAY + SETTLING)
        found = await judge(world)
        print(found.table())
        assert not found.faults, "\n".join(found.faults)
        # The day was worth something.
        assert found.told > 30
        assert found.found >= 5
        assert found.restarted >= 5
        assert found.missed >= 2
        assert found.repeated >= 5
        assert found.retried >= 3
        assert found.expired >= 2
        assert found.lost >= 5
        assert world.simulator.other_calls["token"] >= 3
        assert found.ended >= {"notification_failures_exceeded", *ENDINGS}
        yield world


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_day_behind_a_tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four sleeps, five addresses, a tunnel that dies in silence, a new webhook secret, and the rest of the script."""
    async with lived(tmp_path, "webhook", script.webhook_day(SEED), monkeypatch) as world:
        assert world.tunnel.silenced
        assert len(await world.running.ledger.targets()) == 1 + 5
        assert len(world.secrets_used) == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_day_on_a_conduit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four sleeps, two moves to another server, broken and silent connections, a conduit that Twitch takes away."""
    async with lived(tmp_path, "conduit", script.conduit_day(SEED), monkeypatch) as world:
        assert len(await world.running.ledger.targets()) == 2
