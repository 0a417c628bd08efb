"""The log file: rotated by size, the owner's alone, and never a reason to fail.

Runs in the thread of `Background` and may wait for the disk there.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import stat
import sys
import time
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

import structlog

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.clock import Clock, SystemClock
from itsjustintv_desktop.engine.core.errors import os_sentence
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.logs import chain

NAME: Final = "itsjustintv.log"
SIZE: Final = 2 * 1024 * 1024
"""Bytes of one file, roughly."""
FILES: Final = 5
"""The one that is written and those before it."""
_AGAIN: Final = 60.0
"""Seconds between two tries of rotating while something holds a file."""

_log = structlog.get_logger(__name__)


class LogFile(RotatingFileHandler):
    """JSON lines in `folder`. Trouble is said once, then it is quiet until lines are written again."""

    def __init__(self, folder: Path, *, size: int = SIZE, files: int = FILES, clock: Clock | None = None) -> None:
        super().__init__(folder / NAME, maxBytes=size, backupCount=files - 1, delay=True)
        self._folder = folder
        self._rotate_after = 0.0
        self._lost = 0
        self._dropped = 0
        self._throttle = LogThrottle(clock or SystemClock(), every=60.0)
        self.take_dropped: Callable[[], int] = lambda: 0
        """Lines that were lost before they came here."""
        self.setFormatter(chain.json_formatter())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._tell_dropped()
            if self.stream is not None and os.fstat(self.stream.fileno()).st_nlink == 0:
                self._drop_stream()  # somebody deleted it: a new one is begun
            if self.shouldRollover(record):
                self._rotate()
            if self.stream is None:
                self.stream = self._open()
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            # Unbuffered: what a full disk refused is lost, and does not come again later in pieces.
            if os.write(self.stream.fileno(), line) != len(line):
                raise OSError(errno.ENOSPC, "only a part was written")
        except Exception as error:  # noqa: BLE001 - whatever it is: logging must not break what is logged
            self._failed(error)
        else:
            self._worked()

    def shouldRollover(self, _: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        """Without formatting the line for it, as the library does."""
        if self.stream is None:
            self.stream = self._open()
        return os.fstat(self.stream.fileno()).st_size >= self.maxBytes and time.monotonic() >= self._rotate_after

    def _rotate(self) -> None:
        """What holds a file (a viewer, on Windows) is waited for; meanwhile this one grows, up to twice its size."""
        assert self.stream is not None
        too_large = os.fstat(self.stream.fileno()).st_size >= 2 * self.maxBytes
        try:
            self.doRollover()
        except OSError:
            if too_large:
                raise
            self._rotate_after = time.monotonic() + _AGAIN

    def _open(self) -> Any:
        """Raises OSError; a link, a folder or a pipe in its place is refused, and so is a link for the folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not stat.S_ISDIR(self._folder.lstat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "it is a link")
        handle = files.open_descriptor(self.baseFilename, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            if sys.platform != "win32":
                self._folder.chmod(0o700)
                os.fchmod(handle, 0o600)
            _end_last_line(handle)
            return io.FileIO(handle, "ab")
        except BaseException:
            os.close(handle)
            raise

    def _failed(self, error: Exception) -> None:
        self._lost += 1
        self._drop_stream()
        if self._lost == 1:
            reason = os_sentence(error) if isinstance(error, OSError) else type(error).__name__
            _log.warning("the log file cannot be written; it is tried again with every line", reason=reason)

    def _worked(self) -> None:
        if self._lost:
            lost, self._lost = self._lost, 0
            _log.info("the log file is written again", lines_lost=lost)

    def _tell_dropped(self) -> None:
        """Now and then while the disk cannot keep up."""
        self._dropped += self.take_dropped()
        if self._dropped and self._throttle.due() is not None:
            dropped, self._dropped = self._dropped, 0
            _log.warning("the disk was too slow for the log: lines were left out", lines_lost=dropped)

    def _drop_stream(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # the same trouble again
                stream.close()


def _end_last_line(handle: int) -> None:
    """A kill or a full disk may have left half a line: the next one must not be glued to it."""
    size = os.lseek(handle, 0, os.SEEK_END)
    if size:
        os.lseek(handle, size - 1, os.SEEK_SET)
        if os.read(handle, 1) != b"\n":
            os.write(handle, b"\n")
