"""What can still be read of a damaged ledger goes into a new one, with all that keeps it from being doubled."""

from __future__ import annotations

import math
import sqlite3
import time
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from itsjustintv_desktop.engine.core.errors import LedgerCorruptError
from itsjustintv_desktop.engine.core.models import FINAL_STATES, DeliveryState, EventState
from itsjustintv_desktop.engine.storage.ledger.announcing import FEED
from itsjustintv_desktop.engine.storage.ledger.connection import BEGUN_ANEW, ledger_error
from itsjustintv_desktop.engine.storage.ledger.pages import Pages, Row

_TABLES = {
    "events": "-ssSfssssFssisSSSBF",
    "deliveries": "-sisssiFfiISfF",
    "attempts": "iifFISS",
    "once": "sssif",
    "broadcasts": "ssffF",
    "told_elsewhere": "bf",
    "meta": "ss",
    "breakers": "sb",
    "profiles": "sb",
    "subscriptions": "sssssf",
    "targets": "sf",
}
"""The columns of each, in their order: text, int, float, blob, or the row's id. A capital letter: or nothing."""
_TYPES: dict[str, tuple[type, ...]] = {"s": (str,), "i": (int,), "f": (int, float), "b": (bytes,)}
_TELLING = ("events", "deliveries", "attempts", "once", "broadcasts", "told_elsewhere")
"""Those whose rows can be told by their form, where the way to them is damaged."""
_STATE = {"events": 13, "deliveries": 5}
_PAYLOAD = 17
_ATTEMPTS = 6
_LONGEST_STREAM = 3 * 86400.0
_IDS_BEGAN = 1_700_000_000
"""Unix seconds at which the ids of new events would be 0."""

_log = structlog.get_logger(__name__)


class Saved(NamedTuple):
    events: int = 0
    waiting: int = 0
    """Deliveries that are still to be sent."""

    @property
    def sentence(self) -> str:
        return f" Saved from it: {self.events} events, {self.waiting} waiting deliveries." if self.events else ""


def salvage(damaged: Path, into: sqlite3.Connection, aside: Path) -> Saved:
    """Fill a new ledger from a damaged one, which is about to be put aside under that name.

    Raises sqlite3.Error if the new one cannot be written; whatever the old one is, it is no reason to fail.
    """
    into.execute("BEGIN IMMEDIATE")
    try:
        _Filling(into).read(damaged)
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - a new ledger must be begun, however the old one is
        _log.warning("what is left of the damaged ledger could not be read", error=type(error).__name__)
    now = time.time()
    _mend(into, now)
    saved = Saved(*into.execute(_COUNTS).fetchone())
    _begin(into, f"The ledger was damaged and put aside as {aside.name}. A new one begins here.{saved.sentence}", now)
    into.execute("COMMIT")
    return saved


def is_sound(connection: sqlite3.Connection) -> bool:
    """Whether what the program works with has the form that it was written in. The history is judged where it is read.

    Columns are declared NOT NULL, but SQLite takes the word of a damaged row.
    """
    for table, form in _TABLES.items():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})").fetchall()]
        unfit = " OR ".join(
            f"typeof({column}) NOT IN ({_SQL_TYPES[letter]})"
            for column, letter in zip(columns, form, strict=False)
            if letter != "-"
        )
        if table == "deliveries":
            unfit += " OR state = 'pending' AND next_at IS NULL"
        where = f"({unfit}) AND {_AT_WORK.get(table, 'true')} LIMIT 1"
        try:
            if connection.execute(f"SELECT 1 FROM {table} WHERE {where}").fetchone():  # noqa: S608 - names are ours
                return False
        except sqlite3.Error as error:
            if isinstance(ledger_error(error), LedgerCorruptError):
                return False
    return True


