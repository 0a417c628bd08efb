"""A clock that was wrong is put right, or the machine slept, while announcements wait: in a running engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core import sleep_detector
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.ingress.catch_up import catch_up
from itsjustintv_desktop.engine.twitch import enrichment, http
from tests.support.builders import make_event
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until

S = DeliveryState
DAY = 86400.0

CONFIG = f"""
[retry]
initial_delay = "1s"
max_delay = "2s"
max_age = "{{max_age}}"
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[streamers.alice]
login = "alice"
destinations = ["main"]
"""


class ShownClock(SystemClock):
    """The real one; the test sets it, and lets the machine sleep."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead
        self.asleep = 0.0

    def now(self) -> float:
        return super().now() + self.ahead + self.asleep

    def boottime(self) -> float:
        return super().boottime() + self.asleep


@asynccontextmanager
async def waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ahead: float = 0.0, max_age: str = "24h"
) -> AsyncIterator[tuple[Running, ShownClock]]:
    """With a clock that is wrong by so much, one announcement was tried and is to be tried again."""
    monkeypatch.setattr(sleep_detector, "EVERY", 0.2)
    monkeypatch.setattr(catch_up, "LEAST", 0.01)
    monkeypatch.setattr(enrichment, "APART", 0.5)
    clock = ShownClock(ahead)
    real = http._unix

    def date(header: str | None) -> float | None:
        """To Twitch, too, time passes while the machine sleeps."""
        told = real(header)
        return None if told is None else told + clock.asleep

    monkeypatch.setattr(http, "_unix", date)
    config = CONFIG.format(max_age=max_age)
    async with running_engine(tmp_path, config, clock=clock, resend_delays=(0.3,) * 20) as running:
        await until(lambda: running.engine.twitch.skew.measured)
        running.simulator.faults.set_receiver("main", status=503)
        await running.simulator.go_live("alice", stream_id="one")
        user_id = running.simulator.state.get("alice").user_id
        await running.engine.intake.submit(make_event(broadcaster_id=user_id, stream_id="one", received_at=clock.now()))

        async def tried() -> bool:
            return [(one.state, one.attempts > 0) for one in await running.deliveries()] == [(S.PENDING, True)]

        await until(tried)
        yield running, clock


async def ended(running: Running) -> list[tuple[DeliveryState, str | None]]:
    async def over() -> bool:
        return all(one.state not in {S.PENDING, S.SENDING} for one in await running.deliveries())

    await until(over)
    return [(one.state, one.last_error) for one in await running.deliveries()]


@pytest.mark.fault(
    "a clock three days wrong is put right while announcements wait",
    seen="what waits is delivered, as if the clock had never been wrong",
)
@pytest.mark.parametrize("ahead", [-3 * DAY, 3 * DAY])
@pytest.mark.parametrize("restarted", [False, True])
async def test_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: float, restarted: bool) -> None:
    async with waiting(tmp_path, monkeypatch, ahead=ahead) as (running, clock):
        if restarted:
            await running.stop()
        clock.ahead = 0.0
        if restarted:
            await running.start()
        running.engine.dispatcher.wake()

        async def shifted() -> bool:
            return abs((await running.deliveries())[0].created_at - clock.now()) < 60

        await until(shifted)
        await until(lambda: not running.engine.clock_trust.doubtful(), what="Twitch's time confirms it")
        await running.engine.housekeeping.tidy()
        running.simulator.faults.set_receiver("main")
        assert await ended(running) == [(S.DELIVERED, None)]
        assert len(running.simulator.receiver.accepted("main")) == 1


@pytest.mark.fault(
    "three days of sleep while announcements wait",
    seen="Twitch is asked whether the stream still runs; if not, it is listed as expired and can be resent",
)
@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("reset", [0.0, -3 * DAY, 3 * DAY])
async def test_slept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live: bool, reset: float) -> None:
    """And the clock is set meanwhile: neither hides the other."""
    async with waiting(tmp_path, monkeypatch, max_age="168h") as (running, clock):
        if not live:
            for one in list(running.simulator.eventsub.subscriptions):
                running.simulator.eventsub.subscriptions.remove(one.id)  # nobody tells of it
            await running.simulator.go_offline("alice")
        clock.asleep += 3 * DAY
        clock.ahead += reset
        running.simulator.faults.set_receiver("main")
        running.engine.dispatcher.wake()
        ((state, error),) = await ended(running)
        assert state is (S.DELIVERED if live else S.EXPIRED)
        assert live or "The stream ended before it could be announced" in str(error)
