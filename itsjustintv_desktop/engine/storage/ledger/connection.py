"""Opening the ledger file: permissions, durability, damage, and what a kill interrupted."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import structlog

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import LedgerCorruptError, LedgerError, LedgerUnavailableError, os_sentence
from itsjustintv_desktop.engine.storage.ledger.migrations import migrate

_log = structlog.get_logger(__name__)

_SQLITE_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

BESIDE = ("", "-wal", "-shm")
"""A ledger's own file and its companions."""
BEGUN_ANEW = "begun_anew"
"""Key in `meta`: when the ledger was begun anew after damage, Unix seconds. What was announced before may be lost."""


def open_ledger(path: Path) -> sqlite3.Connection:
    """A connection ready for use.

    Raises LedgerUnavailableError or LedgerTooNewError (the file is left as it is then), LedgerCorruptError.
    """
    try:
        take_up(path)
        # SQLite would wait for a pipe in the place of its journals, and follow a link.
        for suffix in ("-journal", *BESIDE):
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
        if isinstance(error, UnicodeDecodeError):  # in the schema
            raise LedgerCorruptError("The ledger file is damaged. It is put aside and a new one is begun.") from error
        raise


def unfinished(path: Path) -> Path:
    """Where a ledger that shall take the place of `path` is put together. Nothing of an earlier try is left there."""
    part = path.with_name(f"{path.name}.part")
    for suffix in ("-journal", *BESIDE):
        part.with_name(part.name + suffix).unlink(missing_ok=True)
    os.close(files.open_descriptor(part, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    return part


def finished(path: Path, part: Path) -> None:
    """From now on `part` is the ledger, whatever lies at `path`, and whenever the program ends. Raises OSError."""
    descriptor = files.open_descriptor(part)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(_new(path))
    files.sync_folder(path.parent)


def take_up(path: Path, why: str = "replaced") -> None:
    """Give a finished ledger its place; what was there is kept aside. Raises OSError."""
    if _new(path).exists():
        set_aside(path, aside_of(path, why))
        _new(path).rename(path)
        files.sync_folder(path.parent)


def aside_of(path: Path, why: str = "damaged") -> Path:
    """A name that nothing has yet."""
    return files.aside_of(path, why, beside=BESIDE)


def set_aside(path: Path, aside: Path) -> None:
    """Rename a ledger and its companions: nothing of it is overwritten. Raises OSError."""
    # The companions go first: a fresh ledger must never be met by the old write-ahead log.
    for moved in files.set_aside(path, aside, beside=BESIDE):
        _log.error("a ledger that cannot be used was put aside", file=moved.name)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def ledger_error(error: sqlite3.Error) -> LedgerError:
    """What an SQLite error means to the rest of the program."""
    code = getattr(error, "sqlite_errorcode", 0) or 0
    damaged = ("not a database", "Could not decode to UTF-8")
    if (code & 0xFF) in _SQLITE_CORRUPT or any(sign in str(error) for sign in damaged):
        return LedgerCorruptError("The ledger file is damaged. It is put aside and a new one is begun.")
    reasons = {
        sqlite3.SQLITE_FULL: "The disk is full. Free some space; nothing else needs doing.",
        sqlite3.SQLITE_READONLY: "The data directory is read-only. Make it writable for your user.",
        sqlite3.SQLITE_CANTOPEN: "The ledger file cannot be opened. Check the data directory and its permissions.",
        sqlite3.SQLITE_BUSY: "Another program holds the ledger file. Close it.",
        sqlite3.SQLITE_LOCKED: "Another program holds the ledger file. Close it.",
        sqlite3.SQLITE_IOERR: "The disk reported an error while the ledger was written. Check the disk.",
    }
    return LedgerUnavailableError(reasons.get(code & 0xFF, f"The ledger cannot be used ({_named(error)})."))


def _named(error: sqlite3.Error) -> str:
    """Its name, not its text: that may have a value of a row in it."""
    return getattr(error, "sqlite_errorname", type(error).__name__)
