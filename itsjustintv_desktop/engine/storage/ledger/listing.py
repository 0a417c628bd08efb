"""Ledger jobs behind a list of 100,000 deliveries: bounded bites, found by an index, joined by their ids."""

from __future__ import annotations

import sqlite3

import msgspec

from itsjustintv_desktop.engine.core.models import DeliveryView
from itsjustintv_desktop.engine.storage.ledger.records import fetch_deliveries, pad_to, placeholders

ROWS = 500
"""Most rows that one job reads whole."""
IDS = 5000
"""Most that one job only counts: an index holds all it needs."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries. Empty = all. A name in `names` may be the streamer's or the destination's."""

    states: tuple[str, ...] = ()
    streamer: str | None = None
    destination: str | None = None
    names: tuple[str, ...] | None = None

    @property
    def by_name(self) -> bool:
        return self.streamer is not None or self.destination is not None or self.names is not None


class Bite(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: where the next one goes on; None = that was all."""

    rows: tuple[DeliveryView, ...]
    before: int | None


class IdBite(msgspec.Struct, frozen=True, kw_only=True):
    ids: tuple[int, ...]
    before: int | None


def rows(connection: sqlite3.Connection, choice: Choice, before: int | None, limit: int) -> Bite:
    """At most `limit` of the next ROWS candidates below the id `before`, newest first."""
    looked = _candidates(connection, choice, before, ROWS if choice.by_name else min(limit, ROWS))
    if not looked:
        return Bite(rows=(), before=None)
    where, names = _names(choice)
    among = pad_to(looked)
    tail = f"id IN ({placeholders(len(among))}){where} ORDER BY id DESC LIMIT ?"
    found = fetch_deliveries(connection, tail, (*among, *names, limit))
    most = ROWS if choice.by_name else min(limit, ROWS)
    full = len(found) == limit
    last = found[-1].id if full else looked[-1]
    ended = len(looked) < most and last == looked[-1]
    return Bite(rows=tuple(found), before=None if ended else last)


def ids(connection: sqlite3.Connection, choice: Choice, before: int | None) -> IdBite:
    """The ids alone, of the next candidates below `before`."""
    most = ROWS if choice.by_name else IDS
    looked = _candidates(connection, choice, before, most)
    found = looked
    if choice.by_name and looked:
        where, names = _names(choice)
        among = pad_to(looked)
        tail = f"SELECT id FROM deliveries WHERE id IN ({placeholders(len(among))}){where} ORDER BY id DESC"  # noqa: S608
        found = [row[0] for row in connection.execute(tail, (*among, *names))]
    return IdBite(ids=tuple(found), before=looked[-1] if len(looked) == most else None)


def count(connection: sqlite3.Connection, choice: Choice) -> int:
    """Of whole states and destinations: as cheap for 100,000 as for none."""
    where = f" AND state IN ({placeholders(len(choice.states))})" if choice.states else ""
    parameters: tuple[str, ...] = choice.states
    if choice.destination is not None:
        where, parameters = f"{where} AND destination = ?", (*parameters, choice.destination)
    total = connection.execute(f"SELECT coalesce(sum(count), 0) FROM tally WHERE 1{where}", parameters)  # noqa: S608
    found: int = total.fetchone()[0]
    return found


def destinations(connection: sqlite3.Connection) -> list[str]:
    """All that ever had a delivery which is still remembered."""
    return [row[0] for row in connection.execute("SELECT DISTINCT destination FROM tally WHERE count > 0")]


def _candidates(connection: sqlite3.Connection, choice: Choice, before: int | None, most: int) -> list[int]:
    below = before if before is not None else 2**62
    if not choice.states:
        found = connection.execute("SELECT id FROM deliveries WHERE id < ? ORDER BY id DESC LIMIT ?", (below, most))
        return [row[0] for row in found]
    each = (
        "SELECT * FROM (SELECT id FROM deliveries INDEXED BY deliveries_state WHERE state = ? AND id < ? "
        "ORDER BY id DESC LIMIT ?)"
    )
    together = " UNION ALL ".join([each] * len(choice.states))
    parameters = [value for state in choice.states for value in (state, below, most)]
    found = connection.execute(f"{together} ORDER BY id DESC LIMIT ?", (*parameters, most))
    return [row[0] for row in found]


def _names(choice: Choice) -> tuple[str, tuple[str, ...]]:
    where, values = "", list[str]()
    for column, value in (("streamer", choice.streamer), ("destination", choice.destination)):
        if value is not None:
            where += f" AND {column} = ?"
            values.append(value)
    if choice.names is not None:
        some = placeholders(len(choice.names)) if choice.names else "NULL"
        where += f" AND (streamer IN ({some}) OR destination IN ({some}))"
        values += [*choice.names, *choice.names]
    return where, tuple(values)
