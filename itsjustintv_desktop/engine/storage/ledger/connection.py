"""Opening the ledger file: permissions, durability, damage."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from pathlib import Path

import structlog

from itsjustintv_desktop.engine import files
from itsjustintv_desktop.engine.errors import LedgerCorruptError, LedgerUnavailableError
from itsjustintv_desktop.engine.storage.ledger.migrations import migrate
from itsjustintv_desktop.engine.translate import ledger_error, os_sentence

_log = structlog.get_logger(__name__)

_BESIDE = ("", "-wal", "-shm")
_IDS_BEGAN = 1_700_000_000
"""Unix seconds at which the ids of `begin_anew` would be 0."""


def open_ledger(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """A connection ready for use, and where a damaged file was put aside (None if all was well).

    Raises LedgerUnavailableError or LedgerTooNewError; the file is left as it is then.
    """
    try:
        return _open(path), None
    except LedgerCorruptError:
        aside = put_aside(path)
        return begin_anew(path, aside), aside


BEGUN_ANEW = "begun_anew"
"""Key in `meta`: when the ledger was begun anew after damage, Unix seconds. What was announced before is not known."""


def begin_anew(path: Path, aside: Path) -> sqlite3.Connection:
    """A new ledger where a damaged one was put aside. Raises LedgerUnavailableError.

    Its ids begin far above those of the old one (a second of the calendar each, and no ledger takes in one event a
    second for years), so that what is still in memory or in output.json is never mistaken for something new.
    """
    connection = _open(path)
    now = time.time()
    text = f"The ledger was damaged and put aside as {aside.name}. A new one begins here."
    connection.execute(
        "INSERT OR IGNORE INTO events(id, source, kind, received_at, broadcaster_id, broadcaster_login, "
        "broadcaster_name, stream_id, subscription_id, detail, test, state, reason, explanation, settled_at) "
        "VALUES (?, 'ledger', 'ledger.begun', ?, '', '', '', '', '', '', 0, 'noted', 'ledger_damaged', ?, ?)",
        (max(1, int(now) - _IDS_BEGAN), now, text, now),
    )
    connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (BEGUN_ANEW, str(now)))
    return connection


def put_aside(path: Path) -> Path:
    """Rename a damaged ledger and its companions: nothing of it is overwritten. Raises LedgerUnavailableError."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    number = 0
    while (aside := path.with_name(f"{path.name}.damaged-{stamp}{f'-{number}' if number else ''}")).exists():
        number += 1
    try:
        # The companions go first: a fresh ledger must never be met by the old write-ahead log.
        for suffix in reversed(_BESIDE):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise LedgerUnavailableError(
            f"The damaged ledger could not be put aside: {os_sentence(error)}. Move ledger.db away by hand."
        ) from error
    _log.error("the ledger was damaged and put aside", file=aside.name)
    return aside


def _open(path: Path) -> sqlite3.Connection:
    try:
        # SQLite would wait for a pipe in the place of its journals, and follow a link.
        for suffix in ("-journal", *_BESIDE):
            files.check(path.with_name(path.name + suffix))
        # 0600 before SQLite sees it; its -wal and -shm take over the mode.
        os.close(files.open_descriptor(path, os.O_RDWR | os.O_CREAT))
        if sys.platform != "win32":
            path.chmod(0o600)
    except OSError as error:
        raise LedgerUnavailableError(
            f"The ledger file cannot be opened: {os_sentence(error)}. Check the data directory and its permissions."
        ) from error
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=1.0, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if sys.platform == "darwin":
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA foreign_keys = OFF")
        migrate(connection)
        # Touches the root of every table and index: a damaged header or schema shows itself here, not at 3 a.m.
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()  # noqa: S608 - names are ours
        return connection
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise ledger_error(error) from error
        raise
