"""Ledger jobs for a channel that several streamers of the config stand for: each gets an event of its own.

So each has its own verdict, payload, deliveries and "send anyway", and the row of **once** still makes it one
announcement a destination. An accepted event with a `streamer` is for that one alone. The message id of the first
stays as the source gave it, so that a resend is recognised; the others have the streamer behind it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.storage.ledger.accepting import accept
from itsjustintv_desktop.engine.storage.ledger.records import APART, EVENT_COLUMNS, EventRecord, event_record

_COPIED = ", ".join(name for name in StreamEvent.__struct_fields__ if name != "message_id")


def part(connection: sqlite3.Connection, events: Mapping[int, Sequence[str]]) -> None:
    """Make accepted events ones for these streamers (at least one each). Repeated, it changes nothing."""
    for event_id, keys in events.items():
        if not assign(connection, event_id, keys[0]):
            continue
        connection.executemany(
            f"INSERT INTO events(message_id, streamer, {_COPIED}) "  # noqa: S608 - names of fields
            f"SELECT message_id || ?, ?, {_COPIED} FROM events WHERE id = ? ON CONFLICT DO NOTHING",
            [(APART + key, key, event_id) for key in keys[1:]],
        )


def assign(connection: sqlite3.Connection, event_id: int, key: str) -> bool:
    """Make an accepted event one for this streamer alone; False if it is one for a streamer already."""
    cursor = connection.execute(
        "UPDATE events SET streamer = ? WHERE id = ? AND state = 'accepted' AND streamer IS NULL", (key, event_id)
    )
    return cursor.rowcount == 1


def events_of_message(connection: sqlite3.Connection, source: str, message_id: str) -> list[EventRecord]:
    """All events that one message of a source became, oldest first."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM events WHERE source = ? AND message_id >= ? AND message_id < ? ORDER BY id",  # noqa: S608
        (source, message_id, message_id + chr(ord(APART) + 1)),
    )
    return [event_record(row) for row in rows]


def accept_for(connection: sqlite3.Connection, event: StreamEvent, key: str | None) -> int:
    """Store a new event, for this streamer alone if one is named; its id. Raises LedgerError."""
    (stored,) = accept(connection, [event])
    if isinstance(stored, LedgerError):
        raise stored
    event_id: int = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
    if key is not None:
        assign(connection, event_id, key)
    return event_id
