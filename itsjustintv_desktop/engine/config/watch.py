"""Notices that config.toml is another now, however it was saved.

The file is looked at once a second (its identity, size and times) and read every 15 seconds whatever they say. That
needs nothing of the system, so it works on network drives and for files swapped by rename; a library that is told by
the system would cost 5 MB and need this beside it for those.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.config.load import digest_of, read_bytes
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import ConfigError

EVERY = 1.0
"""Seconds between two looks at the file."""
READ_EVERY = 15.0
"""Seconds after which it is read although it looks the same: some file systems keep times by the second."""
SETTLE = 0.3
"""Seconds for which the content must stand still: who saves in place empties the file first."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The file at one moment. `digest` as in `load.Loaded`; `problem` says why it cannot be read."""

    digest: str
    missing: bool = False
    problem: ConfigError | None = None


class ConfigWatcher:
    """Blocks nothing: the disk is asked in a thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._triggered = asyncio.Event()
        self._mark: object = None
        self._read_at = float("-inf")

    def trigger(self) -> None:
        """Look now."""
        self._triggered.set()

    async def another(self, known: str, within: float | None = None) -> Content | None:
        """Wait until the file is another than the one with the digest `known` and stands still; what it is then.

        None: it was not within that many seconds.
        """
        began = self._clock.monotonic()
        while True:
            content = await self._look()
            if content is not None and content.digest != known and await self.steady(content, SETTLE):
                return content
            if within is not None and self._clock.monotonic() - began >= within:
                return None
            await self._clock.wait(self._triggered, EVERY)
            if self._triggered.is_set():
                self._triggered.clear()
                self._mark = None

    async def steady(self, content: Content, seconds: float) -> bool:
        """Whether the file is still like that after so many seconds."""
        await self._clock.sleep(seconds)
        now = await asyncio.to_thread(_read, self._path)
        if now.digest == content.digest:
            return True
        self._mark = None
        return False

    async def _look(self) -> Content | None:
        """The content if it may have changed since the last look."""
        mark = await asyncio.to_thread(_mark, self._path)
        now = self._clock.monotonic()
        if mark == self._mark and now - self._read_at < READ_EVERY:
            return None
        self._mark, self._read_at = mark, now
        return await asyncio.to_thread(_read, self._path)


def _mark(path: Path) -> object:
    """Differs when the file does, nearly always. Links are followed: a link may be pointed elsewhere."""
    try:
        found = os.stat(path)  # noqa: PTH116 - called every second
    except OSError as error:
        return error.errno
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _read(path: Path) -> Content:
    try:
        content = read_bytes(path)
    except ConfigError as error:
        return Content(digest=f"unreadable: {error.message}", problem=error)
    return Content(digest=digest_of(content), missing=content is None)
