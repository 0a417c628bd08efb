"""Ledger jobs that tell what happened last: each destination's answer, the source's message."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import msgspec

_LATEST = 20
"""Deliveries of a destination that are looked at: one made earlier may have been tried later."""
_EVENTS = 1000
"""Events that are looked at, so that it costs the same however long the history is."""

# The index holds what was tried at all: a long queue that waits for its first attempt costs nothing.
_ANSWERS = """SELECT a.started_at, a.status, a.error, d.state
    FROM (SELECT id, state FROM deliveries INDEXED BY deliveries_tried
        WHERE destination = ? AND attempts > 0 ORDER BY id DESC LIMIT ?) d
    JOIN attempts a ON a.delivery_id = d.id
    WHERE a.duration IS NOT NULL ORDER BY a.started_at DESC LIMIT 1"""

_LAST_OF_EACH = """SELECT max(CASE WHEN d.state = 'dead' THEN a.started_at END),
    max(CASE WHEN a.error IS NULL THEN a.started_at END)
    FROM (SELECT id, state FROM deliveries INDEXED BY deliveries_tried
        WHERE destination = ? AND attempts > 0 ORDER BY id DESC LIMIT ?) d
    JOIN attempts a ON a.delivery_id = d.id WHERE a.duration IS NOT NULL"""
"""Of those that were given up, and of those that were taken."""

_MESSAGE = """SELECT max(received_at) FROM
    (SELECT source, message_id, received_at, test FROM events ORDER BY id DESC LIMIT ?)
    WHERE source = ? AND message_id IS NOT NULL AND NOT test"""


class LastAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last attempt that ended. `error` None: it was taken. `status` None: there was no answer."""

    at: float
    """When the attempt began, Unix seconds."""
    status: int | None
    error: str | None
    given_up: bool
    """The delivery is dead: it will not be tried again by itself."""
    gave_up_before: bool = False
    """It may be tried again, but another one was given up since the last that was taken."""


def last_answers(connection: sqlite3.Connection, destinations: Collection[str]) -> dict[str, LastAnswer]:
    """By destination; those without an attempt in the history are left out."""
    found: dict[str, LastAnswer] = {}
    for name in destinations:
        row = connection.execute(_ANSWERS, (name, _LATEST)).fetchone()
        if row is not None:
            at, status, error, state = row
            given_up = state == "dead"
            before = error is not None and not given_up and _gave_up(connection, name)
            found[name] = LastAnswer(at=at, status=status, error=error, given_up=given_up, gave_up_before=before)
    return found


def _gave_up(connection: sqlite3.Connection, name: str) -> bool:
    dead, taken = connection.execute(_LAST_OF_EACH, (name, _LATEST)).fetchone()
    return dead is not None and (taken is None or dead > taken)


def last_message(connection: sqlite3.Connection, source: str) -> float | None:
    """When the last message of that source came in (Unix seconds), among the last thousand events."""
    at: float | None = connection.execute(_MESSAGE, (_EVENTS, source)).fetchone()[0]
    return at
