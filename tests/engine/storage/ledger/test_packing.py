from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, Ledger
from itsjustintv_desktop.engine.storage.ledger.records import pack, unpack
from tests.engine.storage.ledger.book import Book

PAYLOAD = msgspec.json.encode({"description": "A long one, as they are in life. " * 30, "name": "名前"})


@given(st.binary())
def test_a_payload_comes_back_as_it_was(payload: bytes) -> None:
    assert unpack(pack(payload)) == payload


def test_damaged_bytes_come_back_for_the_reader_to_judge() -> None:
    damaged = pack(PAYLOAD)[:-9] + b"\xff" * 9
    assert unpack(damaged) == damaged


async def test_everyone_gets_the_payload_as_it_was_and_the_disk_less(ledger: Ledger, book: Book) -> None:
    event_id = await book.event()
    await ledger.announce(event_id, streamer="alice", payload=PAYLOAD, destinations=("main",))
    (claimed,) = await book.claim()
    record = await ledger.event(event_id)
    (entry,) = await ledger.feed(25)
    assert claimed.payload == PAYLOAD == entry.payload
    assert record is not None
    assert record.payload == PAYLOAD
    assert len(claimed.stored) < len(PAYLOAD) / 2


async def test_a_suppressed_event_keeps_its_payload_too(ledger: Ledger, book: Book) -> None:
    ids = [await book.event(stream_id=str(number)) for number in range(60)]
    await ledger.settle(
        [
            EventOutcome(
                event_id=event_id,
                state=EventState.SUPPRESSED if number % 2 else EventState.NOTED,
                reason=f"reason{number}",
                explanation="So.",
                streamer=f"streamer{number}" if number % 3 else None,
                payload=PAYLOAD + str(number).encode() if number % 5 == 0 else None,
            )
            for number, event_id in enumerate(ids)
        ]
    )
    for number, event_id in enumerate(ids):
        record = await ledger.event(event_id)
        assert record is not None
        assert record.state is (EventState.SUPPRESSED if number % 2 else EventState.NOTED)
        assert (record.reason, record.explanation) == (f"reason{number}", "So.")
        assert record.streamer == (f"streamer{number}" if number % 3 else None)
        assert record.payload == (PAYLOAD + str(number).encode() if number % 5 == 0 else None)
        assert record.settled_at is not None
