"""Ledger jobs of the feed and of forgetting: old things go in small bites."""

from __future__ import annotations

import sqlite3

from itsjustintv_desktop.engine.core.errors import LedgerCorruptError
from itsjustintv_desktop.engine.core.models import DeliveryView
from itsjustintv_desktop.engine.storage.ledger.importing import PAST
from itsjustintv_desktop.engine.storage.ledger.records import (
    EVENT_COLUMNS,
    EventRecord,
    FeedEntry,
    event_record,
    fetch_deliveries,
    pad_to,
    placeholders,
    unpack,
)

BITE = 500
"""Most rows one purge removes in a transaction."""

_PAST = "(broadcaster_id, stream_id) NOT IN (SELECT broadcaster_id, stream_id FROM broadcasts WHERE ended_at IS NULL)"
"""It is about none of the streams that run."""


def feed(connection: sqlite3.Connection, limit: int, before: int | None = None) -> list[FeedEntry]:
    """The newest announced events with their deliveries, oldest first; `before` pages back by event id.

    The past of the Go service is left out: it came in at once, and would push our own out of output.json.
    """
    rows = connection.execute(
        "SELECT id, received_at, payload FROM events WHERE state = 'announced' AND source != ? AND id < ? "
        "ORDER BY id DESC LIMIT ?",
        (PAST, before if before is not None else 2**62, limit),
    ).fetchall()
    if not all(isinstance(at, int | float) and isinstance(payload, bytes) for _, at, payload in rows):
        raise LedgerCorruptError("A row of the ledger is damaged.")
    by_event: dict[int, list[DeliveryView]] = {row[0]: [] for row in rows}
    if rows:
        among = pad_to(tuple(by_event))
        where = f"event_id IN ({placeholders(len(among))}) ORDER BY id"
        for delivery in fetch_deliveries(connection, where, among):
            by_event[delivery.event_id].append(delivery)
    return [
        FeedEntry(event_id=event_id, received_at=at, payload=unpack(payload), deliveries=tuple(by_event[event_id]))
        for event_id, at, payload in reversed(rows)
    ]


def events(connection: sqlite3.Connection, limit: int, before: int | None = None) -> list[EventRecord]:
    """The newest events whatever became of them, newest first, at most 200: announced, suppressed (why), noted."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM events WHERE id < ? ORDER BY id DESC LIMIT ?",  # noqa: S608
        (before if before is not None else 2**62, min(limit, 200)),
    )
    return [event_record(row) for row in rows]


def purge(connection: sqlite3.Connection, history_before: float, noted_before: float, once_before: float) -> int:
    """Forget one bite of what is older than the history; the number of rows removed, 0 = nothing left to do.

    The newest event always stays, so that ids are never given twice; so does what is known of a stream that runs, or
    it would be found by asking and taken for a new one.
    """
    # Each by an index of its own: a bite must not read through a month of history to find the few it may take.
    gone = [
        row[0]
        for row in connection.execute(
            "SELECT id FROM events INDEXED BY events_age WHERE received_at < ? AND state != 'accepted' "  # noqa: S608
            "AND id < (SELECT max(id) FROM events) AND NOT EXISTS (SELECT 1 FROM deliveries d "
            "WHERE d.event_id = events.id AND (d.settled_at IS NULL OR d.settled_at >= ?)) "
            f"AND {_PAST} ORDER BY received_at LIMIT ?",
            (history_before, history_before, BITE),
        ).fetchall()
    ]
    if not gone:
        gone = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM events INDEXED BY events_noted WHERE state = 'noted' AND received_at < ? "
                "AND reason NOT IN ('revoked', 'ledger_damaged') "
                "AND id < (SELECT max(id) FROM events) ORDER BY received_at LIMIT ?",
                (noted_before, BITE),
            ).fetchall()
        ]
    if gone:
        among = pad_to(gone)
        inside = f"IN ({placeholders(len(among))})"
        connection.execute(
            f"DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE event_id {inside})",  # noqa: S608
            among,
        )
        connection.execute(f"DELETE FROM deliveries WHERE event_id {inside}", among)  # noqa: S608
        connection.execute(f"DELETE FROM events WHERE id {inside}", among)  # noqa: S608
    forgotten = connection.execute(
        "DELETE FROM once WHERE (destination, broadcaster_id, stream_id) IN "  # noqa: S608
        f"(SELECT destination, broadcaster_id, stream_id FROM once WHERE at < ? AND {_PAST} LIMIT ?)",
        (once_before, BITE),
    ).rowcount
    return len(gone) + forgotten
