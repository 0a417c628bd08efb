"""24 hours in minutes: everything that goes wrong in a day goes wrong, and nothing is lost, doubled or left over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.day import script, verdict, world
from tests.faults.day.script import DAY, Happening

SETTLING = 4500.0
"""Seconds: Twitch is asked again within 66 minutes for a subscription that ended because of the channel."""


async def live(folder: Path, transport: world.Transport, day: list[Happening], patch: pytest.MonkeyPatch) -> None:
    async with world.opened(folder, transport, seed=1, monkeypatch=patch) as there:
        await there.on_start()
        for happening in day:
            await there.do(happening)
        await there.times.to(DAY + SETTLING)
        found = await verdict.judge(there)
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


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_day_behind_a_tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four sleeps, five addresses, a tunnel that dies in silence, a new webhook secret, and the rest of the script."""
    await live(tmp_path, "webhook", script.webhook_day(seed=1), monkeypatch)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_day_on_a_conduit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four sleeps, two moves to another server, broken and silent connections, a conduit that Twitch takes away."""
    await live(tmp_path, "conduit", script.conduit_day(seed=1), monkeypatch)
