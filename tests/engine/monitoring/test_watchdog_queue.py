"""When work stands still, and when it only waits for a good reason. Time goes by in looks of ten seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.monitoring.watchdog import EVERY, LONGEST_LOOK, SENDING, STUCK_SECONDS, QueueWatch
from tests.engine.storage.ledger.book import Book
from tests.support.builders import make_config, make_destination
from tests.support.waiting import until
from tests.support.world import BUSY, World, opened_world

S = DeliveryState
DAY = 86400.0
TWO = make_config(destinations=(make_destination(), make_destination("other")))


class Rig:
    """No dispatcher runs: whatever is due stays due."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watch = QueueWatch(world.ledger, world.dispatcher, config=world.holder, clock=world.clock)

    async def looks(self, seconds: float, every: float = EVERY) -> None:
        for _ in range(round(seconds / every)):
            self.world.clock.advance(every)
            await self.watch.look()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with opened_world(tmp_path, TWO) as world:
        yield Rig(world)


async def test_what_is_due_and_not_sent_stands_still_after_two_minutes(rig: Rig) -> None:
    await rig.world.queue("main", "other")
    await rig.watch.look()
    await rig.looks(STUCK_SECONDS - EVERY)
    assert rig.watch.overdue == {}
    await rig.looks(EVERY)
    assert set(rig.watch.overdue) == {"main", "other"}
    assert min(rig.watch.overdue.values()) >= STUCK_SECONDS


async def test_when_it_moves_again_all_is_forgotten(rig: Rig) -> None:
    await rig.world.queue("main")
    await rig.looks(2 * STUCK_SECONDS)
    assert rig.watch.overdue
    rig.world.run_dispatcher()
    await until(lambda: rig.world.sender.posts)
    await rig.watch.look()
    assert rig.watch.overdue == {}


async def test_a_lane_that_works_through_a_long_queue_does_not_stand_still(rig: Rig) -> None:
    await rig.world.queue("main")
    queues = rig.world.dispatcher.queues
    for _ in range(30):
        queues.begin("main", rig.world.clock.now())
        await rig.looks(EVERY)
        queues.end("main", BUSY, rig.world.clock.now())
        rig.world.dispatcher.queues.queue("main").breaker.resume(rig.world.clock.now())
    assert rig.watch.overdue == {}


async def test_an_attempt_that_never_ends_does(rig: Rig) -> None:
    await rig.world.queue("main")
    rig.world.dispatcher.queues.begin("main", rig.world.clock.now())
    await rig.looks(STUCK_SECONDS + 2 * EVERY)
    assert set(rig.watch.overdue) == {"main"}


async def test_a_receiver_that_hangs_for_as_long_as_it_may_is_no_standstill(tmp_path: Path) -> None:
    """Two minutes for the POST, ten seconds to ask whether the stream still runs, and the next one hangs as well."""
    async with opened_world(tmp_path, make_config(destinations=(make_destination(timeout=120.0),))) as world:
        rig = Rig(world)
        await world.queue("main")
        for _ in range(3):
            world.dispatcher.queues.begin("main", world.clock.now())
            await rig.looks(140.0)
            assert rig.watch.overdue == {}
            world.dispatcher.queues.end("main", BUSY, world.clock.now())


async def paused(rig: Rig) -> None:
    rig.world.dispatcher.queues.queue("main").breaker.pause("answered 410", "", rig.world.clock.now())


async def opened(rig: Rig) -> None:
    queues = rig.world.dispatcher.queues
    for _ in range(10):
        queues.begin("main", rig.world.clock.now())
        queues.end("main", BUSY, rig.world.clock.now())
    assert queues.queue("main").breaker.name(rig.world.clock.now()) == "open"


async def off(rig: Rig) -> None:
    made: Config = make_config(destinations=(make_destination(enabled=False),))
    rig.world.config = made


async def not_due(rig: Rig) -> None:
    book = Book(rig.world.ledger, rig.world.clock)
    (claimed,) = await book.claim()
    await book.finish(claimed, S.PENDING, BUSY, next_at=rig.world.clock.now() + DAY)


@pytest.mark.parametrize(("hold", "seconds"), [(paused, DAY / 24), (opened, 20.0), (off, DAY / 24), (not_due, 3600.0)])
async def test_what_is_held_back_does_not_stand_still(rig: Rig, hold: object, seconds: float) -> None:
    await rig.world.queue("main")
    assert callable(hold)
    await hold(rig)
    await rig.looks(seconds)
    assert rig.watch.overdue == {}


async def test_what_waits_for_a_turn_among_many_failing_ones_does_not(rig: Rig) -> None:
    queues = rig.world.dispatcher.queues
    await rig.world.queue("main")
    now = rig.world.clock.now()
    queues.begin("main", now)
    queues.end("main", BUSY, now)
    for number in range(32):
        name = f"failing{number}"
        queues.begin(name, now)
        queues.end(name, BUSY, now)
        queues.begin(name, now)
    assert queues.failing()[1] == 0
    for _ in range(30):
        queues.end("failing1", BUSY, rig.world.clock.now())
        queues.begin("failing1", rig.world.clock.now())
        await rig.looks(EVERY)
    assert rig.watch.overdue == {}
    await rig.looks(2 * STUCK_SECONDS)
    assert set(rig.watch.overdue) == {"main"}, "but not while those do not get on either"


@pytest.mark.parametrize("jump", [-365 * DAY, -3600.0, 3600.0, 8 * 3600.0, 365 * DAY])
async def test_no_jump_of_the_clock_is_an_alarm(rig: Rig, jump: float) -> None:
    await rig.world.queue("main")
    await rig.watch.look()
    rig.world.clock.jump(jump)
    await rig.watch.look()
    assert rig.watch.overdue == {}


async def test_a_sleep_in_which_the_monotonic_clock_went_on_is_none(rig: Rig) -> None:
    await rig.world.queue("main")
    await rig.watch.look()
    await rig.looks(8 * 3600, every=8 * 3600)
    assert rig.watch.overdue == {}
    assert rig.watch._ages == {"main": LONGEST_LOOK}


async def test_an_event_that_nobody_works_on(rig: Rig) -> None:
    await rig.world.accept()
    await rig.watch.look()
    await rig.looks(STUCK_SECONDS)
    assert rig.watch.unworked is not None
    rig.world.run_pipeline()
    await until(lambda: rig.world.announced)
    await rig.watch.look()
    assert rig.watch.unworked is None


async def test_events_that_are_worked_on_one_after_the_other(rig: Rig) -> None:
    for number in range(30):
        event_id = await rig.world.accept(stream_id=f"s{number}")
        await rig.looks(EVERY)
        await rig.world.ledger.announce(event_id, streamer="alice", payload=b"{}", destinations=())
        await rig.looks(EVERY)
    assert rig.watch.unworked is None


async def test_deliveries_that_were_taken_up_and_that_nobody_has(rig: Rig) -> None:
    """As a commit leaves them that came through though the disk said that it failed."""
    await rig.world.queue("main")
    await rig.world.ledger.claim(10, {}, 4)
    await rig.looks(STUCK_SECONDS + 2 * EVERY)
    assert set(rig.watch.overdue) == {SENDING}
    await rig.world.dispatcher.recover()
    await rig.watch.look()
    assert SENDING not in rig.watch.overdue
