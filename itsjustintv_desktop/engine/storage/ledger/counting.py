"""Ledger jobs that count. Their cost is destinations and days, never the length of the queue."""

from __future__ import annotations

import sqlite3

import msgspec

_DUE = """SELECT (SELECT min(next_at) FROM deliveries INDEXED BY deliveries_due
        WHERE state = 'pending' AND destination = ?1),
    (SELECT min(next_at) FROM deliveries INDEXED BY deliveries_due
        WHERE state = 'pending' AND destination = ?1 AND next_at > ?2)"""


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


def tally(connection: sqlite3.Connection, now: float) -> Tally:
    by_state: dict[str, int] = {}
    waiting: dict[str, Waiting] = {}
    for name, state, count in connection.execute("SELECT destination, state, count FROM tally WHERE count > 0"):
        by_state[state] = by_state.get(state, 0) + count
        if state == "pending":
            first, later = connection.execute(_DUE, (name, now)).fetchone()
            waiting[name] = Waiting(count=count, first_due=first, next_due=later)
    (events,) = connection.execute("SELECT count(*) FROM events WHERE state = 'accepted'").fetchone()
    return Tally(by_state=by_state, waiting=waiting, unfinished_events=events)
