"""The clock is set: what waits is neither older nor younger for it. Time that passed is no such thing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.runtime.clock_shift import ClockShift, boot_id
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.twitch.http import ClockSkew
from tests.engine.storage.ledger.book import FAILED, Book, raw
from tests.support.clock import START, FakeClock

HOUR, DAY = 3600.0, 86400.0


class Rig:
    """One run of the program on one machine; `restart` makes the next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = FakeClock()
        self.true = START
        """What the time really is."""
        self.boot = "first"
        self._run()

    def _run(self) -> None:
        self.skew = ClockSkew()
        self.ledger = Ledger(self.path, self.clock)
        self.book = Book(self.ledger, self.clock)
        self.pause = Pause(self.ledger, bus=Bus(), clock=self.clock)
        self.shift = ClockShift(self.ledger, self.clock, self.skew, self.pause.shift, boot=self.boot)

    async def start(self) -> None:
        await self.ledger.open()
        await self.shift.load()
        await self.pause.load(self.shift.at_start)

    async def restart(self, boot: str | None = None) -> None:
        await self.ledger.close()
        if boot is not None:
            self.boot = boot
            self.clock._mono, self.clock._asleep = 5.0, 0.0
        self._run()
        await self.start()

    def passes(self, seconds: float) -> None:
        self.true += seconds
        self.clock.advance(seconds)

    def suspend(self, seconds: float) -> None:
        self.true += seconds
        self.clock.suspend(seconds)

    async def asks_twitch(self, times: int = 2) -> None:
        for _ in range(times):
            now = self.clock.now()
            self.skew.observe(format_datetime(datetime.fromtimestamp(self.true, UTC), usegmt=True), now, now)
            await self.shift.follow()

    async def waiting(self) -> tuple[float, float]:
        """Of the one delivery: its age, and how far ahead it is due."""
        with raw(self.path) as connection:
            born, due, made = connection.execute(
                "SELECT born_at, next_at, created_at FROM deliveries WHERE state = 'pending'"
            ).fetchone()
        assert made - born == pytest.approx(0, abs=1)
        return self.clock.now() - born, due - self.clock.now()

    async def failed_once(self, due_in: float = 60.0) -> int:
        delivery = await self.book.delivery()
        claimed = await self.book.claimed(delivery)
        await self.book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=self.clock.now() + due_in)
        return delivery


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path / "ledger.db")
    await made.start()
    yield made
    await made.ledger.close()


@pytest.mark.parametrize("by", [3 * DAY, -3 * DAY, 2 * HOUR, 365 * DAY])
async def test_set_while_it_runs(rig: Rig, by: float) -> None:
    await rig.failed_once()
    rig.passes(10)
    rig.clock.jump(by)
    await rig.shift.follow()
    assert await rig.waiting() == pytest.approx((10, 50))
    await rig.shift.follow()
    assert await rig.waiting() == pytest.approx((10, 50))
    rig.clock.jump(-by)
    await rig.shift.follow()
    assert await rig.waiting() == pytest.approx((10, 50))


@pytest.mark.parametrize("twitch", [True, False])
async def test_asleep(rig: Rig, twitch: bool) -> None:
    if twitch:
        await rig.asks_twitch()
    await rig.failed_once()
    rig.suspend(3 * DAY)
    await rig.shift.follow()
    if twitch:
        await rig.asks_twitch()
    assert await rig.waiting() == pytest.approx((3 * DAY, 60 - 3 * DAY))
    assert not rig.shift.unsure


@pytest.mark.parametrize("by", [3 * DAY, -3 * DAY])
async def test_asleep_and_set(rig: Rig, by: float) -> None:
    await rig.asks_twitch()
    await rig.failed_once()
    rig.suspend(3 * DAY)
    rig.clock.jump(by)
    await rig.shift.follow()
    assert await rig.waiting() == pytest.approx((3 * DAY, 60 - 3 * DAY))
    await rig.asks_twitch()
    assert await rig.waiting() == pytest.approx((3 * DAY, 60 - 3 * DAY))


@pytest.mark.parametrize("by", [3 * DAY, -3 * DAY])
async def test_set_while_it_does_not_run(rig: Rig, by: float) -> None:
    await rig.failed_once()
    rig.passes(HOUR)
    rig.clock.jump(by)
    await rig.restart()
    assert await rig.waiting() == pytest.approx((HOUR, 60 - HOUR))


async def test_many_small_steps_add_up(rig: Rig) -> None:
    await rig.failed_once()
    for _ in range(100):
        rig.clock.jump(0.4)
        await rig.shift.follow()
    age, due = await rig.waiting()
    assert (age, due) == pytest.approx((0, 60), abs=1)
    for _ in range(10):
        rig.clock.jump(-0.4)
        await rig.restart()
    age, due = await rig.waiting()
    assert (age, due) == pytest.approx((0, 60), abs=1)


