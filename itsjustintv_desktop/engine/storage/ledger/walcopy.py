"""What SQLite's write-ahead log holds, kept in memory as well: another program can overwrite or truncate the file.

SQLite trusts the file: it does not read what it wrote again before it copies it into the database, and after a kill it
silently ignores a log that is damaged. Source: https://www.sqlite.org/fileformat2.html (4 WAL).
"""

from __future__ import annotations

import os
import sqlite3
import struct
import time
from contextlib import suppress
from pathlib import Path

from itsjustintv_desktop.engine import files

_HEADER = 32
_FRAME_HEADER = 24
_MAGIC = (0x377F0682, 0x377F0683)
_READ = 64 * 1024
"""Most of what one commit writes comes with one read."""

_COMPARE_SECONDS = 2.0


class WalCopy:
    """All methods belong to the ledger's thread and raise no error but OSError, where the disk cannot be read."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Right after the database was opened. Raises OSError."""
        self._connection = connection
        # SQLite's locks are on other files: closing this descriptor gives none of them up.
        self._file = os.fdopen(files.open_descriptor(path, os.O_RDWR), "r+b", buffering=0)
        self._step = _FRAME_HEADER + connection.execute("PRAGMA page_size").fetchone()[0]
        self._header = self._read(0, _HEADER)
        self._frames = bytearray()
        """All that were committed since the log was begun, with their headers."""
        self._written_at = 0
        self._compared_at = 0.0
        self._latest = True
        """Whether the last commit is among them."""
        self.unsure()
        self._begin_anew()

    def close(self) -> None:
        self._file.close()

    def unsure(self) -> None:
        """After a start or a failed commit it cannot be told which frames count, until the log is begun anew."""
        self._complete = len(self._header) < _HEADER
        self._frames.clear()

    def committed(self, *, rows: bool) -> bool:
        """Take in what was just written; whether the file holds it, and all that it held before.

        `rows`: some were written for certain. Whether anything was can be told from the file's time as well.
        """
        self._begun_anew()
        self._latest = self._take_in()
        changed_at = self._changed_at()
        if self._complete and not self._latest and (rows or changed_at != self._written_at):
            return False
        self._written_at = changed_at
        return self.intact()

    def intact(self) -> bool:
        """Whether the file still holds what was committed."""
        if self._read(0, _HEADER) != self._header and not self._begun_anew():
            return False
        changed_at, now = self._changed_at(), time.monotonic()
        known = _HEADER + len(self._frames)
        # All of it if it was not SQLite that wrote to it, and now and then: both may have written at a time.
        all_of_it = changed_at != self._written_at or now - self._compared_at >= _COMPARE_SECONDS
        begin = _HEADER if all_of_it else known - self._step
        if self._frames and self._read(begin, known - begin) != self._frames[begin - _HEADER :]:
            return False
        self._written_at = changed_at
        self._compared_at = now if all_of_it else self._compared_at
        self._latest = True
        return True

    def repair(self) -> bool:
        """Write all that was committed into the file again. False: it is not known."""
        if not self._complete:
            return False
        self._file.seek(0)
        for content in (self._header, self._frames):
            rest = memoryview(content)
            while rest:
                rest = rest[self._file.write(rest) :]
        if self._latest:  # else SQLite alone has it
            self._connection.execute("PRAGMA shrink_memory")  # what it read of the damaged file
        return True

    def _begin_anew(self) -> None:
        """Have the next commit begin the log anew where it is not known what is in it."""
        if not self._complete:
            with suppress(sqlite3.Error):  # it is met again by the next commit
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _begun_anew(self) -> bool:
        """SQLite begins the log anew when the database has all of it."""
        header = self._read(0, _HEADER)
        if not self._follows(header):
            return False
        self._header = header
        self._frames.clear()
        self._complete = True
        return True

    def _follows(self, header: bytes) -> bool:
        """Whether SQLite wrote that header after the one that is known."""
        if header == self._header or len(header) < _HEADER:
            return False
        magic, _, size, number, *_ = struct.unpack(">8I", header)
        return (
            magic in _MAGIC
            and size == self._step - _FRAME_HEADER
            and _checksum(header[:24], big=bool(magic & 1)) == header[24:]
            and (len(self._header) < _HEADER or number - struct.unpack(">I", self._header[12:16])[0] > 0)
        )

    def _take_in(self) -> bool:
        """Whether there was anything."""
        if not self._complete:
            return False
        salts = self._header[16:24]
        found = bytearray()
        size = _READ // self._step * self._step
        while part := self._read(_HEADER + len(self._frames) + len(found), size):
            end = 0
            while end + self._step <= len(part) and part[end + 8 : end + 16] == salts:
                end += self._step
            found += part[:end]
            if end < size:
                break
        # The last frame of a commit names the size of the database; what follows it is no part of any.
        end = len(found)
        while end and not any(found[end - self._step + 4 : end - self._step + 8]):
            end -= self._step
        self._frames += found[:end]
        return end > 0

    def _changed_at(self) -> int:
        return os.fstat(self._file.fileno()).st_mtime_ns

    def _read(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size) or b""


def _checksum(content: bytes, *, big: bool) -> bytes:
    one = two = 0
    words = struct.unpack(f"{'>' if big else '<'}{len(content) // 4}I", content)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return struct.pack(">2I", one, two)