_SQL_TYPES = {"s": "'text'", "i": "'integer'", "f": "'real', 'integer'", "b": "'blob'"}
_SQL_TYPES |= {letter.upper(): f"{types}, 'null'" for letter, types in _SQL_TYPES.items()}
_AT_WORK = {
    "events": "state = 'accepted'",
    "deliveries": "state IN ('pending', 'sending')",
    "attempts": "false",
    "once": "false",
    "broadcasts": "false",
    "told_elsewhere": "false",
}
_COUNTS = """SELECT (SELECT count(*) FROM events),
    (SELECT count(*) FROM deliveries WHERE state IN ('pending', 'sending'))"""


class _Filling:
    def __init__(self, into: sqlite3.Connection) -> None:
        self._into = into
        self._columns = {
            table: [row[1] for row in into.execute(f"PRAGMA table_info({table})").fetchall()] for table in _TABLES
        }
        self._rank: dict[tuple[str, int], tuple[int, int]] = {}

    def read(self, damaged: Path) -> None:
        with Pages(damaged) as pages:
            done: set[int] = set()
            roots = pages.roots()
            for table in _TABLES.keys() & roots.keys():
                for number, rows in pages.tree(roots[table]):
                    if self._store(table, rows):
                        done.add(number)
            for name in roots.keys() - _TABLES.keys():
                done.update(pages.numbers(roots[name]))  # indexes
            # What lies behind a damaged page of the tree. Pages in no use hold rows as they were once.
            done |= pages.free() or set()
            for number in set(range(2, pages.count + 1)) - done:
                rows = pages.rows(number)
                for table in _TELLING:
                    self._store(table, rows)

    def _store(self, table: str, rows: list[Row]) -> bool:
        """Whether any is of that table."""
        fitting = [values for row in rows if (values := _fitting(table, row)) is not None]
        for values in fitting:
            columns = self._columns[table][: len(values)]
            if table in _STATE and not self._is_newer(table, values):
                continue
            self._into.execute(
                f"INSERT OR IGNORE INTO {table}({','.join(columns)}) "  # noqa: S608 - names are ours
                f"VALUES ({','.join('?' * len(columns))})",
                values[: len(columns)],
            )
        return bool(fitting)

    def _is_newer(self, table: str, values: tuple[Any, ...]) -> bool:
        """Of a row that is met twice, the version that has come further counts; it takes the other's place."""
        key, state = (table, values[0]), values[_STATE[table]]
        if table == "events":
            rank = (int(state != EventState.ACCEPTED), 0)
        else:
            rank = (int(state in FINAL_STATES), values[_ATTEMPTS])
        known = self._rank.get(key)
        if known is not None and rank <= known:
            return False
        self._rank[key] = rank
        if known is not None:
            self._into.execute(f"DELETE FROM {table} WHERE id = ?", (values[0],))  # noqa: S608
        return True


def _fitting(table: str, row: Row) -> tuple[Any, ...] | None:
    """The row with its id in it, None if it is no sound row of that table."""
    form = _TABLES[table]
    values = row.values
    if len(values) < len(form) or (row.rowid is None) == form.startswith("-"):
        return None
    if form.startswith("-"):
        if values[0] is not None or row.rowid is None or row.rowid <= 0:
            return None
        values = (row.rowid, *values[1:])
    sound = [values[0]]
    for letter, value in zip(form[1:], values[1:], strict=False):
        fits = isinstance(value, _TYPES[letter.lower()]) and not (isinstance(value, float) and not math.isfinite(value))
        if not fits and not letter.isupper():
            return None
        sound.append(value if fits else None)
    if form[0] != "-" and not isinstance(values[0], _TYPES[form[0]]):
        return None
    values = (*sound, *values[len(form) :])
    if table == "events":
        if values[_STATE[table]] not in set(EventState):
            return None
        if values[_PAYLOAD] is not None and not _is_payload(values[_PAYLOAD]):
            values = (*values[:_PAYLOAD], None, *values[_PAYLOAD + 1 :])
    if table == "deliveries" and values[_STATE[table]] not in set(DeliveryState):
        return None
    return values


def _is_payload(stored: bytes) -> bool:
    try:
        msgspec.json.decode(zlib.decompress(stored))
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


