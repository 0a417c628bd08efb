"""Files that must be there while the program runs: one that a cleanup script or a sync tool deletes is made again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, os_sentence
from itsjustintv_desktop.engine.core.status import Level, Status

EVERY = 5.0
"""Seconds between two looks."""

Keep = Callable[[], Awaitable[bool]]
"""Makes its file again if it is missing: True. Raises OSError or AppError if it cannot."""

_log = structlog.get_logger(__name__)


class FilesWatch:
    """Looks at all files in the order they were added in; one that cannot be had holds up those after it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Keep] = {}
        self._problem: str | None = None

    def add(self, name: str, keep: Keep) -> None:
        """`name` is what a person knows the file by."""
        self._kept[name] = keep

    async def run(self) -> None:
        """Until cancelled. Can be started again."""
        while True:
            await self.look()
            await self._clock.sleep(EVERY)

    async def look(self) -> None:
        """One look at each."""
        for name, keep in self._kept.items():
            try:
                missing = await keep()
            except (OSError, AppError) as error:
                self._failed(error.message if isinstance(error, AppError) else _sentence(name, error))
                return
            if missing:
                _log.warning("a file was deleted while the program runs; it is made again", file=name)
        if self._problem is not None:
            _log.info("the files of the data directory are all there again")
        self._problem = None

    def health(self) -> Status:
        """For health."""
        return Status() if self._problem is None else Status(Level.FAILING, self._problem)

    def _failed(self, problem: str) -> None:
        if problem != self._problem:
            _log.error("a file was deleted and cannot be made again", reason=problem)
        self._problem = problem


def _sentence(name: str, error: OSError) -> str:
    return f"{name} was deleted and cannot be made again: {os_sentence(error)}. It is tried again by itself."
