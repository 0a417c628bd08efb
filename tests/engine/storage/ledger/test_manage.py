"""A person's wishes: list, retry, drop, resend."""

from __future__ import annotations

from typing import Any

import pytest

from itsjustintv_desktop.engine.core.errors import NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import FINAL_STATES, DeliveryState
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.engine.storage.ledger.book import Book
from tests.support.clock import FakeClock

S = DeliveryState


@pytest.mark.parametrize("state", [S.PENDING, S.DEAD, S.EXPIRED, S.DROPPED])
async def test_retry_makes_it_due_at_once_with_the_same_id(
    ledger: Ledger, book: Book, clock: FakeClock, state: DeliveryState
) -> None:
    delivery_id = await book.ended(state)
    before = await ledger.delivery(delivery_id)
    clock.advance(100)
    view = await ledger.retry(delivery_id)
    assert (view.state, view.next_at, view.webhook_id) == (S.PENDING, clock.now(), before.webhook_id)
    claimed = await book.claimed(delivery_id)
    assert (claimed.forced, claimed.webhook_id) == (True, before.webhook_id)
    # The second wish is heard as well, and an attempt uses the wish up.
    await book.finish(claimed, S.DEAD)
    await ledger.retry(delivery_id)
    claimed = await book.claimed(delivery_id)
    assert claimed.forced
    await book.finish(claimed, S.PENDING, next_at=clock.now())
    assert not (await book.claimed(delivery_id)).forced


@pytest.mark.parametrize(
    ("wish", "state", "says"),
    [
        ("retry", S.DELIVERED, "resend"),
        ("retry", S.SENDING, "this very moment"),
        ("drop", S.SENDING, "this very moment"),
        ("drop", S.DELIVERED, "delivered already"),
        ("drop", S.DEAD, "dead already"),
        ("drop", S.EXPIRED, "expired already"),
        ("drop", S.DROPPED, "dropped already"),
        ("resend", S.PENDING, "retry"),
        ("resend", S.SENDING, "retry"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    ledger: Ledger, book: Book, wish: str, state: DeliveryState, says: str
) -> None:
    delivery_id = await book.ended(state)
    before = await ledger.deliveries()
    with pytest.raises(UsageError, match=says):
        await getattr(ledger, wish)(delivery_id)
    assert await ledger.deliveries() == before


@pytest.mark.parametrize("wish", ["retry", "drop", "resend", "delivery"])
async def test_an_unknown_delivery_is_not_found(ledger: Ledger, wish: str) -> None:
    with pytest.raises(NotFoundError, match="no delivery 77"):
        await getattr(ledger, wish)(77)


async def test_a_dropped_one_is_never_sent(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    delivery_id = await book.delivery()
    view = await ledger.drop(delivery_id)
    assert (view.state, view.next_at) == (S.DROPPED, None)
    clock.advance(1e6)
    assert await book.claim() == []


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
async def test_resend_is_a_delivery_of_its_own(ledger: Ledger, book: Book, state: DeliveryState) -> None:
    delivery_id = await book.ended(state)
    old = await ledger.delivery(delivery_id)
    new = await ledger.resend(delivery_id)
    assert new.id != old.id
    assert new.webhook_id != old.webhook_id
    assert (new.event_id, new.streamer, new.destination) == (old.event_id, old.streamer, old.destination)
    assert (new.state, new.attempts) == (S.PENDING, 0)
    assert await ledger.delivery(delivery_id) == old
    assert (await book.claimed(new.id)).forced


async def test_paging_walks_all_once_newest_first(ledger: Ledger, book: Book) -> None:
    ids = [await book.delivery() for _ in range(7)]
    seen: list[int] = []
    before: int | None = None
    while page := await ledger.deliveries(before=before, limit=3):
        assert len(page) <= 3
        seen += [view.id for view in page]
        before = page[-1].id
        if len(seen) == 3:
            await book.delivery()  # what comes meanwhile shifts nothing
    assert seen == ids[::-1]


async def test_a_page_has_200_at_most(ledger: Ledger, book: Book) -> None:
    await book.announced(*(f"d{number}" for number in range(250)))
    assert len(await ledger.deliveries(limit=100_000)) == 200


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"destination": "b"}, {"b"}),
        ({"streamer": "bob"}, {"c"}),
        ({"states": [S.DEAD, S.DROPPED]}, {"b"}),
        ({"states": [S.PENDING], "streamer": "alice"}, {"a"}),
        ({"destination": "nowhere"}, set()),
    ],
)
async def test_a_list_can_be_narrowed(ledger: Ledger, book: Book, choice: Any, expected: set[str]) -> None:
    await book.ended(S.DEAD, "b")
    await book.announced("c", streamer="bob")
    await book.delivery("a")
    assert {view.destination for view in await ledger.deliveries(**choice)} == expected


async def test_counts(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    empty = await ledger.counts()
    assert (empty.by_state, empty.oldest_due, empty.unfinished_events) == ({}, None, 0)
    for state in (S.DELIVERED, S.DELIVERED, S.DEAD, S.SENDING):
        await book.ended(state)
    since = clock.now()
    await book.delivery()
    clock.advance(5)
    await book.delivery()
    await book.event()
    counts = await ledger.counts()
    assert counts.by_state == {"delivered": 2, "dead": 1, "sending": 1, "pending": 2}
    assert (counts.oldest_due, counts.unfinished_events) == (since, 1)


async def test_small_things_are_kept(ledger: Ledger) -> None:
    await ledger.save_breaker("main", b"state")
    await ledger.save_breaker("other", b"state")
    await ledger.save_breaker("main", b"newer")
    await ledger.save_breaker("other", None)
    assert await ledger.load_breakers() == {"main": b"newer"}
    await ledger.save_profiles([("1", b"one"), ("2", b"two")])
    await ledger.save_profiles([("1", None)])
    assert await ledger.load_profiles() == {"2": b"two"}
    assert await ledger.meta("key") is None
    await ledger.set_meta("key", "value")
    await ledger.set_meta("key", "other")
    assert await ledger.meta("key") == "other"
