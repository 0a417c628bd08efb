from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.schema import Cache, Retry
from itsjustintv_desktop.engine.core.clock_trust import STEADY_SECONDS
from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from itsjustintv_desktop.engine.runtime.maintenance import EVERY, PURGE_EVERY, Maintenance
from itsjustintv_desktop.engine.storage.ledger import EventOutcome
from tests.engine.storage.ledger.book import FAILED, SENT, Book, raw
from tests.support.builders import make_config, make_destination
from tests.support.waiting import until
from tests.support.world import World, opened_world

S = DeliveryState
DAY = 86400.0


class House:
    def __init__(self, world: World) -> None:
        self.world = world
        self.book = Book(world.ledger, world.clock)
        self.image_purges = 0
        self.keeping = Maintenance(
            world.ledger,
            world.dispatcher,
            config=world.holder,
            clock=world.clock,
            purge_images=self.purge_images,
            clock_doubtful=lambda: world.wall_clock.doubtful,
        )
        self.keeping.changed.connect(world._on_outcome)

    async def purge_images(self) -> None:
        self.image_purges += 1

    async def state(self, delivery_id: int) -> DeliveryState:
        return (await self.world.ledger.delivery(delivery_id)).state


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened_world(tmp_path) as world:
        yield House(world)


async def test_it_gives_up_what_waits_for_a_destination_that_never_answers(house: House) -> None:
    world = house.world
    world.config = make_config(destinations=(make_destination(enabled=False),), retry=Retry(max_age=3600.0))
    old = await house.book.delivery()
    world.clock.advance(3000)
    young = await house.book.delivery()
    await house.keeping.tidy()
    assert {await house.state(each) for each in (old, young)} == {S.PENDING}
    world.clock.advance(601)
    await house.keeping.tidy()
    assert (await house.state(old), await house.state(young)) == (S.DEAD, S.PENDING)
    assert "max_age" in ((await world.ledger.delivery(old)).last_error or "")
    assert world.outcomes == 1
    await house.keeping.tidy()
    assert world.outcomes == 1


async def test_what_a_person_forced_is_not_given_up(house: House) -> None:
    delivery_id = await house.book.delivery()
    house.world.clock.advance(2 * DAY)
    await house.world.ledger.retry(delivery_id)
    await house.keeping.tidy()
    assert await house.state(delivery_id) is S.PENDING


async def test_a_removed_destinations_deliveries_are_buried_all_of_them(house: House) -> None:
    world = house.world
    world.config = make_config(destinations=(make_destination(), make_destination("gone")))
    kept = await house.book.delivery()

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
            "INSERT INTO deliveries(webhook_id, event_id, streamer, destination, next_at, born_at, created_at) "
            "SELECT 'w' || i, 1, 'alice', 'gone', ?, ?, ? FROM n",
            (world.clock.now(),) * 3,
        )

    await world.ledger._writer.run(fill)
    await house.keeping.tidy()
    assert (await world.ledger.counts()).by_state == {"pending": 1201}
    world.config = make_config()
    await house.keeping.tidy()
    assert (await world.ledger.counts()).by_state == {"pending": 1, "dead": 1200}
    assert await house.state(kept) is S.PENDING
    assert "removed" in ((await world.ledger.deliveries(limit=1))[0].last_error or "")
    assert world.outcomes == 1


async def test_the_breaker_of_a_removed_destination_is_forgotten_after_an_hour(house: House) -> None:
    world = house.world
    world.config = make_config(
        destinations=(make_destination(), make_destination("gone"), make_destination("busy"), make_destination("back"))
    )
    for name in ("main", "gone", "busy", "back"):
        await world.dispatcher.pause(name, "for this test")
    world.config = make_config()
    world.dispatcher.queues.begin("busy", world.clock.now())
    await house.keeping.tidy()
    assert set(await world.ledger.load_breakers()) == {"main", "gone", "busy", "back"}, "it may be in a rename"
    world.config = make_config(destinations=(make_destination(), make_destination("back")))
    world.clock.advance(PURGE_EVERY)
    await house.keeping.tidy()
    assert set(await world.ledger.load_breakers()) == {"main", "busy", "back"}
    assert "gone" not in world.dispatcher.queues.states(world.clock.now())
    assert world.dispatcher.queues.paused_by_hand("back")
    world.dispatcher.queues.end("busy", None, world.clock.now())
    for _ in range(2):
        world.clock.advance(PURGE_EVERY)
        await house.keeping.tidy()
    assert set(await world.ledger.load_breakers()) == {"main", "back"}
    await world.restart()
    await world.dispatcher.recover()
    assert set(world.dispatcher.queues.states(world.clock.now())) == {"main", "back"}


async def test_due_times_beyond_the_longest_pause_are_corrected(house: House) -> None:
    world = house.world
    delivery_id = await house.book.delivery()
    claimed = await house.book.claimed(delivery_id)
    await house.book.finish(claimed, S.PENDING, FAILED, next_at=world.clock.now() + 1800)
    world.clock.jump(-300 * DAY)
    await house.keeping.tidy()
    due = (await world.ledger.delivery(delivery_id)).next_at
    assert due is not None
    assert 1800 * 0.8 <= due - world.clock.now() <= 1800 * 1.2, "as after a failure: a longest pause, with jitter"


