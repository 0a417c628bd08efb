"""Ledger jobs of the feed: what a person cares about, newest first, a small page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from itsjustintv_desktop.engine.core.models import DeliveryView
from itsjustintv_desktop.engine.storage.ledger.records import fetch_deliveries, pad_to, placeholders, unpack

BITE = 100
"""Most events that one job reads."""

_COLUMNS = (
    "id, kind, received_at, broadcaster_id, broadcaster_login, broadcaster_name, stream_id, started_at, test, state, "
    "reason, explanation, streamer, detail, payload"
)
# Each by an index of its own that holds nothing else: thousands of noted events in between cost nothing.
_SOURCES = {
    "announced": "events INDEXED BY events_feed WHERE state = 'announced'",
    "suppressed": "events INDEXED BY events_told WHERE state = 'suppressed'",
    "noted": "events INDEXED BY events_told WHERE state = 'noted' AND reason IN ('revoked', 'ledger_damaged')",
}


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the feed needs it. `stored` is the packed payload: it is unpacked outside of the ledger's thread."""

    id: int
    kind: str
    received_at: float
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    stream_id: str
    started_at: float | None
    test: bool
    state: str
    reason: str | None
    explanation: str | None
    streamer: str | None
    detail: str
    stored: bytes | None

    @property
    def payload(self) -> bytes | None:
        return None if self.stored is None else unpack(self.stored)


def event_rows(connection: sqlite3.Connection, before: int | None, states: Collection[str]) -> list[EventRow]:
    """The next BITE events below `before` in one of `states` (announced, suppressed, noted), newest first.

    Of what is noted only what a person cares about: ended subscriptions, a ledger that was begun anew.
    """
    below = before if before is not None else 2**62
    chosen = [source for state, source in _SOURCES.items() if state in states]
    if not chosen:
        return []
    each = " UNION ALL ".join(
        f"SELECT * FROM (SELECT id FROM {source} AND id < ? ORDER BY id DESC LIMIT {BITE})"  # noqa: S608
        for source in chosen
    )
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM events WHERE id IN (SELECT id FROM ({each}) ORDER BY id DESC LIMIT {BITE}) "  # noqa: S608
        "ORDER BY id DESC",
        (below,) * len(chosen),
    )
    return [_event_row(row) for row in rows.fetchall()]


def deliveries_of(connection: sqlite3.Connection, event_ids: Sequence[int]) -> list[DeliveryView]:
    """All deliveries of these events (a handful), oldest first."""
    among = pad_to(event_ids)
    return fetch_deliveries(connection, f"event_id IN ({placeholders(len(among))}) ORDER BY id", among)


def _event_row(row: tuple[Any, ...]) -> EventRow:
    return EventRow(
        id=row[0], kind=row[1], received_at=row[2], broadcaster_id=row[3], broadcaster_login=row[4],
        broadcaster_name=row[5], stream_id=row[6], started_at=row[7], test=bool(row[8]), state=row[9], reason=row[10],
        explanation=row[11], streamer=row[12], detail=row[13], stored=row[14],
    )  # fmt: skip
