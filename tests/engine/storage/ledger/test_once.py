"""Announcing: once per (destination, broadcaster, stream), in one transaction with the deliveries."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from itsjustintv_desktop.engine.storage.ledger import FEED, EventOutcome, Ledger, announcing
from tests.engine.storage.ledger.book import Book
from tests.support.clock import FakeClock


async def test_announcing_makes_a_delivery_a_destination_and_settles(
    ledger: Ledger, book: Book, clock: FakeClock
) -> None:
    event_id = await book.event()
    clock.advance(3)
    outcome = await ledger.announce(event_id, streamer="alice", payload=b'{"a":1}', destinations=["main", "other"])
    assert set(outcome.created) == {"main", "other"}
    assert (outcome.feed_only, outcome.anything) == (False, True)
    record = await ledger.event(event_id)
    assert record is not None
    assert (record.state, record.streamer, record.payload) == (EventState.ANNOUNCED, "alice", b'{"a":1}')
    assert record.settled_at == clock.now()
    assert await ledger.unfinished() == []
    views = await ledger.deliveries(event_id=event_id)
    assert {view.destination: view.id for view in views} == outcome.created
    assert {(view.state, view.attempts, view.next_at) for view in views} == {(DeliveryState.PENDING, 0, clock.now())}
    assert len({view.webhook_id for view in views}) == 2


async def test_a_stream_goes_to_a_destination_once_whatever_comes_again(ledger: Ledger, book: Book) -> None:
    first = await book.announced("main", stream_id="s")
    assert set(first) == {"main"}
    again = await book.event(stream_id="s")
    outcome = await ledger.announce(again, streamer="alice", payload=b"{}", destinations=["main"])
    assert not outcome.anything
    record = await ledger.event(again)
    assert record is not None
    assert (record.state, record.reason) == (EventState.SUPPRESSED, "already_announced")
    assert record.explanation


async def test_only_the_destinations_that_had_it_are_left_out(book: Book) -> None:
    await book.announced("main", stream_id="s")
    assert set(await book.announced("main", "new", stream_id="s")) == {"new"}
    assert set(await book.announced("main", "new", stream_id="t")) == {"main", "new"}
    assert set(await book.announced("main", "new", stream_id="s", broadcaster_id="200")) == {"main", "new"}


async def test_under_concurrency_exactly_one_wins(ledger: Ledger, book: Book) -> None:
    events = [await book.event(stream_id="s") for _ in range(20)]
    outcomes = await asyncio.gather(
        *(ledger.announce(each, streamer="alice", payload=b"{}", destinations=["a", "b"]) for each in events)
    )
    assert sorted(len(outcome.created) for outcome in outcomes) == [0] * 19 + [2]
    assert len(await ledger.deliveries()) == 2
    states = [record.state for record in await ledger.events()]
    assert states.count(EventState.ANNOUNCED) == 1
    assert states.count(EventState.SUPPRESSED) == 19


async def test_announcing_the_same_event_twice_changes_nothing(ledger: Ledger, book: Book) -> None:
    event_id = await book.event()
    first, second = await asyncio.gather(
        *(ledger.announce(event_id, streamer="alice", payload=b"{}", destinations=["main"]) for _ in range(2))
    )
    assert (first.anything, second.anything) == (True, False)
    record = await ledger.event(event_id)
    assert record is not None
    assert record.state is EventState.ANNOUNCED
    assert len(await ledger.feed(25)) == 1


async def test_without_a_destination_the_file_is_the_output_once(ledger: Ledger, book: Book) -> None:
    for expected in (True, False):
        event_id = await book.event(stream_id="s")
        outcome = await ledger.announce(event_id, streamer="alice", payload=b"{}", destinations=[])
        assert (outcome.feed_only, outcome.created) == (expected, {})
    assert await ledger.announced_to([(FEED, "100", "s"), ("main", "100", "s")]) == {(FEED, "100", "s")}


async def test_an_unknown_event_leaves_no_trace(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError):
        await ledger.announce(12345, streamer="alice", payload=b"{}", destinations=["main"])
    assert await ledger.announced_to([("main", "100", "s")]) == set()
    assert await ledger.deliveries() == []


async def test_announced_to_tells_many_at_once(ledger: Ledger, book: Book) -> None:
    for number in range(3):
        await book.announced("main", stream_id=f"s{number}")
    asked = [("main", "100", f"s{number}") for number in range(1000)] * 2
    assert await ledger.announced_to(asked) == {("main", "100", f"s{number}") for number in range(3)}
    assert await ledger.announced_to([]) == set()


async def test_a_suppressed_event_leaves_no_once_row_and_can_be_announced_later(ledger: Ledger, book: Book) -> None:
    event_id = await book.event(stream_id="s")
    why = EventOutcome(
        event_id=event_id, state=EventState.SUPPRESSED, reason="filtered", explanation="No tag.",
        streamer="alice", payload=b"{1}",
    )  # fmt: skip
    await ledger.settle([why])
    record = await ledger.event(event_id)
    assert record is not None
    assert (record.state, record.reason, record.explanation) == (EventState.SUPPRESSED, "filtered", "No tag.")
    assert record.payload == b"{1}"
    assert set(await book.announced("main", stream_id="s")) == {"main"}


async def test_one_sent_on_purpose_counts_its_age_from_now(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    event_id = await book.event()
    old = await book.event()
    clock.advance(86400)
    await ledger.announce(event_id, streamer="alice", payload=b"{}", destinations=["fresh"], fresh=True)
    await ledger.announce(old, streamer="alice", payload=b"{}", destinations=["old"])
    claimed = {each.destination: each for each in await book.claim()}
    assert (claimed["fresh"].born_at, claimed["fresh"].forced) == (clock.now(), True)
    assert (claimed["old"].born_at, claimed["old"].forced) == (clock.now() - 86400, False)


async def test_ids_only_grow_even_when_all_deliveries_are_gone(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    last = await book.ended(DeliveryState.DELIVERED)
    for _ in range(3):
        await ledger.settle(
            [EventOutcome(event_id=await book.event(), state=EventState.NOTED, reason="x", explanation="x")]
        )
    clock.advance(10)
    assert await ledger.purge(clock.now(), clock.now(), clock.now())
    assert await ledger.deliveries() == []
    assert await book.delivery() > last


async def test_a_page_of_look_ups_never_reads_the_whole_table(ledger: Ledger) -> None:
    streams = [("a", str(number), "s") for number in range(300)]
    seen: list[str] = []

    def work(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(seen.append)
        announcing.announced_to(connection, streams)
        connection.set_trace_callback(None)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {seen[0]}").fetchall()
        assert not [row for row in plan if "SCAN once" in row[3]], plan
        assert [row for row in plan if "SEARCH once" in row[3]], plan

    await ledger._writer.run(work)