async def test_history_is_forgotten_once_an_hour(house: House) -> None:
    world = house.world
    world.config = make_config(cache=Cache(history=10 * DAY, dedup_ttl=20 * DAY))
    delivered = await house.book.delivery(stream_id="s")
    await house.book.finish(await house.book.claimed(delivered), S.DELIVERED, SENT)
    noted = await house.book.event(kind="stream.offline")
    await world.ledger.settle(
        [EventOutcome(event_id=noted, state=EventState.NOTED, reason="nothing_to_announce", explanation="x")]
    )
    await house.book.event()
    await house.keeping.tidy()
    assert house.image_purges == 1
    world.clock.advance(11 * DAY)
    await house.book.event()
    await house.keeping.tidy()
    assert house.image_purges == 2
    assert {record.state for record in await world.ledger.events()} == {EventState.ACCEPTED}
    assert await world.ledger.deliveries() == []
    # The stream is still known: dedup_ttl is longer than the history here.
    asked = [("main", "100", "s")]
    assert await world.ledger.announced_to(asked) == set(asked)
    world.clock.advance(PURGE_EVERY - 1)
    await house.keeping.tidy()
    assert house.image_purges == 2
    world.clock.advance(10 * DAY)
    await house.keeping.tidy()
    assert await world.ledger.announced_to(asked) == set()


async def test_noted_messages_are_kept_for_the_replay_window_at_least(house: House) -> None:
    world = house.world
    world.config = make_config(cache=Cache(dedup_ttl=1.0))
    noted = await house.book.event(kind="stream.offline", message_id="m")
    await world.ledger.settle([EventOutcome(event_id=noted, state=EventState.NOTED, reason="x", explanation="x")])
    await house.book.event()
    world.clock.advance(1800)
    await house.keeping.tidy()
    assert await world.ledger.events_of_message("twitch", "m")
    world.clock.advance(PURGE_EVERY)
    await house.keeping.tidy()
    assert not await world.ledger.events_of_message("twitch", "m")


@pytest.mark.expected_errors("cannot be written")
async def test_it_comes_round_every_minute_and_outlives_a_failing_ledger(house: House) -> None:
    world = house.world
    world.config = make_config(retry=Retry(max_age=3600.0))
    delivery_id = await house.book.delivery()
    world.clock.advance(7200)
    world.tasks.start("housekeeping", house.keeping.run())
    await until(lambda: world.clock.sleeping == [EVERY])
    with raw(world.path) as other:
        other.execute("BEGIN IMMEDIATE")
        world.clock.advance(EVERY)
        await until(lambda: world.ledger.failure)
        await until(lambda: world.clock.sleeping == [EVERY])
        other.execute("ROLLBACK")
    assert await house.state(delivery_id) is S.PENDING
    world.clock.advance(EVERY)
    await world.reached(delivery_id, S.DEAD)


async def test_a_clock_a_year_ahead_gives_nothing_up_and_forgets_nothing(house: House) -> None:
    world = house.world
    world.run_pipeline()
    await world.settle(stream_id="s1", message_id="first")
    waiting = (await world.ledger.deliveries())[0].id
    await world.accept(stream_id="s2", message_id="second")
    assert not world.wall_clock.doubtful
    world.clock.jump(365 * DAY)
    await house.keeping.tidy()
    world.clock.jump(-365 * DAY)
    await house.keeping.tidy()
    assert await house.state(waiting) is S.PENDING
    again = await world.settle(stream_id="s1", message_id="third")
    assert (again.state, again.reason) == (EventState.SUPPRESSED, "already_announced")


async def test_a_clock_that_stands_steady_is_believed_again(house: House) -> None:
    world = house.world
    world.config = make_config(destinations=(make_destination(enabled=False),))
    old = await house.book.delivery()
    world.clock.jump(2 * DAY)  # as a sleep over the weekend looks
    await house.keeping.tidy()
    assert await house.state(old) is S.PENDING
    world.clock.advance(STEADY_SECONDS + 1)
    await house.keeping.tidy()
    assert await house.state(old) is S.DEAD


async def test_a_revocation_is_kept_as_long_as_the_history(house: House) -> None:
    world = house.world
    world.run_pipeline()
    revoked = await world.accept(kind="revocation", detail="user_removed", stream_id="", broadcaster_id="")
    noted = await world.accept(kind="stream.offline", stream_id="")
    await world.settled(noted)
    world.clock.advance(3 * 3600)
    await world.settle()
    await house.keeping.tidy()
    assert await world.ledger.event(noted) is None
    kept = await world.ledger.event(revoked)
    assert kept is not None
    assert kept.reason == "revoked"


async def test_streams_of_the_go_service_are_forgotten_in_their_time(house: House) -> None:
    ledger, now = house.world.ledger, house.world.clock.now()
    await ledger.keep_told([(number.to_bytes(32, "big"), now + 60) for number in range(1200)])
    await ledger.keep_told([(b"\xff" * 32, now + 2 * PURGE_EVERY)])
    house.world.clock.advance(61)
    await house.keeping.tidy()
    assert await ledger.told([b"\0" * 32, b"\xff" * 32]) == {b"\xff" * 32}
    house.world.clock.advance(2 * PURGE_EVERY)
    await house.keeping.tidy()
    assert not await ledger.has_told()
