"""Health: since when each part is as it is, also when nobody asked meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.clock import SystemClock
from itsjustintv_desktop.engine.health import Health
from tests.support.engine import Running, running_engine

SOURCE = "destination main"


class LaterClock(SystemClock):
    """The real one, ahead by as much as the test says."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


@pytest.fixture
def clock() -> LaterClock:
    return LaterClock()


@pytest.fixture
async def running(tmp_path: Path, clock: LaterClock) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, clock=clock, listen=False) as running:
        yield running


@pytest.fixture
def health(running: Running) -> Health:
    return Health(running.engine)


async def part(health: Health, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (await health.report())["parts"][name]
    return found


async def test_since_is_when_it_was_observed_not_when_somebody_asked(
    running: Running, health: Health, clock: LaterClock
) -> None:
    await health.observe()
    began = clock.now()
    clock.ahead = 3600
    running.engine.supervisor.broken["feed"] = "OSError"
    await health.observe()
    broke = clock.now()
    clock.ahead = 7200
    assert (await part(health, "feed"))["since"] == pytest.approx(broke, abs=5)
    assert (await part(health, "ledger"))["since"] == pytest.approx(began, abs=5)
    running.engine.supervisor.broken.clear()
    assert (await part(health, "feed"))["since"] == pytest.approx(clock.now(), abs=5)


async def test_a_destination_knows_since_when_itself(running: Running, health: Health, clock: LaterClock) -> None:
    breaker = running.engine.dispatcher.lanes.lane("main").breaker
    for ago in (500.0, 100.0):
        paused = clock.now() - ago
        breaker.pause("answered 410 Gone", "", paused)
        assert await part(health, SOURCE) == {"status": "waiting", "since": paused, "reason": "answered 410 Gone"}
        breaker.resume(clock.now())
        assert SOURCE not in (await health.report())["parts"]


async def test_a_part_that_comes_back_begins_anew(running: Running, health: Health, clock: LaterClock) -> None:
    running.engine.supervisor.broken["feed"] = "OSError"
    await health.observe()
    del running.engine.supervisor.broken["feed"]
    await health.observe()
    clock.ahead = 3600
    running.engine.supervisor.broken["feed"] = "OSError"
    assert (await part(health, "feed"))["since"] == pytest.approx(clock.now(), abs=5)


async def test_the_webhook_secret_waits_since_the_secrets_are_locked(tmp_path: Path, clock: LaterClock) -> None:
    environ = {"ITSJUSTINTV_SECRETS_STORE": "passphrase", "ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": ""}
    async with running_engine(tmp_path, clock=clock, listen=False, environ=environ) as running:
        locked = await running.engine.secrets.refresh()
        assert locked.status == "locked"
        clock.ahead = 3600
        waits = await part(Health(running.engine), "webhook secret")
        assert (waits["status"], waits["since"]) == ("waiting", locked.since)
