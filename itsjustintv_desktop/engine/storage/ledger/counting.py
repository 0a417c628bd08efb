"""Ledger jobs that count. Their cost is destinations and days, never the length of the queue."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

_DUE = """SELECT (SELECT min(next_at) FROM deliveries INDEXED BY deliveries_due
        WHERE state = 'pending' AND destination = ?),
    (SELECT min(next_at) FROM deliveries INDEXED BY deliveries_due
        WHERE state = 'pending' AND destination = ? AND next_at > ?)"""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for one destination. Times are Unix seconds, None = nothing."""

    count: int
    first_due: float | None
    """Perhaps in the past."""
    next_due: float | None
    """In the future."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """`by_state`: how many deliveries are in each state; `waiting`: by destination, where anything waits."""

    by_state: dict[str, int]
    waiting: dict[str, Waiting]
    unfinished_events: int
    oldest_event: float | None = None
    """When the first of them came in, Unix seconds."""


def tally(connection: sqlite3.Connection, now: float) -> Tally:
    by_state: dict[str, int] = {}
    waiting: dict[str, Waiting] = {}
    for name, state, count in connection.execute("SELECT destination, state, count FROM tally WHERE count > 0"):
        by_state[state] = by_state.get(state, 0) + count
        if state == "pending":
            first, later = connection.execute(_DUE, (name, name, now)).fetchone()
            waiting[name] = Waiting(count=count, first_due=first, next_due=later)
    events, oldest = connection.execute(
        "SELECT count(*), min(received_at) FROM events WHERE state = 'accepted'"
    ).fetchone()
    return Tally(by_state=by_state, waiting=waiting, unfinished_events=events, oldest_event=oldest)


BITE = 20_000
"""Most rows of an index that one job counts."""
STREAMS_BITE = 2_000
"""Most events whose streams are counted by one job: each of them is looked up."""
_TESTS = 500
"""Most test events of one stretch that are looked at."""

Kind = Literal["delivered", "dead", "expired"]
_COUNTED: dict[Kind, str] = {
    "delivered": "deliveries INDEXED BY deliveries_state WHERE state = 'delivered'",
    "dead": "deliveries INDEXED BY deliveries_state WHERE state = 'dead'",
    "expired": "deliveries INDEXED BY deliveries_state WHERE state = 'expired'",
}


# Announced is what arrived somewhere, or was written to output.json where nothing else was to be told.
_ARRIVED = """(NOT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_event WHERE event_id = {0}.id)
    OR EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_event WHERE event_id = {0}.id AND state = 'delivered'))"""
_SAME = """FROM events other INDEXED BY events_stream WHERE other.state != 'accepted' AND other.kind = 'stream.online'
    AND other.broadcaster_id = event.broadcaster_id AND other.stream_id = event.stream_id AND event.stream_id != ''
    AND NOT other.test"""
"""The events of the same stream: a channel may stand in the config several times."""
Streams = Literal["announced", "suppressed"]
_STREAMS: dict[Streams, tuple[str, str]] = {
    "announced": (
        "events event INDEXED BY events_feed WHERE event.state = 'announced'",
        f"{_ARRIVED.format('event')} AND NOT EXISTS (SELECT 1 {_SAME} AND other.state = 'announced' "
        f"AND other.id < event.id AND {_ARRIVED.format('other')})",
    ),
    "suppressed": (
        "events event INDEXED BY events_told WHERE event.state = 'suppressed'",
        f"NOT EXISTS (SELECT 1 {_SAME} AND (other.state = 'announced' "
        "OR other.state = 'suppressed' AND other.id < event.id))",
    ),
}
"""By kind: events, and which of them stands for its stream."""


class Border(NamedTuple):
    """The first ids that were given at or after a moment: all of a day lie between two of these."""

    event: int
    delivery: int


def borders(connection: sqlite3.Connection, moments: Sequence[float]) -> list[Border]:
    """For each (Unix seconds; a handful). Approximate where the clock was set meanwhile."""
    return [Border(_first_event(connection, at), _first_delivery(connection, at)) for at in moments]


def between(connection: sqlite3.Connection, kind: Kind, low: int, high: int) -> tuple[int, int | None]:
    """How many of a kind have an id in [low, high), at most BITE, and where to go on (None = that was all)."""
    count, last = connection.execute(
        f"SELECT count(*), max(id) FROM (SELECT id FROM {_COUNTED[kind]} AND id >= ? AND id < ? "  # noqa: S608
        f"ORDER BY id LIMIT {BITE})",
        (low, high),
    ).fetchone()
    return count, last + 1 if count == BITE else None


def streams(connection: sqlite3.Connection, kind: Streams, low: int, high: int) -> tuple[int, int | None]:
    """How many streams were announced, or were not, of those whose first such event has an id in [low, high).

    Without tests. At most STREAMS_BITE events are looked at; the second is where to go on (None = that was all).
    """
    events, counted = _STREAMS[kind]
    looked, last, count = connection.execute(
        f"SELECT count(*), max(id), coalesce(sum(counted), 0) FROM (SELECT event.id AS id, "  # noqa: S608
        f"NOT event.test AND {counted} AS counted FROM {events} AND event.id >= ? AND event.id < ? "
        f"ORDER BY event.id LIMIT {STREAMS_BITE})",
        (low, high),
    ).fetchone()
    return count, last + 1 if looked == STREAMS_BITE else None


def tests(connection: sqlite3.Connection, low: int, high: int) -> dict[str, int]:
    """Of the test events with an id in [low, high): how many of their deliveries are in each state."""
    some = f"SELECT id FROM events INDEXED BY events_tests WHERE test AND id >= ? AND id < ? LIMIT {_TESTS}"  # noqa: S608
    question = (
        f"SELECT state, count(*) FROM deliveries INDEXED BY deliveries_event WHERE event_id IN ({some}) "  # noqa: S608
        "GROUP BY state"
    )
    return dict(connection.execute(question, (low, high)).fetchall())


def _first_event(connection: sqlite3.Connection, at: float) -> int:
    row = connection.execute(
        "SELECT id FROM events INDEXED BY events_age WHERE received_at >= ? ORDER BY received_at, id LIMIT 1", (at,)
    ).fetchone()
    return row[0] if row is not None else 2**62


def _first_delivery(connection: sqlite3.Connection, at: float) -> int:
    """By halving: ids only grow, and there is no index of when they were made."""
    # Each in a select of its own, or SQLite reads the whole table.
    low, high = connection.execute(
        "SELECT coalesce((SELECT min(id) FROM deliveries), 0), coalesce((SELECT max(id) FROM deliveries), 0) + 1"
    ).fetchone()
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT id, created_at FROM deliveries WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
        ).fetchone()
        if row is not None and row[1] < at:
            low = row[0] + 1
        else:
            high = middle
    found: int = low
    return found
