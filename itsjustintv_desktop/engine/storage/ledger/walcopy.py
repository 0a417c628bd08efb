"""What SQLite's write-ahead log holds, kept in memory as well: another program can overwrite or truncate the file.

SQLite trusts the file: it does not read what it wrote again before it copies it into the database, and after a kill it
silently ignores what follows a damaged frame. What should be in the log is said by its index, the -shm file.
Sources: https://www.sqlite.org/fileformat2.html (4 WAL), https://www.sqlite.org/walformat.html (2.2 WAL-index).
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import time
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from itsjustintv_desktop.engine.core import files

_HEADER = 32
_FRAME_HEADER = 24
_INDEX_HEADER = 2 * 48
"""It stands there twice: while both differ, another program is writing it."""
_INDEX_VERSION = 3007000
LONG = 500
"""Frames (about 2 MB) after which the log is copied into the database, so that SQLite begins it anew."""
_MOST = 16 * 1024 * 1024
"""Bytes that are kept. There are more only while another program reads the database all the time."""
_COMPARE_SECONDS = 2.0


class _Index(NamedTuple):
    """What SQLite takes the log for."""

    salts: bytes
    """They change whenever the log is begun anew."""
    frames: int
    last: bytes
    """The header of the last frame, without its page number."""
    copied: int
    """How many frames were copied into the database."""
    pages: int
    """The size of the database."""


class WalCopy:
    """All methods belong to the ledger's thread and raise no error but OSError, where the files cannot be used."""

    def __init__(self, path: Path, page_size: int) -> None:
        """`path`: the log of a database that was just opened. Raises OSError."""
        self._page = page_size
        self._step = _FRAME_HEADER + page_size
        self._known: _Index | None = None
        self._header = b""
        self._buffer = bytearray()
        """Never gets shorter: memory that is given back and asked for again would be half of what all this takes."""
        self._size = 0
        """So many bytes of it are all frames that were committed since the log was begun, if `_complete`."""
        self._complete = False
        self._index_size = 0
        self._changed_at: int | None = 0
        """When the file was written last, ns; None: we wrote to it since that was asked."""
        self._compared_at = 0.0
        self.has_latest = True
        """Whether the last commit can be repaired as well."""
        with ExitStack() as opened:
            self._log = opened.enter_context(_opened(path))
            self._shm = opened.enter_context(_opened(path.with_name(f"{path.name.removesuffix('-wal')}-shm")))
            try:
                mapped = mmap.mmap(self._shm.fileno(), _INDEX_HEADER + 4, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise OSError("The index is shorter than its header.") from error
            self._mapped = opened.enter_context(mapped)
            self.intact()
            self._files = opened.pop_all()

    def close(self) -> None:
        """After the connection was closed: to close a descriptor of the -shm gives up SQLite's locks on it."""
        self._files.close()

    @property
    def uncopied(self) -> int:
        """So many frames are not in the database yet."""
        return self._known.frames - self._known.copied if self._known is not None else 0

    @property
    def database_size(self) -> int:
        """Bytes of the database once the log was copied into it; 0 if that is not known."""
        return self._known.pages * self._page if self._known is not None else 0

    def intact(
        self,
        *,
        committed: bool = False,
        all_of_it: bool = False,
        log: os.stat_result | None = None,
        shm: os.stat_result | None = None,
    ) -> bool:
        """Take in what was written since; whether the file holds it, and all that it held before.

        `committed`: something was written just now. `all_of_it`: compare every byte, whatever the file's time says.
        `log`, `shm`: what the system just said of the files; not asked again, because each call of the system gives
        up Python's lock, for which the loop's thread waits as well.
        """
        if not committed:
            log, shm = log or os.fstat(self._log.fileno()), shm or os.fstat(self._shm.fileno())
        while True:
            index = self._index(shm)
            if self._holds(index, committed, all_of_it, log.st_mtime_ns if log is not None else None):
                return True
            log, shm = os.fstat(self._log.fileno()), os.fstat(self._shm.fileno())
            if self._index(shm) == index:
                return False  # otherwise another program went on with the log in this moment

    def repair(self) -> bool:
        """Write all that was committed into the file again and have SQLite read it anew. False: it is not known."""
        if not self._complete or self._known is None or not self._is_sound():
            return False
        self._known = self._known._replace(copied=0)  # it may have been copied as it was damaged
        _write(self._log, self._header + self._frames)
        self._log.truncate()
        os.fsync(self._log.fileno())
        _write(self._shm, bytes(_INDEX_HEADER))
        return True

    def _holds(self, index: _Index | None, committed: bool, all_of_it: bool, changed_at: int | None) -> bool:
        known = self._known
        self.has_latest = index[:3] == known[:3] if index and known else not committed
        index = index or known  # one that is damaged SQLite makes anew from the log
        if index is None:
            return True
        anew = known is None or index.salts != known.salts
        before = 0 if anew else self._size
        size = index.frames * self._step
        if size < before or (anew and not self._may_begin_anew(index.salts)):
            return False  # SQLite had to read the log again and found less than there was
        now = time.monotonic()
        all_of_it = (
            all_of_it
            or (not committed and self._changed_at is not None and changed_at != self._changed_at)
            or now - self._compared_at >= _COMPARE_SECONDS
            # What is copied into the database stays there when the log is begun anew, be it damaged or not.
            or (known is not None and index.copied != known.copied)
        )
        if not committed and not all_of_it and index == known and self._changed_at is not None:
            return True  # nobody wrote to it
        complete = (anew or self._complete) and size <= _MOST
        kept = before if complete else 0
        begin = before if complete else max(size - self._step, 0)
        header = self._header if kept else b""
        if size and (not kept or all_of_it or changed_at is not None):
            header = _read(self._log, 0, _HEADER)
        if (size and header[16:24] != index.salts) or not self._take(kept, begin, size):
            return False
        end = kept + size - begin
        if size and self._last(end) != index.last:
            return False
        if any(self._buffer[at + 8 : at + 16] != index.salts for at in range(kept, end, self._step)):
            return False
        same = True
        if kept and (all_of_it or changed_at is not None):
            # All at once: Python's lock is given up for each piece.
            since = 0 if all_of_it else kept - self._step
            found = _read(self._log, _HEADER + since, kept - since)
            # Each frame has a checksum over all before it: what is new follows what is known.
            if found[4 - self._step : _FRAME_HEADER - self._step] != self._last(kept):
                return False
            same = found.startswith(memoryview(self._buffer)[since:kept])
        if not kept:
            self._header = header
        self._size = end if complete else 0
        self._known, self._complete, self.has_latest = index, complete, True
        if header != self._header or not same:
            return False
        self._changed_at, self._compared_at = changed_at, now if all_of_it else self._compared_at
        return True

    def _take(self, at: int, begin: int, end: int) -> bool:
        """Read the frames from byte `begin` to `end` into the buffer; whether all of them are there."""
        missing = at + end - begin - len(self._buffer)
        if missing > 0:
            self._buffer += bytes(missing)
        with memoryview(self._buffer) as buffer:
            while begin < end:
                size = _read_into(self._log, _HEADER + begin, buffer[at : at + end - begin])
                if not size:
                    return False
                at, begin = at + size, begin + size
        return True

    @property
    def _frames(self) -> bytes:
        return bytes(self._buffer[: self._size])

    def _is_sound(self) -> bool:
        """Whether the checksums fit: SQLite ignores what follows one that does not. Takes about 0.1 ms a frame."""
        if not self._size:
            return True
        order = ">" if self._header[3] & 1 else "<"
        sums = _checksum((0, 0), self._header[:24], order)
        if struct.pack(">2I", *sums) != self._header[24:]:
            return False
        for at in range(0, self._size, self._step):
            sums = _checksum(sums, self._buffer[at : at + 8], order)
            sums = _checksum(sums, self._buffer[at + _FRAME_HEADER : at + self._step], order)
            if struct.pack(">2I", *sums) != self._buffer[at + 16 : at + _FRAME_HEADER]:
                return False
        return True

    def _last(self, end: int) -> bytes:
        """The header of the frame that ends there, as `_Index` has it."""
        return bytes(self._buffer[end - self._step + 4 : end - self._step + _FRAME_HEADER])

    def _may_begin_anew(self, salts: bytes) -> bool:
        """SQLite begins the log anew when all of it is in the database, and adds one to the first salt then."""
        known = self._known
        if known is None or not self._size or known.copied == known.frames:
            return True
        first, before = (int.from_bytes(each[:4], "big") for each in (salts, known.salts))
        return 0 < (first - before) % (1 << 32) < 1 << 16

    def _index(self, shm: os.stat_result | None) -> _Index | None:
        """None if it is damaged."""
        if shm is not None:
            if shm.st_size < self._index_size:
                # SQLite has it mapped: what is missing would end the program, zeros would hide what is in the log.
                _write(self._shm, bytes(_INDEX_HEADER))
                self._shm.truncate(self._index_size)
                return None
            self._index_size = shm.st_size
        one, two = self._mapped[: _INDEX_HEADER // 2], self._mapped[_INDEX_HEADER // 2 : _INDEX_HEADER]
        if one != two:
            return None
        version, frames, pages, *sums, salts = struct.unpack("=I12xIIII8s8x", one)
        if version != _INDEX_VERSION:
            return None
        (copied,) = struct.unpack("=I", self._mapped[_INDEX_HEADER:])
        return _Index(salts, frames, struct.pack(">I8sII", pages, salts, *sums), copied, pages)


def _opened(path: Path) -> FileIO:
    return os.fdopen(files.open_descriptor(path, os.O_RDWR), "r+b", buffering=0)


def _read(file: FileIO, at: int, size: int) -> bytes:
    if sys.platform == "win32":  # it has no such call
        file.seek(at)
        return file.read(size)
    return os.pread(file.fileno(), size, at)


def _read_into(file: FileIO, at: int, buffer: memoryview) -> int:
    if sys.platform == "win32":
        file.seek(at)
        return file.readinto(buffer) or 0
    return os.preadv(file.fileno(), [buffer], at)


def _write(file: FileIO, content: bytes) -> None:
    file.seek(0)
    while content:
        content = content[file.write(content) :]


def _checksum(sums: tuple[int, int], content: bytes | bytearray, order: str) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
