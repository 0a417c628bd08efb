"""What the ledger hands out. Times are Unix seconds."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from itsjustintv_desktop.engine.core.errors import LedgerCorruptError
from itsjustintv_desktop.engine.core.models import (
    AttemptResult,
    DeliveryState,
    DeliveryView,
    EventState,
    StreamEvent,
)

T = TypeVar("T")
S = TypeVar("S", EventState, DeliveryState)


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event and how far it came."""

    id: int
    event: StreamEvent
    state: EventState
    reason: str | None = None
    explanation: str | None = None
    streamer: str | None = None
    """The key in the config. Of an event that is still accepted: the one that it is for alone."""
    payload: bytes | None = None
    settled_at: float | None = None

    @property
    def notification(self) -> str:
        """What the log calls it from its POST to its last attempt: the source's id, else ours."""
        return self.event.message_id or str(self.id)


class EventOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an event that is not announced, and why."""

    event_id: int
    state: EventState
    reason: str
    """A word for programs, e.g. not_watched, filtered, already_announced."""
    explanation: str
    """A sentence for people."""
    streamer: str | None = None
    payload: bytes | None = None
    """Kept where it was built already, so that it can be sent anyway."""


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """What `Ledger.announce` did: ids of new deliveries by destination; both empty = all were announced before."""

    created: dict[str, int]
    feed_only: bool = False

    @property
    def anything(self) -> bool:
        return bool(self.created) or self.feed_only


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery taken for its next attempt; its state is `sending` until `Ledger.finish`."""

    id: int
    webhook_id: str
    event_id: int
    streamer: str
    destination: str
    attempt: int
    """The number of the attempt now being made, from 1."""
    forced: bool
    """A person asked for this attempt: age and liveness are not questioned."""
    born_at: float
    """When the news was new: lateness and max_age count from here."""
    source: str
    broadcaster_id: str
    stream_id: str
    test: bool
    lost: int = 0
    """Earlier attempts whose response was lost: each of them may have arrived."""
    message_id: str | None
    """What the source called the event; None where we found it ourselves."""
    received_at: float
    """When it came in. Both name its trace."""
    stored: bytes
    """The payload as it lies on disk: a big batch is claimed without unpacking it all in the ledger's thread."""

    @property
    def payload(self) -> bytes:
        return unpack(self.stored)


class ClaimBatch(msgspec.Struct, frozen=True, kw_only=True):
    deliveries: tuple[Claimed, ...]
    next_due: float | None
    """When the next delivery that is not blocked comes due; in the past if more could be claimed now."""


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a claimed delivery. `next_at` only for pending."""

    id: int
    attempt: int
    state: DeliveryState
    next_at: float | None = None
    result: AttemptResult | None = None
    """None: no POST was made (expired, destination removed); the attempt is taken back."""
    reason: str | None = None
    lost: int = 0
    """How many attempts may have arrived by now."""


class WaitingPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the waiting deliveries: how many, how many of them were tried before, and the highest id among them."""

    waiting: int
    tried: int
    last_id: int


class FeedEntry(msgspec.Struct, frozen=True, kw_only=True):
    event_id: int
    received_at: float
    payload: bytes
    deliveries: tuple[DeliveryView, ...]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries are in each state, and since when the oldest due one waits."""

    by_state: dict[str, int]
    oldest_due: float | None
    unfinished_events: int


APART = "\n"
"""In a stored message id, before the streamer that the event is for where one message became several (parting.py). No
id of a source has it: they are printable."""

EVENT_COLUMNS = (
    "id, source, kind, message_id, received_at, broadcaster_id, broadcaster_login, broadcaster_name, stream_id, "
    "started_at, subscription_id, detail, test, state, reason, explanation, streamer, payload, settled_at"
)
DELIVERY_COLUMNS = (
    "id, webhook_id, event_id, streamer, destination, state, attempts, next_at, last_status, last_error, created_at, "
    "COALESCE((SELECT test FROM events WHERE events.id = deliveries.event_id), 0)"
)


def pack(payload: bytes) -> bytes:
    """How a payload lies on disk: half its size, so that a queue of 100,000 stays small."""
    return zlib.compress(payload, 1)


def unpack(stored: bytes) -> bytes:
    """What `pack` was given. Bytes damaged on disk come back as they are: whoever reads them will see."""
    try:
        return zlib.decompress(stored)
    except (zlib.error, TypeError):
        return stored


def _state(kind: type[S], value: Any) -> S:
    try:
        return kind(value)
    except ValueError:
        raise LedgerCorruptError("A row of the ledger is damaged.") from None


def source_id(message_id: str | None) -> str | None:
    """What the source called the message."""
    return None if message_id is None else message_id.partition(APART)[0]


def event_record(row: tuple[Any, ...]) -> EventRecord:
    """A row of EVENT_COLUMNS."""
    return EventRecord(
        id=row[0],
        event=StreamEvent(
            source=row[1], kind=row[2], message_id=source_id(row[3]), received_at=row[4], broadcaster_id=row[5],
            broadcaster_login=row[6], broadcaster_name=row[7], stream_id=row[8], started_at=row[9],
            subscription_id=row[10], detail=row[11], test=bool(row[12]),
        ),
        state=_state(EventState, row[13]), reason=row[14], explanation=row[15], streamer=row[16],
        payload=None if row[17] is None else unpack(row[17]),
        settled_at=row[18],
    )  # fmt: skip


def delivery_view(row: tuple[Any, ...]) -> DeliveryView:
    """A row of DELIVERY_COLUMNS."""
    return DeliveryView(
        id=row[0], webhook_id=row[1], event_id=row[2], streamer=row[3], destination=row[4],
        state=_state(DeliveryState, row[5]), attempts=row[6], next_at=row[7], last_status=row[8], last_error=row[9],
        created_at=row[10], test=bool(row[11]),
    )  # fmt: skip


def placeholders(count: int) -> str:
    """`count` placeholders for an IN list."""
    return ",".join("?" * count)


def statement_size(count: int) -> int:
    """The size, not below `count` and less than a quarter above it, that a statement about so many things is made for.

    Every size is a statement of its own, which stays prepared with the values it had last. With all sizes there are,
    that is megabytes; like this, four sizes for each doubling above 8.
    """
    step = 1 << max(0, count.bit_length() - 3)
    return -(-count // step) * step


def pad_to(values: Sequence[T]) -> tuple[T, ...]:
    """For an IN list: the last one again and again, up to a `statement_size`."""
    return (*values, *tuple(values[-1:]) * (statement_size(len(values)) - len(values)))


def fetch_deliveries(connection: sqlite3.Connection, where: str, parameters: tuple[Any, ...]) -> list[DeliveryView]:
    rows = connection.execute(f"SELECT {DELIVERY_COLUMNS} FROM deliveries WHERE {where}", parameters)  # noqa: S608
    return [delivery_view(row) for row in rows]