@pytest.mark.parametrize("correction", [0.0, 3 * DAY])
async def test_a_virtual_machine_that_stood_still(rig: Rig, correction: float) -> None:
    """No clock of its own tells that from a clock that is set: Twitch does."""
    await rig.asks_twitch()
    await rig.failed_once()
    rig.true += 3 * DAY
    rig.clock.jump(correction)
    await rig.shift.follow()
    assert rig.shift.unsure is (correction > 0), "until then nobody knows what is late"
    await rig.asks_twitch()
    assert not rig.shift.unsure
    age, _ = await rig.waiting()
    assert age == pytest.approx(3 * DAY, abs=2)
    if not correction:
        rig.clock.jump(3 * DAY)  # it is corrected later
        await rig.shift.follow()
        await rig.asks_twitch()
        age, _ = await rig.waiting()
        assert age == pytest.approx(3 * DAY, abs=2)


@pytest.mark.parametrize("wrong_before", [0.0, -3 * DAY, 3 * DAY])
@pytest.mark.parametrize("wrong_after", [0.0, -3 * DAY, 3 * DAY])
@pytest.mark.parametrize("corrected_first", [True, False])
async def test_the_machine_was_started_anew(
    tmp_path: Path, wrong_before: float, wrong_after: float, corrected_first: bool
) -> None:
    rig = Rig(tmp_path / "ledger.db")
    rig.clock.jump(wrong_before)
    await rig.start()
    await rig.asks_twitch()
    await rig.failed_once()
    rig.passes(HOUR)
    rig.clock.jump(wrong_after - wrong_before)
    await rig.restart(boot="second")
    await rig.book.event(message_id="new", stream_id="new")
    if corrected_first:
        rig.clock.jump(-wrong_after)
        await rig.shift.follow()
    await rig.asks_twitch()
    age, due = await rig.waiting()
    assert (age, due) == pytest.approx((HOUR, 60 - HOUR), abs=2)
    new = (await rig.ledger.unfinished())[-1].event.received_at
    assert rig.clock.now() - new == pytest.approx(0, abs=2)
    await rig.ledger.close()


async def test_events_and_what_was_announced_go_along(rig: Rig) -> None:
    await rig.book.event(message_id="waits")
    await rig.book.announced("main", stream_id="announced")
    await rig.ledger.keep_told([(b"key", rig.clock.now() + HOUR)])
    rig.clock.jump(60 * DAY)
    await rig.shift.follow()
    (waits,) = await rig.ledger.unfinished()
    assert waits.event.received_at == rig.clock.now()
    await rig.ledger.purge(rig.clock.now() - 30 * DAY, rig.clock.now() - DAY, rig.clock.now() - 30 * DAY)
    assert await rig.ledger.announced_to([("main", waits.event.broadcaster_id, "announced")])
    assert await rig.ledger.told([b"key"])
    made = await rig.ledger.announce(waits.id, streamer="alice", payload=b"{}", destinations=["main"])
    assert made.created


async def test_what_is_finished_keeps_its_time(rig: Rig) -> None:
    done = await rig.book.ended(DeliveryState.DELIVERED)
    before = (await rig.ledger.delivery(done)).created_at
    rig.clock.jump(3 * DAY)
    await rig.shift.follow()
    assert (await rig.ledger.delivery(done)).created_at == before


@pytest.mark.parametrize("by", [3 * DAY, -3 * DAY])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_pause_lasts_as_long_as_it_was_meant(rig: Rig, by: float, restarts: bool) -> None:
    await rig.pause.begin(rig.clock.now() + HOUR)
    rig.passes(HOUR / 2)
    rig.clock.jump(by)
    if restarts:
        await rig.restart()
    assert rig.pause.active
    await rig.shift.follow()
    assert rig.pause.until == pytest.approx(rig.clock.now() + HOUR / 2)
    assert rig.pause.covers(rig.clock.now() - HOUR / 4)
    rig.passes(HOUR / 2 + 1)
    assert not rig.pause.active


async def test_a_pause_ends_while_the_machine_sleeps(rig: Rig) -> None:
    await rig.pause.begin(rig.clock.now() + HOUR)
    rig.suspend(2 * HOUR)
    assert not rig.pause.active


async def test_no_shift_is_lost_or_made_twice_when_the_ledger_fails(rig: Rig) -> None:
    await rig.failed_once()
    rig.clock.jump(3 * DAY)
    ledger, broken = rig.shift._ledger, Ledger(rig.path.with_name("closed.db"), rig.clock)
    rig.shift._ledger = broken
    with pytest.raises(Exception, match="closed"):
        await rig.shift.follow()
    rig.shift._ledger = ledger
    await rig.shift.follow()
    await rig.shift.follow()
    assert await rig.waiting() == pytest.approx((0, 60))


def test_the_machines_own_clock() -> None:
    clock = SystemClock()
    one, two = clock.boottime(), clock.boottime()
    assert 0 < one <= two < one + 5
    assert boot_id() == boot_id()
