"""What happened last: each destination's answer, the source's message."""

from __future__ import annotations

from pathlib import Path

from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.engine.storage.ledger.book import FAILED, Book, raw
from tests.support.clock import FakeClock

REFUSED = AttemptResult(outcome=Outcome.DEAD, status=404, error="refused with 404 Not Found", duration=0.1)


async def test_the_last_answer_of_each_destination(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    await book.ended(DeliveryState.DELIVERED, "well", stream_id="1")
    clock.advance(10)
    late = await book.delivery("bad", stream_id="2")
    await book.finish(await book.claimed(late), DeliveryState.PENDING, FAILED, next_at=clock.now() + 60)
    clock.advance(10)
    dead = await book.delivery("dead", stream_id="3")
    await book.finish(await book.claimed(dead), DeliveryState.DEAD, REFUSED)
    await book.delivery("untried", stream_id="4")
    found = await ledger.last_answers(["well", "bad", "dead", "untried", "unknown"])
    assert set(found) == {"well", "bad", "dead"}
    assert (found["well"].status, found["well"].error, found["well"].given_up) == (204, None, False)
    assert (found["bad"].status, found["bad"].error, found["bad"].given_up) == (503, "answered 503", False)
    assert (found["dead"].status, found["dead"].given_up) == (404, True)
    assert found["well"].at + 10 == found["bad"].at
    assert found["bad"].at + 10 == found["dead"].at == clock.now()


async def test_the_attempt_counts_and_not_the_delivery(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    """An older delivery that is tried again tells more than a newer one before it."""
    old = await book.delivery("main", stream_id="1")
    await book.finish(await book.claimed(old), DeliveryState.PENDING, FAILED, next_at=clock.now() + 60)
    clock.advance(10)
    await book.ended(DeliveryState.DELIVERED, "main", stream_id="2")
    assert (await ledger.last_answers(["main"]))["main"].status == 204
    clock.advance(60)
    again = await book.claimed(old)
    assert (await ledger.last_answers(["main"]))["main"].status == 204  # it has no outcome yet
    await book.finish(again, DeliveryState.DEAD, REFUSED)
    assert (await ledger.last_answers(["main"]))["main"].status == 404


async def test_what_was_given_up_since_the_last_success_counts(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    """One was given up, and the next is only tried again: that destination takes nothing."""
    await book.ended(DeliveryState.DELIVERED, "main", stream_id="1")
    clock.advance(10)
    dead = await book.delivery("main", stream_id="2")
    await book.finish(await book.claimed(dead), DeliveryState.DEAD, REFUSED)
    clock.advance(10)
    waits = await book.delivery("main", stream_id="3")
    await book.finish(await book.claimed(waits), DeliveryState.PENDING, FAILED, next_at=clock.now() + 60)
    found = (await ledger.last_answers(["main"]))["main"]
    assert (found.given_up, found.gave_up_before) == (False, True)
    clock.advance(10)
    await book.ended(DeliveryState.DELIVERED, "main", stream_id="4")
    assert not (await ledger.last_answers(["main"]))["main"].gave_up_before
    clock.advance(60)
    await book.finish(await book.claimed(waits), DeliveryState.PENDING, FAILED, next_at=clock.now() + 60)
    assert not (await ledger.last_answers(["main"]))["main"].gave_up_before, "that was before the last success"


async def test_a_queue_that_was_never_tried_is_not_read(ledger: Ledger, book: Book, path: Path) -> None:
    await book.ended(DeliveryState.DELIVERED, "main", stream_id="first")
    for number in range(40):
        await book.delivery("main", stream_id=str(number))
    assert (await ledger.last_answers(["main"]))["main"].status == 204
    with raw(path) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM deliveries INDEXED BY deliveries_tried WHERE destination = 'main' AND attempts > 0"
        ).fetchone()
    assert count == 1


async def test_the_last_message_of_twitch(ledger: Ledger, book: Book, clock: FakeClock) -> None:
    assert await ledger.last_message("twitch") is None
    await book.event(message_id=None, stream_id="polled")
    await book.event(message_id="test-1", stream_id="test-1", test=True)
    assert await ledger.last_message("twitch") is None
    clock.advance(5)
    at = clock.now()
    await book.event(message_id="real", stream_id="2")
    clock.advance(5)
    await book.event(message_id=None, stream_id="3")
    assert await ledger.last_message("twitch") == at
    assert await ledger.last_message("youtube") is None
