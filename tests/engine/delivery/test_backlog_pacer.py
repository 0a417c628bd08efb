"""What became due while the machine slept goes out in a trickle, and nothing else is held up by that."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.delivery.rate_limits import (
    BURST,
    LONGEST,
    MEAN_PAUSE,
    OVERDUE,
    SHORTEST,
    BacklogPacer,
)
from tests.support.builders import make_config, make_destination
from tests.support.clock import FakeClock
from tests.support.waiting import until
from tests.support.world import BUSY, SENT, World, opened_world

S = DeliveryState
HOURS = 3600.0


def drained(drain: BacklogPacer, clock: FakeClock, name: str, seconds: float) -> list[float]:
    """When each goes, in seconds from now, if as many are claimed as may."""
    began, sent = clock.monotonic(), list[float]()
    while clock.monotonic() - began < seconds:
        slots = {name: 4}
        drain.limit(slots)
        for _ in range(slots[name]):
            drain.sent(name)
            sent.append(clock.monotonic() - began)
        clock.advance(0.05)
    return sent


def test_the_first_go_at_once_and_the_others_after_pauses_that_differ() -> None:
    clock = FakeClock()
    drain = BacklogPacer(clock, random.Random(1).random)
    assert drain.begin({"main": clock.now() - 8 * HOURS}, clock.now()) == ["main"]
    sent = drained(drain, clock, "main", 15.0)
    assert sum(at < 0.2 for at in sent) == pytest.approx(BURST, abs=1)
    later = [at for at in sent if at > 1.0]
    assert len(later) == pytest.approx(14.0 / MEAN_PAUSE, rel=0.3)
    pauses = {round(b - a, 2) for a, b in pairwise(later)}
    assert len(pauses) > 3, "with jitter"


def test_it_ends_by_itself_for_each_at_a_moment_of_its_own() -> None:
    clock = FakeClock()
    drain = BacklogPacer(clock, random.Random(2).random)
    names = [f"d{number}" for number in range(20)]
    drain.begin(dict.fromkeys(names, clock.now() - HOURS), clock.now())
    clock.advance(SHORTEST - 0.1)
    assert drain.limit({}) is None
    assert set(drain.names) == set(names)
    clock.advance((LONGEST - SHORTEST) / 2)
    drain.limit({})
    assert 0 < len(drain.names) < len(names)
    clock.advance(LONGEST)
    slots = {"d1": 8}
    assert drain.limit(slots) is None
    assert (slots, list(drain.names)) == ({"d1": 8}, [])


def test_who_has_no_backlog_is_not_touched() -> None:
    clock = FakeClock()
    drain = BacklogPacer(clock, random.random)
    due = {"late": clock.now() - OVERDUE - 1, "fresh": clock.now() - OVERDUE + 1, "later": clock.now() + 30}
    assert drain.begin(due, clock.now()) == ["late"]
    slots = {"fresh": 3}
    drain.limit(slots)
    assert slots["fresh"] == 3


def test_a_blocked_destination_stays_blocked() -> None:
    clock = FakeClock()
    drain = BacklogPacer(clock, random.random)
    drain.begin({"main": 0.0}, clock.now())
    slots = {"main": 0}
    drain.limit(slots)
    assert slots == {"main": 0}


async def fifty_late(world: World) -> list[int]:
    """Fifty deliveries whose retries fell into a sleep of eight hours. They are still waiting."""
    world.sender.default = BUSY
    ids = [await world.one(stream_id=f"s{number}") for number in range(50)]
    world.run_dispatcher()
    for delivery_id in ids[:1]:
        await world.reached(delivery_id, S.PENDING, attempts=1)
    await until(lambda: world.dispatcher.under_way == 0 and world.clock.sleeping)
    world.sender.default = SENT
    world.sender.posts.clear()
    return ids


async def test_after_a_sleep_they_do_not_all_go_at_once(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        ids = await fifty_late(world)
        world.clock.jump(8 * HOURS)
        world.dispatcher.wake()
        await until(lambda: len(world.sender.posts) >= BURST)
        await until(lambda: world.dispatcher.under_way == 0 and world.clock.sleeping)
        assert len(world.sender.posts) <= BURST + 1
        # Another destination, and whatever is due there, does not wait for that.
        world.config = make_config(destinations=(make_destination(), make_destination("other")))
        other = await world.one("other", stream_id="new")
        await world.reached(other, S.DELIVERED)
        began = world.clock.monotonic()

        async def all_done() -> bool:
            return (await world.ledger.counts()).by_state == {"delivered": 51}

        await world.clock.run_until(all_done, step=0.2, most=LONGEST + 5)
        took = world.clock.monotonic() - began
        assert 3.0 < took < LONGEST + 5
        at = sorted({round(post.at, 1) for post in world.sender.to("main")})
        assert len(at) >= 10, "spread"
        for delivery_id in ids:
            assert world.changes(delivery_id).count(S.DELIVERED) == 1


async def test_after_a_kill_in_the_middle_nothing_is_lost_and_it_begins_again(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        ids = await fifty_late(world)
        world.clock.jump(8 * HOURS)
        world.dispatcher.wake()
        await until(lambda: len(world.sender.posts) >= BURST)
        await world.restart()
        world.run_dispatcher()
        await until(lambda: len(world.sender.posts) >= 2 * BURST)
        assert "main" in world.dispatcher.pacer.names
        await world.clock.run_until(lambda: len(world.sender.posts) >= len(ids), step=0.2, most=LONGEST + 5)
        for delivery_id in ids:
            await world.reached(delivery_id, S.DELIVERED)
        assert len({post.webhook_id for post in world.sender.posts}) == len(world.sender.posts) == len(ids)


async def test_a_restart_of_seconds_holds_nothing_up(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        ids = await fifty_late(world)
        await world.restart()
        world.clock.advance(40)
        world.run_dispatcher()
        for delivery_id in ids:
            await world.reached(delivery_id, S.DELIVERED)
        assert list(world.dispatcher.pacer.names) == []
