"""The ledger's file while it is open: whether it is still where it was, and what becomes of it otherwise."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from itsjustintv_desktop.engine.core.errors import (
    AppError,
    LedgerCorruptError,
    LedgerError,
    LedgerLostError,
    LedgerUnavailableError,
    LedgerUndoneError,
    os_sentence,
)
from itsjustintv_desktop.engine.storage.ledger.connection import (
    BESIDE,
    aside_of,
    finished,
    ledger_error,
    open_ledger,
    set_aside,
    take_up,
    unfinished,
)
from itsjustintv_desktop.engine.storage.ledger.salvage import is_sound, salvage
from itsjustintv_desktop.engine.storage.ledger.walcopy import LONG, WalCopy

_REMEMBERED = 3600.0
"""Seconds for which what happened to the file is spoken of."""
_GONE = "The ledger was deleted or replaced while the program runs. It is copied to a new file."
_COPIED = (
    "The ledger was deleted or replaced while the program ran. All of it was copied to a new file, so nothing is lost. "
    "Keep cleanup and sync programs away from the data directory."
)
_OVERWRITTEN = "The ledger's write-ahead log was overwritten while the program runs."
_REPAIRED = (
    "The ledger's write-ahead log was overwritten while the program ran. It was written again from memory, so nothing "
    "is lost. Keep cleanup and sync programs away from the data directory."
)
_UNDONE = "The ledger's write-ahead log was overwritten, and what was just stored with it. It is stored again."

_log = structlog.get_logger(__name__)


class LedgerFile:
    """All methods belong to the ledger's thread, but `lately`. `on_notice` is called there with a sentence."""

    def __init__(self, path: Path, on_notice: Callable[[str], None]) -> None:
        self._path = path
        self._image = path.with_name(f"{path.name}.image")
        self._on_notice = on_notice
        self._places: list[_Place] = []
        self._size = 0
        """Bytes of the database when it was looked at last."""
        self._wal: WalCopy | None = None
        self._happened: tuple[str, float] | None = None
        self.connection: sqlite3.Connection | None = None
        self.lost = False
        """Whether what is committed goes into a file that nobody will find again."""

    @property
    def lately(self) -> str | None:
        """What happened to the file within the last hour."""
        happened = self._happened
        return happened[0] if happened is not None and time.monotonic() - happened[1] < _REMEMBERED else None

    def open(self) -> sqlite3.Connection:
        """Open it if it is not; a damaged one is replaced by what can be read of it. Raises LedgerError."""
        if self.connection is None:
            with suppress(OSError):  # what a kill left of an earlier try
                unfinished(self._path).unlink()
                self._image.unlink(missing_ok=True)
            try:
                self.connection = opened = open_ledger(self._path)
                if not is_sound(opened):
                    self.close()
                    raise LedgerCorruptError("The ledger file is damaged. It is put aside and a new one is begun.")
            except LedgerCorruptError:
                self._salvage(self._path)
                self.connection = open_ledger(self._path)
            self._places = [_Place(f"{self._path}{suffix}") for suffix in BESIDE]
            self._size = 0
            with suppress(OSError):  # deleted in the moment it was opened
                (page_size,) = self.connection.execute("PRAGMA page_size").fetchone()
                self._wal = WalCopy(self._path.with_name(f"{self._path.name}-wal"), page_size)
                self.connection.execute("PRAGMA wal_autocheckpoint = 0")  # what is copied is looked at before
        return self.connection

    def look(self, *, committed: bool = False, all_of_it: bool = False, briefly: bool = False) -> bool:
        """See whether it is still there with all that was written to it; whether that had to be repaired.

        `committed`: something was just now. `all_of_it`: read all of the log, although nobody else seems to have
        written to it. `briefly`: only take in what was just committed. Raises LedgerUndoneError (what was just
        committed is not kept), LedgerLostError, LedgerCorruptError, LedgerUnavailableError (it could not be repaired
        yet).
        """
        wal = self._wal
        intact = True
        database = log = shm = None
        if self._places and not briefly:
            database, log, shm = (place.look() for place in self._places)
        if wal is not None:
            with suppress(OSError, sqlite3.Error):  # no word on what is in it; it is tried again
                intact = wal.intact(committed=committed, all_of_it=all_of_it, log=log, shm=shm)
                if intact and not committed and wal.uncopied >= LONG and self.connection is not None:
                    self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    intact = wal.intact()
            if not intact:
                self._repair(wal)
                if committed and not wal.has_latest:
                    raise LedgerUndoneError(_UNDONE)
        if self._places and not all(place.is_there for place in self._places):
            raise LedgerLostError(_GONE)
        if database is not None:
            # What was copied of a damaged log may have cut the database off: the one that is repaired has all of it.
            # Another program may have packed it (VACUUM).
            least = wal.database_size if wal is not None else 0
            if intact and database.st_size < self._size and not 0 < least <= database.st_size:
                raise LedgerCorruptError("The ledger file was cut off while the program runs.")
            self._size = database.st_size
        return not intact

    def _repair(self, wal: WalCopy) -> None:
        try:
            if not wal.repair():
                raise LedgerCorruptError(_OVERWRITTEN)
        except OSError as error:
            raise (LedgerUnavailableError if wal.has_latest else LedgerUndoneError)(
                "The ledger's write-ahead log was overwritten while the program runs, and could not be written again: "
                f"{os_sentence(error)}. It is tried again by itself; do not end the program before."
            ) from error
        _log.warning("the ledger's write-ahead log was overwritten; it is written again from memory")
        self._say(_REPAIRED)

    def why(self, error: BaseException) -> LedgerError:
        """What an error of a commit means: perhaps it is what was done to the file."""
        if isinstance(error, LedgerError) and not isinstance(error, LedgerCorruptError):
            return error
        if not self.lost:
            try:
                if self.look(all_of_it=True):
                    return LedgerUndoneError(_UNDONE)
            except LedgerError as found:
                return found
        if isinstance(error, LedgerError):
            return error
        if isinstance(error, sqlite3.Error):
            return ledger_error(error)
        return LedgerUnavailableError(
            f"The ledger cannot be used ({type(error).__name__}). It is tried again by itself."
        )

    def rescue(self) -> None:
        """Copy a deleted ledger from the file that is still open. Raises LedgerError: it can be tried again."""
        self.lost = True
        ours = {place.identity for place in self._places}
        aside = aside_of(self._path, "replaced")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.connection is not None:
                finished(self._path, self._copy(self.connection))
                # Before it is closed: SQLite then deletes whatever bears the name of its write-ahead log.
                if sys.platform == "win32":  # nothing that is open can be renamed there, nor deleted meanwhile
                    self.close()
                set_aside(self._path, aside)
                self.close()
            take_up(self._path)
        except OSError as error:
            raise LedgerUnavailableError(
                "The ledger was deleted or replaced while the program runs, and it could not be copied to a new file: "
                f"{os_sentence(error)}. It is tried again by itself; do not end the program before."
            ) from error
        self.open()
        self.lost = False
        self._say(_COPIED)
        for suffix in BESIDE:  # what was copied need not be kept: it may be deleted every hour
            with suppress(OSError):
                old = aside.with_name(aside.name + suffix)
                if _identity(os.lstat(old)) in ours:
                    old.unlink()

    def replace(self) -> None:
        """Go on with what can be read of a damaged ledger. Raises LedgerError: it can be tried again."""
        image: Path | None = None
        if self.connection is not None:
            try:
                # With what SQLite still has of it in memory.
                image = self._copy(self.connection).rename(self._image)
            except (OSError, AppError) as error:
                _log.info("the damaged ledger is read from its file alone", reason=str(error))
            self.close()
        try:
            self._salvage(image or self._path)
        finally:
            if image is not None:
                image.unlink(missing_ok=True)
        self.open()

    def close(self) -> None:
        connection, self.connection = self.connection, None
        wal, self._wal = self._wal, None
        self._places = []
        if wal is not None and sys.platform == "win32":  # SQLite deletes the files, which nobody may have open there
            wal.close()
        if connection is not None:
            connection.close()
        if wal is not None:
            wal.close()

    def _copy(self, connection: sqlite3.Connection) -> Path:
        """Raises OSError, LedgerError."""
        part = unfinished(self._path)
        try:
            copy = sqlite3.connect(part, isolation_level=None)
            try:
                connection.backup(copy)
            finally:
                copy.close()
        except sqlite3.Error as error:
            part.unlink(missing_ok=True)
            raise ledger_error(error) from error
        return part

    def _salvage(self, damaged: Path) -> None:
        try:
            part = unfinished(self._path)
            try:
                new = open_ledger(part)
                try:
                    saved = salvage(damaged, new, aside := aside_of(self._path))
                finally:
                    new.close()
            except sqlite3.Error as error:
                raise ledger_error(error) from error
            set_aside(self._path, aside)
            finished(self._path, part)
            take_up(self._path)
        except OSError as error:
            raise LedgerUnavailableError(
                f"The damaged ledger could not be put aside: {os_sentence(error)}. Move ledger.db away by hand."
            ) from error
        self._say(f"The ledger was damaged. It was put aside as {aside.name} and a new one was begun.{saved.sentence}")

    def _say(self, text: str) -> None:
        self._happened = text, time.monotonic()
        self._on_notice(text)


class _Place:
    """A file by its name: which one it was when it was opened, and whether it is still there."""

    __slots__ = ("_path", "identity", "is_there")

    def __init__(self, path: str) -> None:
        self._path = path
        self.is_there = True
        try:
            found = os.lstat(path)
        except OSError:
            self.identity = 0, 0  # deleted in the moment it was opened
        else:
            self.identity = _identity(found)

    def look(self) -> os.stat_result | None:
        """What the system says of it; None if it is not there, or if that cannot be told."""
        try:
            found = os.lstat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            self.is_there = False
        except OSError:
            self.is_there = True  # no word on whether it is
        else:
            self.is_there = _identity(found) == self.identity
            if self.is_there:
                return found
        return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_ino, found.st_dev
