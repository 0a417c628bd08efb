"""Ledger jobs of the announce pipeline: what is to do, and settling an event in one transaction."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from functools import cache
from itertools import chain

from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger.records import (
    EVENT_COLUMNS,
    Announced,
    EventOutcome,
    EventRecord,
    event_record,
    pack,
    pad_to,
    statement_size,
)

FEED = "@feed"
"""Stands for output.json in `once` where a streamer has no destination: the file is the output."""

_TOGETHER = 25
"""Most events settled by one statement."""

_SETTLE = (
    "UPDATE events SET state = ?, reason = ?, explanation = ?, streamer = ?, settled_at = ?, payload = ? WHERE id = ?"
)

Stream = tuple[str, str, str]
"""Destination (or FEED), broadcaster id, stream id."""


def unfinished(connection: sqlite3.Connection, after: int, limit: int) -> list[EventRecord]:
    """Accepted events with an id above `after`, oldest first."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM events WHERE state = 'accepted' AND id > ? ORDER BY id LIMIT ?",  # noqa: S608
        (after, limit),
    )
    return [event_record(row) for row in rows]


def event(connection: sqlite3.Connection, event_id: int) -> EventRecord | None:
    row = connection.execute(f"SELECT {EVENT_COLUMNS} FROM events WHERE id = ?", (event_id,)).fetchone()  # noqa: S608
    return event_record(row) if row else None


def announced_to(connection: sqlite3.Connection, streams: Sequence[Stream]) -> set[Stream]:
    """Those of `streams` that were announced to their destination before: a page of look-ups in few statements."""
    wanted = list(dict.fromkeys(streams))
    found: set[Stream] = set()
    for start in range(0, len(wanted), 300):
        some = pad_to(wanted[start : start + 300])
        # CROSS JOIN, or SQLite reads the whole table once for more than one key.
        rows = connection.execute(
            f"WITH asked(d, b, s) AS (VALUES {','.join(['(?,?,?)'] * len(some))}) "  # noqa: S608
            "SELECT d, b, s FROM asked CROSS JOIN once ON destination = d AND broadcaster_id = b AND stream_id = s",
            tuple(chain.from_iterable(some)),
        )
        found.update(rows.fetchall())
    return found


def announce(
    connection: sqlite3.Connection,
    event_id: int,
    *,
    streamer: str,
    payload: bytes,
    destinations: Sequence[str],
    now: float,
    fresh: bool = False,
    why_not: str = "",
) -> Announced:
    """Make the deliveries of an event, once per (destination, broadcaster, stream), and settle it.

    With nothing left to announce the event becomes suppressed as `already_announced`, and `why_not` says why. `fresh`
    lets age count from now instead of from the event (a person sends an old one on purpose). A test is forced, too: a
    person waits for it. Raises NotFoundError.
    """
    row = connection.execute(
        "SELECT broadcaster_id, stream_id, received_at, state, test FROM events WHERE id = ?", (event_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"There is no event {event_id}.")
    broadcaster_id, stream_id, received_at, state, test = row
    created: dict[str, int] = {}
    for name in destinations:
        if _first(connection, name, broadcaster_id, stream_id, event_id, now):
            created[name] = insert_delivery(
                connection,
                event_id,
                streamer,
                name,
                born_at=now if fresh else received_at,
                forced=fresh or bool(test),
                now=now,
            )
    feed_only = not destinations and _first(connection, FEED, broadcaster_id, stream_id, event_id, now)
    outcome = Announced(created=created, feed_only=feed_only)
    if outcome.anything:
        connection.execute(
            "UPDATE events SET state = 'announced', reason = NULL, explanation = NULL, streamer = ?, payload = ?, "
            "settled_at = ? WHERE id = ?",
            (streamer, pack(payload), now, event_id),
        )
    elif state != EventState.ANNOUNCED.value:  # asked for twice at once: what the first made stays
        connection.execute(
            _SETTLE,
            (
                EventState.SUPPRESSED.value, "already_announced", why_not, streamer, now,
                None, event_id,
            ),
        )  # fmt: skip
    return outcome


def insert_delivery(
    connection: sqlite3.Connection,
    event_id: int,
    streamer: str,
    destination: str,
    *,
    born_at: float,
    forced: bool,
    now: float,
) -> int:
    """A new pending delivery, due at once, with a `webhook-id` of its own.

    Its id is at least the event's, so that ids only grow, even after all deliveries were purged.
    """
    cursor = connection.execute(
        "INSERT INTO deliveries"
        "(id, webhook_id, event_id, streamer, destination, next_at, born_at, forced, created_at) "
        "VALUES (max(?, coalesce((SELECT max(id) FROM deliveries), 0) + 1),?,?,?,?,?,?,?,?)",
        (event_id, f"msg_{uuid.uuid4().hex}", event_id, streamer, destination, now, born_at, forced, now),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _first(
    connection: sqlite3.Connection,
    destination: str,
    broadcaster_id: str,
    stream_id: str,
    event_id: int,
    now: float,
) -> bool:
    cursor = connection.execute(
        "INSERT INTO once(destination, broadcaster_id, stream_id, event_id, at) VALUES (?,?,?,?,?) "
        "ON CONFLICT DO NOTHING",
        (destination, broadcaster_id, stream_id, event_id, now),
    )
    return cursor.rowcount == 1


def settle_many(connection: sqlite3.Connection, settlements: Sequence[EventOutcome], now: float) -> None:
    """Settle several accepted events in one transaction, and in few steps: see accepting.py. Settled ones stay."""
    for start in range(0, len(settlements), _TOGETHER):
        some = settlements[start : start + _TOGETHER]
        values: list[object] = []
        for each in some:
            payload = None if each.payload is None else pack(each.payload)
            values += (each.event_id, each.state.value, each.reason, each.explanation, each.streamer, payload)
        size = statement_size(len(some))
        values += [None] * (6 * (size - len(some)))
        connection.execute(_settle_some(size), (*values, now))


@cache
def _settle_some(count: int) -> str:
    return (
        "WITH said(id, state, reason, explanation, streamer, payload) AS "  # noqa: S608
        f"(VALUES {','.join(['(?,?,?,?,?,?)'] * count)}) "
        "UPDATE events SET (state, reason, explanation, streamer, payload, settled_at) = "
        "(SELECT state, reason, explanation, streamer, payload, ? FROM said WHERE said.id = events.id) "
        "WHERE id IN (SELECT id FROM said) AND state = 'accepted'"
    )
