"""The ledger's hottest job: storing events, each message id once.

sqlite3 lets go of Python's lock and takes it again around every step of a statement, and each time the loop may
be in between. So many events go in with one step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from msgspec.structs import astuple

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.storage.ledger.records import statement_size

_COLUMNS = StreamEvent.__struct_fields__
TOGETHER = 64
"""Most events in one statement."""
_EXACT = 8
"""Up to here every count is a `statement_size`."""

# What a source can hand in that SQLite cannot keep: a lone surrogate, None where there must be text, a huge number.
_NOT_STORABLE = (
    ValueError, TypeError, OverflowError,
    sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError,
)  # fmt: skip


def accept(connection: sqlite3.Connection, events: Sequence[StreamEvent]) -> list[bool | LedgerError]:
    """Store events, TOGETHER in a statement. For each: True new, False its message id was known.

    An event that cannot be stored at all gets an error of its own; the others are stored.
    """
    outcomes: list[bool | LedgerError] = []
    while len(outcomes) < len(events):
        some = events[len(outcomes) : len(outcomes) + TOGETHER]
        try:
            outcomes += _accept(connection, some)
        except _NOT_STORABLE:
            outcomes += [_accept_alone(connection, event) for event in some]
    return outcomes


def _accept_alone(connection: sqlite3.Connection, event: StreamEvent) -> bool | LedgerError:
    try:
        return _accept(connection, [event])[0]
    except _NOT_STORABLE as error:
        return LedgerError(f"An event from {event.source!r} cannot be stored ({type(error).__name__}).")


def _accept(connection: sqlite3.Connection, events: Sequence[StreamEvent]) -> list[bool]:
    values = tuple(chain.from_iterable(map(astuple, events)))
    cursor = connection.execute(*_insertion(len(events), values))
    stored = cursor.rowcount
    if stored == len(events):
        return [True] * stored
    if stored == 0:
        return [False] * len(events)
    assert cursor.lastrowid is not None
    # One statement gives consecutive ids to what it stores.
    rows = connection.execute("SELECT source, message_id FROM events WHERE id > ?", (cursor.lastrowid - stored,))
    new = set(rows.fetchall())
    outcomes: list[bool] = []
    for event in events:
        key = (event.source, event.message_id)
        outcomes.append(key in new)
        if event.message_id is not None:
            new.discard(key)  # the same message twice in one batch
    return outcomes


def _insertion(count: int, values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The statement that stores so many, and its values."""
    size = statement_size(count)
    if size <= _EXACT:
        return _insert(size), values
    empty = (None,) * ((size - count) * len(_COLUMNS))
    return _insert(size), (*values, *empty, count)


@cache
def _insert(size: int) -> str:
    row = f"({','.join('?' * len(_COLUMNS))})"
    rows = f"VALUES {','.join([row] * size)}"
    if size > _EXACT:
        rows = f"SELECT * FROM ({rows}) WHERE true LIMIT ?"  # noqa: S608 - empty rows at the end are left out
    return f"INSERT INTO events({','.join(_COLUMNS)}) {rows} ON CONFLICT DO NOTHING"
