from __future__ import annotations

import asyncio
import sqlite3
from functools import partial

import pytest

from itsjustintv_desktop.engine.core.events import DestinationChanged, Notice
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.delivery import destination_queues, rate_limits
from itsjustintv_desktop.engine.delivery.dispatcher import LATE_SECONDS
from tests.support.builders import make_config, make_destination
from tests.support.waiting import until
from tests.support.world import BUSY, GONE, SENT, World

S = DeliveryState
DAY = 86400.0


# 410


async def paused(world: World) -> int:
    world.sender.script["main"] = [GONE]
    delivery_id = await world.one()
    await world.reached(delivery_id, S.PENDING, attempts=1)
    await until(lambda: world.events(Notice))
    return delivery_id


async def test_410_pauses_with_a_notice_and_nothing_is_lost(world: World) -> None:
    delivery_id = await paused(world)
    assert "main is paused" in world.events(Notice)[0].text
    assert world.events(DestinationChanged)[0].state == "paused"
    later = await world.one()
    other = await world.one("other")
    world.config = make_config(destinations=(make_destination(), make_destination("other")))
    await world.reached(other, S.DELIVERED, S.DEAD)
    for _ in range(5):
        world.clock.advance(1800)
        await world.waits_until_due()
    assert len(world.sender.to("main")) == 1
    assert {(await world.ledger.delivery(each)).state for each in (delivery_id, later)} == {S.PENDING}


async def test_a_pause_ends_by_the_persons_word(world: World) -> None:
    delivery_id, later = await paused(world), await world.one()
    await world.dispatcher.resume("main")
    await world.reached(later, S.DELIVERED)
    world.clock.advance(1800)
    await world.reached(delivery_id, S.DELIVERED)
    assert world.events(DestinationChanged)[-1].state == "closed"


async def test_a_pause_ends_with_another_address(world: World) -> None:
    await paused(world)
    later = await world.one()
    await world.waits_until_due()
    assert len(world.sender.posts) == 1
    world.config = make_config(destinations=(make_destination(url="https://new.example/hook"),))
    world.dispatcher.wake()
    await world.reached(later, S.DELIVERED)
    assert world.sender.posts[1].url == "https://new.example/hook"


async def test_a_pause_outlasts_a_restart_and_an_address_corrected_meanwhile_ends_it(world: World) -> None:
    await paused(world)
    later = await world.one()
    await until(lambda: world.changes(1) == [S.PENDING])
    await world.restart()
    world.run_dispatcher()
    await world.waits_until_due()
    assert len(world.sender.posts) == 1
    assert world.dispatcher.queues.states(world.clock.now())["main"][0] == "paused"
    await world.restart()
    world.config = make_config(destinations=(make_destination(url="https://new.example/hook"),))
    world.run_dispatcher()
    await world.reached(later, S.DELIVERED)


# The breaker


async def test_the_breaker_opens_probes_once_and_closes(world: World) -> None:
    world.sender.default = BUSY
    ids = [await world.one() for _ in range(30)]
    await world.clock.run_until(lambda: any(e.state == "open" for e in world.events(DestinationChanged)), step=5.0)
    tried = len(world.sender.posts)
    assert 10 <= tried < 30
    world.sender.default = SENT
    world.clock.advance(29)
    await world.waits_until_due()
    assert len(world.sender.posts) == tried
    world.sender.hanging.add("main")
    world.clock.advance(1)
    await until(lambda: len(world.sender.posts) > tried)
    await world.waits_until_due()
    assert world.sender.under_way["main"] == 1, "one probe"
    world.sender.hanging.clear()
    world.sender.ended.set()
    for each in ids:
        await world.clock.run_until(partial(world.is_delivered, each), step=5.0)
    assert world.events(DestinationChanged)[-1].state == "closed"


async def test_what_is_due_waits_no_longer_than_the_longest_pause_and_then_for_its_slot(world: World) -> None:
    """Down for hours, and hundreds come due: when it is well again, one answer is enough for all of them."""
    world.sender.default = BUSY
    first = [await world.one() for _ in range(12)]
    breaker = world.dispatcher.queues.queue("main").breaker
    await world.clock.run_until(lambda: breaker.snapshot().openings == 8, step=30.0)

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
            "INSERT INTO deliveries(webhook_id, event_id, streamer, destination, next_at, born_at, created_at) "
            "SELECT 'w' || i, 1, 'alice', 'main', ?, ?, ? FROM n",
            (world.clock.now(),) * 3,
        )

    await world.ledger._writer.run(fill)
    world.sender.default = SENT
    # In steps: after a gap of the clock a backlog would go out bit by bit.
    await world.clock.run_until(lambda: breaker.snapshot().name == "closed", step=10.0, most=300.0)

    async def all_sent() -> bool:
        return (await world.ledger.counts()).by_state.get("delivered", 0) >= 300

    await until(all_sent, what="all are sent, and no clock moved")
    for each in first:
        await world.clock.run_until(partial(world.is_delivered, each), step=30.0)


async def test_an_open_breaker_is_kept_across_a_restart(world: World) -> None:
    world.sender.default = BUSY
    for _ in range(12):
        await world.one()
    await world.clock.run_until(lambda: any(e.state == "open" for e in world.events(DestinationChanged)), step=5.0)

    async def kept() -> bool:
        return b'"open"' in (await world.ledger.load_breakers()).get("main", b"")

    await until(kept)
    await world.restart()
    tried = len(world.sender.posts)
    world.sender.default = SENT
    world.run_dispatcher()
    fresh = await world.one()
    await world.waits_until_due()
    assert len(world.sender.posts) == tried
    world.clock.advance(30)
    await world.reached(fresh, S.DELIVERED)


