from __future__ import annotations

import sqlite3
from pathlib import Path

from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.storage.ledger import Finish, Ledger, claiming
from tests.engine.storage.ledger.book import FAILED, SENT, Book, raw
from tests.support.clock import FakeClock


async def test_a_claim_holds_all_that_an_attempt_needs(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    event_id = await book.event(broadcaster_id="7", stream_id="s", source="kick", test=True)
    await ledger.announce(event_id, streamer="alice", payload=b'{"x":1}', destinations=["main"])
    (view,) = await ledger.deliveries()
    born = clock.now()
    clock.advance(5)
    (claimed,) = (await ledger.claim(10, {}, 4)).deliveries
    assert (claimed.id, claimed.webhook_id, claimed.event_id) == (view.id, view.webhook_id, event_id)
    assert (claimed.streamer, claimed.destination, claimed.attempt) == ("alice", "main", 1)
    assert (claimed.source, claimed.broadcaster_id, claimed.stream_id) == ("kick", "7", "s")
    assert (claimed.test, claimed.forced, claimed.born_at, claimed.payload) == (True, True, born, b'{"x":1}')
    view = await ledger.delivery(view.id)
    assert (view.state, view.attempts) == (DeliveryState.SENDING, 1)
    assert (await ledger.claim(10, {}, 4)).deliveries == ()


async def test_what_is_no_test_is_none(ledger: Ledger, book: Book) -> None:
    claimed = await book.claimed(await book.delivery(stream_id="s"))
    assert (claimed.test, claimed.stream_id) == (False, "s")


async def test_the_oldest_due_goes_first(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    ids = []
    for destination in ("b", "a", "c", "a", "b"):
        ids.append(await book.delivery(destination))
        clock.advance(1)
    first = (await ledger.claim(2, {}, 1)).deliveries
    assert [each.id for each in first] == ids[:2]
    second = (await ledger.claim(100, {}, 1)).deliveries
    assert [each.id for each in second] == ids[2:]


async def test_slots_bound_each_destination_and_zero_blocks_it(ledger: Ledger, book: Book) -> None:
    for destination in ("dead", "slow", "main"):
        for _ in range(6):
            await book.delivery(destination)
    assert (await ledger.claim(100, dict.fromkeys(("dead", "slow", "main"), -1), 4)).deliveries == ()
    batch = await ledger.claim(100, {"dead": 0, "slow": 2}, 4)
    taken = [each.destination for each in batch.deliveries]
    assert {name: taken.count(name) for name in ("dead", "slow", "main")} == {"dead": 0, "slow": 2, "main": 4}


async def test_all_together_get_no_more_than_the_places(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    for destination in ("a", "b", "c"):
        for _ in range(4):
            await book.delivery(destination)
        clock.advance(1)
    taken = [each.destination for each in (await ledger.claim(5, {}, 3)).deliveries]
    assert taken == ["a", "a", "a", "b", "b"]
    taken = [each.destination for each in (await ledger.claim(3, {"a": 0}, 3)).deliveries]
    assert taken == ["b", "b", "c"]


async def test_the_failing_share_their_places(ledger: Ledger, book: Book) -> None:
    names = [f"dead{number}" for number in range(10)]
    for name in names:
        await book.delivery(name)
        await book.delivery(name)
    await book.delivery("main")
    batch = await ledger.claim(100, dict.fromkeys(names, 1), 4, failing=names, failing_limit=3)
    taken = [each.destination for each in batch.deliveries]
    assert taken.count("main") == 1
    assert len(taken) == 4
    # Whose turn it was not comes next: the oldest due first, none of them twice.
    more = await ledger.claim(100, dict.fromkeys(names, 1), 4, failing=names, failing_limit=0)
    assert more.deliveries == ()
    rest = await ledger.claim(100, {**dict.fromkeys(names, 1), **dict.fromkeys(taken, 0)}, 4, failing=names,
                              failing_limit=7)  # fmt: skip
    assert {each.destination for each in rest.deliveries} == set(names) - set(taken)


async def test_one_that_waits_for_a_failing_one_to_end_sets_no_alarm(
    ledger: Ledger, book: Book, clock: FakeClock
) -> None:
    claimed = await book.claimed(await book.delivery("dead"))
    await book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=clock.now() + 60)
    await book.delivery("dead")
    for _ in range(2):
        batch = await ledger.claim(10, {}, 4, failing=["dead"], failing_limit=0)
        assert (batch.deliveries, batch.next_due) == ((), None)
        clock.advance(1)
    batch = await ledger.claim(10, {}, 4, failing=["dead"], failing_limit=1)
    assert (len(batch.deliveries), batch.next_due) == (1, clock.now() + 58)


async def test_next_due_is_the_next_alarm(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    assert (await ledger.claim(10, {}, 4)).next_due is None
    now = clock.now()
    for destination, delay in (("a", 60.0), ("b", 30.0), ("blocked", 5.0)):
        claimed = await book.claimed(await book.delivery(destination))
        await book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=now + delay)
    assert (await ledger.claim(10, {"blocked": 0}, 4)).next_due == now + 30
    clock.advance(30)
    batch = await ledger.claim(10, {"blocked": 0}, 4)
    assert [each.destination for each in batch.deliveries] == ["b"]
    assert batch.next_due == now + 60
    # One of several: what comes later of the same destination counts as well.
    claimed = await book.claimed(await book.delivery("a"))
    await book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=now + 45)
    assert (await ledger.claim(10, {"blocked": 0}, 4)).next_due == now + 45


async def test_with_places_used_up_next_due_lies_in_the_past(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    await book.delivery("a")
    await book.delivery("b")
    clock.advance(1)
    batch = await ledger.claim(1, {}, 4)
    assert len(batch.deliveries) == 1
    assert batch.next_due is not None
    assert batch.next_due < clock.now()


async def test_finishing(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    delivery_id = await book.delivery()
    claimed = await book.claimed(delivery_id)
    clock.advance(1)
    await book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=clock.now() + 30)
    view = await ledger.delivery(delivery_id)
    assert (view.state, view.attempts, view.next_at) == (DeliveryState.PENDING, 1, clock.now() + 30)
    assert (view.last_status, view.last_error) == (503, "answered 503")
    clock.advance(30)
    claimed = await book.claimed(delivery_id)
    assert claimed.attempt == 2
    assert claimed.webhook_id == view.webhook_id
    await book.finish(claimed, DeliveryState.DELIVERED)
    view = await ledger.delivery(delivery_id)
    assert (view.state, view.attempts, view.next_at) == (DeliveryState.DELIVERED, 2, None)
    assert (view.last_status, view.last_error) == (204, None)
    kept = await ledger.attempts(delivery_id)
    assert [(at, each.status, each.error, each.answer, each.duration) for at, each in kept] == [
        (claimed.born_at, 503, "answered 503", "busy", 0.25),
        (clock.now(), 204, None, "", 0.5),
    ]
    assert [each.outcome for _, each in kept] == [Outcome.RETRY, Outcome.DELIVERED]


async def test_an_attempt_that_was_not_made_is_taken_back(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    delivery_id = await book.delivery()
    claimed = await book.claimed(delivery_id)
    await book.finish(claimed, DeliveryState.PENDING, None, next_at=clock.now(), reason="The keyring is locked.")
    view = await ledger.delivery(delivery_id)
    assert (view.attempts, view.last_error, view.last_status) == (0, "The keyring is locked.", None)
    assert await ledger.attempts(delivery_id) == []
    assert (await book.claimed(delivery_id)).attempt == 1


async def test_only_what_is_being_sent_can_be_finished(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    delivery_id = await book.delivery()
    claimed = await book.claimed(delivery_id)
    await book.finish(claimed, DeliveryState.DELIVERED)
    before = (await ledger.delivery(delivery_id), await ledger.attempts(delivery_id))
    clock.advance(60)
    for state, result in (
        (DeliveryState.PENDING, FAILED),
        (DeliveryState.DEAD, None),
        (DeliveryState.DELIVERED, AttemptResult(outcome=Outcome.DELIVERED, status=200)),
    ):
        await book.finish(claimed, state, result, next_at=clock.now())
        assert (await ledger.delivery(delivery_id), await ledger.attempts(delivery_id)) == before
    await ledger.finish([Finish(id=999, attempt=1, state=DeliveryState.DELIVERED, result=SENT)])
    assert await book.claim() == []


async def test_recover_makes_interrupted_attempts_due_with_the_same_id(
    ledger: Ledger, book: Book, clock: FakeClock
) -> None:
    interrupted = [await book.delivery() for _ in range(3)]
    taken = {each.id: each.webhook_id for each in await book.claim()}
    later = await book.delivery("other")
    claimed = await book.claimed(later)
    await book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=clock.now() + 10)
    done = await book.ended(DeliveryState.DELIVERED, "third")
    clock.advance(5)
    assert await ledger.recover(clock.now() + 2160) == 3
    for delivery_id in interrupted:
        view = await ledger.delivery(delivery_id)
        assert (view.state, view.attempts, view.next_at) == (DeliveryState.PENDING, 1, clock.now())
        assert "ended" in (view.last_error or "")
    assert (await ledger.delivery(later)).next_at == clock.now() + 5
    assert (await ledger.delivery(done)).state is DeliveryState.DELIVERED
    again = await book.claim()
    assert {each.id: each.webhook_id for each in again} == taken
    assert {each.attempt for each in again} == {2}
    (_, lost), *_ = await ledger.attempts(interrupted[0])
    assert "ended" in (lost.error or "")


async def test_due_times_from_a_wrong_clock_are_capped(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    far, near = await book.delivery("a"), await book.delivery("b")
    for delivery_id, delay in ((far, 365 * 86400.0), (near, 60.0)):
        claimed = await book.claimed(delivery_id)
        await book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=clock.now() + delay)
    latest = clock.now() + 2160
    assert await ledger.cap_due(latest) == 1
    assert (await ledger.delivery(far)).next_at == latest
    assert (await ledger.delivery(near)).next_at == clock.now() + 60
    assert await ledger.cap_due(latest) == 0


async def test_due_times_of_several_destinations_are_capped_in_bites(ledger: Ledger) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        _queue(connection, {"a": 300, "b": 300, "c": 300})  # due at 900

    await ledger._writer.run(fill)
    assert [await ledger.cap_due(100.0) for _ in range(3)] == [500, 400, 0]


async def test_giving_up_takes_the_old_ones_in_bites(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    old = await book.delivery("a")
    claimed = await book.claimed(old)
    await book.finish(claimed, DeliveryState.PENDING, FAILED, next_at=clock.now() + 999999)
    untried = await book.delivery("b")
    forced, forgotten = await book.delivery("c"), await book.delivery("e")
    await ledger.retry(forgotten)
    clock.advance(100)
    await ledger.retry(forced)
    young = await book.delivery("d")
    assert await ledger.give_up(clock.now() - 50, "Too old.") == 3
    assert await ledger.give_up(clock.now() - 50, "Too old.") == 0
    view = await ledger.delivery(old)
    assert (view.state, view.next_at) == (DeliveryState.DEAD, None)
    assert view.last_error == "Too old. Last: answered 503"
    assert (await ledger.delivery(untried)).last_error == "Too old."
    assert (await ledger.delivery(forgotten)).state is DeliveryState.DEAD  # asked for long ago, and never sent
    assert [(await ledger.delivery(each)).state for each in (forced, young)] == [DeliveryState.PENDING] * 2


async def test_burying_takes_one_destination(ledger: Ledger, book: Book) -> None:
    gone, kept, sent = await book.delivery("gone"), await book.delivery("kept"), await book.delivery("gone")
    assert len(await book.claim(1, kept=0)) == 1
    assert await ledger.fail_removed("gone", "It was removed.") == 1
    assert (await ledger.delivery(kept)).state is DeliveryState.PENDING
    states = {(await ledger.delivery(each)).state for each in (gone, sent)}
    assert states == {DeliveryState.DEAD, DeliveryState.SENDING}
    assert [name for name, _ in await ledger.waiting_destinations()] == ["kept"]


async def test_large_purges_and_burials_are_cut_into_bites(ledger: Ledger, clock: FakeClock) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        _queue(connection, {"gone": 1200})

    def fill_ahead(connection: sqlite3.Connection) -> None:
        fill(connection)
        connection.execute("UPDATE deliveries SET born_at = ? WHERE state = 'pending'", (clock.now() + 9e6,))

    await ledger._writer.run(fill)
    assert [await ledger.fail_removed("gone", "x") for _ in range(4)] == [500, 500, 200, 0]
    await ledger._writer.run(fill)
    assert [await ledger.give_up(10.0, "Too old.") for _ in range(4)] == [500, 500, 200, 0]
    await ledger._writer.run(fill_ahead)
    assert [await ledger.clamp_created_at(clock.now() + 60.0) for _ in range(4)] == [500, 500, 200, 0]


async def test_the_cost_of_a_claim_follows_destinations_not_the_queue(ledger: Ledger, path: Path) -> None:
    """SQLite's own instruction count: a hundredfold queue must not make a claim dearer."""

    async def steps(queue: dict[str, int]) -> int:
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        def job(connection: sqlite3.Connection) -> None:
            _queue(connection, queue)
            connection.set_progress_handler(count, 10)
            # The first is blocked, so it must be hopped over; nothing else is due yet but one.
            claiming.claim(connection, 1000.0, 8, {"blocked": 0}, 4)
            connection.set_progress_handler(None, 0)

        await ledger._writer.run(job)
        return counted

    small = await steps({"blocked": 100, "main": 100, "other": 3})
    large = await steps({"blocked": 20000, "main": 10000, "other": 3})
    assert large < small * 2, (small, large)
    assert small > 5
    with raw(path) as other:
        for query, values in ((claiming._HEADS, ()), (claiming._TAKE, ("main", 1000.0, 4))):
            plan = [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {query}", values)]
            on_deliveries = [line for line in plan if "deliveries" in line or line.startswith("SEARCH d")]
            assert on_deliveries
            assert all(line.startswith("SEARCH") and "deliveries_due" in line for line in on_deliveries), plan


def _queue(connection: sqlite3.Connection, queue: dict[str, int]) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO events(id, source, kind, received_at, broadcaster_id, broadcaster_login, "
        "broadcaster_name, stream_id, subscription_id, detail, test, state, payload) "
        "VALUES (1, 'twitch', 'stream.online', 0, '', '', '', '', '', '', 0, 'announced', x'7b7d')"
    )
    for name, count in queue.items():
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO deliveries(webhook_id, event_id, streamer, destination, next_at, born_at, created_at) "
            "SELECT lower(hex(randomblob(16))), 1, 'alice', ?, 900.0, 0, 0 FROM n",
            (count, name),
        )


async def test_recover_leaves_attempts_that_had_ended_as_they_were(
    ledger: Ledger, book: Book, clock: FakeClock
) -> None:
    failed, resent = await book.delivery(), await book.ended(DeliveryState.DELIVERED, "other")
    await book.finish(await book.claimed(failed), DeliveryState.PENDING, FAILED, next_at=clock.now())
    await ledger.resend(resent)
    assert {each.attempt for each in await book.claim()} == {2, 1}
    before = [record for each in (failed, resent) for _, record in await ledger.attempts(each) if record.duration]
    assert before
    assert await ledger.recover(clock.now() + 2160) == 2
    found = [record for each in (failed, resent) for _, record in await ledger.attempts(each)]
    assert [record for record in found if record.duration] == before
    assert any("ended" in (record.error or "") for record in found)
    (first,) = [record for record in before if record.error]
    assert first.error == FAILED.error
