"""The feed's order, and forgetting in bites."""

from __future__ import annotations

import asyncio
import sqlite3

from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, Ledger
from itsjustintv_desktop.engine.storage.ledger.history import BITE
from tests.engine.storage.ledger.book import Book
from tests.support.clock import FakeClock

DAY = 86400.0


async def note(ledger: Ledger, event_id: int, state: EventState = EventState.NOTED) -> None:
    await ledger.settle([EventOutcome(event_id=event_id, state=state, reason="x", explanation="x")])


async def purge_all(ledger: Ledger, history: float, noted: float, once: float) -> int:
    total = 0
    while gone := await ledger.purge(history, noted, once):
        total += gone
    return total


async def test_the_feed_is_oldest_first_and_holds_the_announced_only(ledger: Ledger, book: Book) -> None:
    first = await book.announced("a", "b")
    await note(ledger, await book.event())
    await note(ledger, await book.event(), EventState.SUPPRESSED)
    await book.event()
    second = await book.announced("a")
    entries = await ledger.feed(25)
    assert [{each.id for each in entry.deliveries} for entry in entries] == [
        set(first.values()),
        set(second.values()),
    ]
    assert [entry.event_id for entry in entries] == sorted(entry.event_id for entry in entries)
    assert [entry.event_id for entry in await ledger.feed(1)] == [entries[1].event_id]
    assert [entry.event_id for entry in await ledger.feed(5, before=entries[1].event_id)] == [entries[0].event_id]


async def test_a_resend_stands_behind_the_first_in_its_entry(ledger: Ledger, book: Book) -> None:
    delivery_id = await book.ended(DeliveryState.DEAD)
    new = await ledger.resend(delivery_id)
    (entry,) = await ledger.feed(25)
    assert [each.id for each in entry.deliveries] == [delivery_id, new.id]


async def test_events_newest_first_whatever_became_of_them(ledger: Ledger, book: Book) -> None:
    ids = [await book.event() for _ in range(3)]
    await note(ledger, ids[1])
    records = await ledger.events()
    assert [record.id for record in records] == ids[::-1]
    assert [record.state.value for record in records] == ["accepted", "noted", "accepted"]
    assert [record.id for record in await ledger.events(limit=1, before=ids[2])] == [ids[1]]


async def test_purging_keeps_what_is_young_unfinished_or_the_newest(
    ledger: Ledger, book: Book, clock: FakeClock
) -> None:
    delivered = await book.ended(DeliveryState.DELIVERED, stream_id="old")
    waiting = await book.delivery("waiting", stream_id="waits")
    unfinished = await book.event()
    noted = await book.event()
    await note(ledger, noted)
    clock.advance(40 * DAY)
    young = await book.ended(DeliveryState.DELIVERED, "third")
    newest = await book.event()
    await note(ledger, newest)
    before = clock.now() - 30 * DAY
    assert await purge_all(ledger, before, before, before) > 0
    left = {record.id for record in await ledger.events()}
    kept = {view.id: view.event_id for view in await ledger.deliveries()}
    assert delivered not in kept
    assert set(kept) == {waiting, young}
    assert left == {*kept.values(), unfinished, newest}
    assert await ledger.attempts(delivered) == []
    # The newest stays however old it gets, so that its id is not given again.
    clock.advance(400 * DAY)
    await purge_all(ledger, clock.now(), clock.now(), clock.now())
    assert newest in {record.id for record in await ledger.events()}
    assert await book.event() > newest


async def test_one_settled_lately_is_history_however_old_its_event(
    ledger: Ledger, book: Book, clock: FakeClock
) -> None:
    delivery_id = await book.delivery()
    clock.advance(40 * DAY)
    await book.finish(await book.claimed(delivery_id), DeliveryState.DELIVERED)
    await book.event()
    assert await purge_all(ledger, clock.now() - 30 * DAY, 0, 0) == 0
    assert (await ledger.delivery(delivery_id)).state is DeliveryState.DELIVERED


async def test_noted_events_go_sooner_than_suppressed_ones(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    noted, suppressed = await book.event(), await book.event()
    await note(ledger, noted)
    await note(ledger, suppressed, EventState.SUPPRESSED)
    clock.advance(DAY)
    await book.event()
    await purge_all(ledger, clock.now() - 30 * DAY, clock.now() - 7200, 0)
    left = {record.id for record in await ledger.events()}
    assert noted not in left
    assert suppressed in left


async def test_a_stream_is_remembered_for_dedup_ttl_after_its_event_is_gone(
    ledger: Ledger, book: Book, clock: FakeClock
) -> None:
    await book.ended(DeliveryState.DELIVERED, stream_id="s")
    clock.advance(3 * DAY)
    await book.event()
    asked = [("main", "100", "s")]
    await purge_all(ledger, clock.now() - DAY, clock.now() - DAY, clock.now() - 5 * DAY)
    assert await ledger.deliveries() == []
    assert await ledger.announced_to(asked) == set(asked)
    clock.advance(3 * DAY)
    await purge_all(ledger, clock.now() - DAY, clock.now() - DAY, clock.now() - 5 * DAY)
    assert await ledger.announced_to(asked) == set()


async def test_forgetting_comes_in_bites_with_room_for_events_between(ledger: Ledger, book: Book) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700) "
            "INSERT INTO events(source, kind, received_at, broadcaster_id, broadcaster_login, broadcaster_name, "
            "stream_id, subscription_id, detail, test, state) "
            "SELECT 'twitch', 'stream.offline', 1.0, '', '', '', '', '', '', 0, 'noted' FROM n"
        )

    await ledger._writer.run(fill)
    bites: list[int] = []

    async def purge() -> None:
        while gone := await ledger.purge(1000, 1000, 0):
            bites.append(gone)

    task = asyncio.ensure_future(purge())
    accepted = 0
    while not task.done():
        await book.event()
        accepted += 1
    assert all(bite <= BITE for bite in bites)
    assert sum(bites) in {1699, 1700}  # the newest of them stayed if nothing newer came first
    assert accepted >= 3