_UNREAD = "Its announcement could not be read from the damaged ledger."
_AGAIN = """SELECT e.id, d.id, d.destination FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE e.payload IS NULL AND e.state IN ('accepted', 'announced') AND d.state = 'pending' AND d.attempts = 0
    AND d.forced = 0"""


def _mend(into: sqlite3.Connection, now: float) -> None:
    """Rows that belong together and of which some are missing."""
    # Nobody saw these, and they can be made anew: their events are worked on once more.
    for event_id, delivery_id, destination in into.execute(_AGAIN).fetchall():
        into.execute("DELETE FROM once WHERE destination = ? AND event_id = ?", (destination, event_id))
        into.execute(
            "UPDATE events SET state = 'accepted', reason = NULL, explanation = NULL, settled_at = NULL WHERE id = ?",
            (event_id,),
        )
        into.execute("DELETE FROM deliveries WHERE id = ?", (delivery_id,))
    into.execute(
        "INSERT INTO events(id, source, kind, received_at, broadcaster_id, broadcaster_login, broadcaster_name, "
        "stream_id, subscription_id, detail, test, state, reason, explanation, settled_at) "
        "SELECT event_id, 'ledger', 'ledger.unread', min(born_at), '', '', '', '', '', '', 0, 'noted', "
        "'ledger_damaged', ?, ? FROM deliveries WHERE event_id NOT IN (SELECT id FROM events) GROUP BY event_id",
        ("An event could not be read from the damaged ledger.", now),
    )
    into.execute(
        "UPDATE deliveries SET state = 'dead', next_at = NULL, last_error = ?, settled_at = ? WHERE state IN "
        "('pending', 'sending') AND event_id IN (SELECT id FROM events WHERE payload IS NULL)",
        (_UNREAD, now),
    )
    into.execute(
        "UPDATE events SET state = 'noted', reason = 'ledger_damaged', explanation = ? "
        "WHERE state = 'announced' AND payload IS NULL",
        (_UNREAD,),
    )
    # What was announced must not be announced again, even where the row of it is lost.
    into.execute(
        "INSERT OR IGNORE INTO once SELECT d.destination, e.broadcaster_id, e.stream_id, e.id, d.created_at "
        "FROM deliveries d JOIN events e ON e.id = d.event_id WHERE e.source != 'ledger'"
    )
    # Rows of some of its destinations may be lost: as far as it may still run, it counts as announced to all.
    into.execute(
        "INSERT OR IGNORE INTO once SELECT name, broadcaster_id, stream_id, id, received_at FROM events, "
        "(SELECT destination AS name FROM once UNION SELECT destination FROM breakers UNION SELECT ?) "
        "WHERE state = 'announced' AND NOT test AND received_at > (SELECT max(received_at) FROM events) - ?",
        (FEED, _LONGEST_STREAM),
    )
    into.execute("UPDATE deliveries SET next_at = ? WHERE state = 'pending' AND next_at IS NULL", (now,))
    into.execute("DELETE FROM attempts WHERE delivery_id NOT IN (SELECT id FROM deliveries)")
    into.execute("DELETE FROM meta WHERE key = 'probe'")
    into.execute("DELETE FROM tally")
    into.execute("INSERT INTO tally SELECT destination, state, count(*) FROM deliveries GROUP BY destination, state")


def _begin(into: sqlite3.Connection, text: str, now: float) -> None:
    """The history says where it begins anew.

    Ids go on far above those of the old ledger (a second of the calendar each, and no ledger takes in one event a
    second for years), so that what is still in memory or in output.json is never mistaken for something new.
    """
    into.execute(
        "INSERT INTO events(id, source, kind, received_at, broadcaster_id, broadcaster_login, "
        "broadcaster_name, stream_id, subscription_id, detail, test, state, reason, explanation, settled_at) "
        "VALUES (max(?, coalesce((SELECT max(id) FROM events), 0) + 1), 'ledger', 'ledger.begun', ?, "
        "'', '', '', '', '', '', 0, 'noted', 'ledger_damaged', ?, ?)",
        (max(1, int(now) - _IDS_BEGAN), now, text, now),
    )
    into.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (BEGUN_ANEW, str(now)))
