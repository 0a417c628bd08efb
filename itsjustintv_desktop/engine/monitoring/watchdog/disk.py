"""How much room is left where everything is kept."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.status import Level, Status

FULL = 50_000_000
"""Bytes. With less, an event may not fit any more at the next moment."""
NARROW = 500_000_000
MEGABYTE = 1_000_000
EVERY = 60.0
"""Seconds between two looks."""


class DiskWatch:
    """Looks in a thread of its own, since a disk that hangs hangs that as well; never two at a time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._look_at = float("-inf")
        self._looking: asyncio.Future[int | None] | None = None
        self.free: int | None = None
        """Bytes, as last seen; None = not known."""

    def look(self) -> None:
        """Take in the last look, and begin another where it is time. Does not wait."""
        if self._looking is not None:
            if not self._looking.done():
                return
            self.free = self._looking.result()
            self._looking = None
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + EVERY
            self._looking = asyncio.get_running_loop().run_in_executor(None, free, self._folder)

    def part(self) -> Status:
        if self.free is None or self.free >= NARROW:
            return Status()
        left = f"{self.free // MEGABYTE:,} MB"
        if self.free < FULL:
            return Status(Level.FAILING, f"Only {left} are left for {self._folder}: free some space.")
        return Status(Level.WAITING, f"Only {left} are left for {self._folder}.")


def free(folder: Path) -> int | None:
    """Bytes left on its disk, None if it does not say. Blocks."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