async def _outage(world: World, late: int) -> list[int]:
    """Its breaker is open; so many wait that are late by now. Then it is well again."""
    world.sender.default = BUSY
    for _ in range(12):
        await world.one()
    await world.clock.run_until(lambda: any(e.state == "open" for e in world.events(DestinationChanged)), step=5.0)
    ids = [await world.one() for _ in range(late)]
    world.clock.advance(LATE_SECONDS + 60)
    await world.waits_until_due()
    world.sender.default = SENT
    return ids


async def test_after_an_outage_what_is_over_does_not_hold_up_what_is_new(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = now = 0

    async def is_over(*_: object, **__: object) -> bool:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)  # what a question to Twitch takes
        now -= 1
        return False

    monkeypatch.setattr(world.enricher, "is_live", is_over)
    ids = await _outage(world, 200)
    fresh = await world.one()
    await world.clock.run_until(partial(world.is_delivered, fresh), step=5.0)
    for each in ids:
        await world.reached(each, S.EXPIRED)
    assert most > destination_queues.WIDEST, "one call to Twitch answers for many"
    assert most <= destination_queues.MOST_LOOKS


async def test_one_probe_goes_however_many_were_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    over, asked, asking = set[str](), 0, 0

    async def is_live(_broadcaster: str, stream_id: str, **_: object) -> bool:
        nonlocal asked, asking
        asked, asking = asked + 1, asking + 1
        await asyncio.sleep(0.005)
        asking -= 1
        return stream_id not in over

    monkeypatch.setattr(world.enricher, "is_live", is_live)
    world.sender.default = BUSY
    for number in range(12):
        over.add(f"first-{number}")
        await world.queue("main", stream_id=f"first-{number}")
    await world.clock.run_until(lambda: any(e.state == "open" for e in world.events(DestinationChanged)), step=5.0)
    for number in range(60):
        over.add(f"over-{number}")
        await world.queue("main", stream_id=f"over-{number}")
    running = [await world.one(stream_id=f"runs-{number}") for number in range(40)]
    world.sender.hanging.add("main")
    tried = len(world.sender.posts)
    world.clock.advance(LATE_SECONDS + 60)
    await world.clock.run_until(lambda: len(world.sender.posts) > tried, step=5.0)
    await until(lambda: not asking, what="all that were looked at have their answer")
    await world.waits_until_due()
    assert asked > 60
    assert world.sender.under_way["main"] == 1, "one probe"
    world.sender.default = SENT
    world.sender.hanging.clear()
    world.sender.ended.set()
    for each in running:
        await world.clock.run_until(partial(world.is_delivered, each), step=5.0)
    taken = [post.webhook_id for post in world.sender.posts[tried:]]
    assert len(taken) == len(set(taken)), "none is sent twice"


# Slots


@pytest.mark.fault(
    "destinations: one hangs for ever with hundreds waiting",
    seen="Nothing at the others: they get theirs at once",
)
async def test_one_dead_destination_never_starves_the_others(world: World) -> None:
    world.config = make_config(destinations=(make_destination(), make_destination("dead")))
    world.sender.hanging.add("dead")
    for _ in range(300):
        await world.queue("dead")
    ids = [await world.one() for _ in range(40)]
    for each in ids:
        await world.reached(each, S.DELIVERED)
    assert world.sender.under_way["dead"] == rate_limits.FIRST_WIDTH


async def test_many_failing_destinations_leave_room_for_the_rest(world: World) -> None:
    names = [f"dead{number}" for number in range(150)]
    world.config = make_config(destinations=(make_destination(), *map(make_destination, names)))
    for name in names:
        world.sender.script[name] = [BUSY]
    first = [(await world.queue(name))[name] for name in names]
    for each in first:
        await world.reached(each, S.PENDING, attempts=1)
    world.sender.hanging.update(names)
    world.clock.advance(30)
    await until(lambda: sum(world.sender.under_way[name] for name in names) >= destination_queues.FAILING_TOTAL)
    ids = [await world.one() for _ in range(20)]
    for each in ids:
        await world.reached(each, S.DELIVERED)
    assert sum(world.sender.under_way[name] for name in names) == destination_queues.FAILING_TOTAL
    # And each of the failing gets its turn in the end.
    world.sender.hanging.clear()
    world.sender.ended.set()
    for each in first:
        await world.reached(each, S.DELIVERED)


@pytest.mark.parametrize("whom", ["this destination", "everything"])
async def test_a_pause_reaches_what_is_still_asked_about(world: World, whom: str) -> None:
    """Claimed before it, not posted before it: ten seconds may lie between, and nothing shall go out after a pause."""
    answered, paused = asyncio.Event(), False

    async def is_live(broadcaster_id: str, stream_id: str, *, timeout: float) -> bool | None:
        world.enricher.asked_live.append((broadcaster_id, stream_id))
        await answered.wait()
        return None

    world.enricher.is_live = is_live  # type: ignore[method-assign]
    world.dispatcher._paused = lambda: paused
    made = await world.queue("main", received_at=world.clock.now() - LATE_SECONDS - 1)
    await until(lambda: world.enricher.asked_live)
    if whom == "everything":
        paused = True
    else:
        await world.dispatcher.pause("main", "not now")
    answered.set()
    await world.reached(made["main"], DeliveryState.PENDING, attempts=0)
    assert world.sender.posts == []
    paused = False
    await world.dispatcher.resume("main")
    await world.reached(made["main"], DeliveryState.DELIVERED)
    assert len(world.sender.posts) == 1
