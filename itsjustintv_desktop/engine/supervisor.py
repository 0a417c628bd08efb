"""Keeps the engine's loops running: a worker that stopped while all looks well is the worst fault of all."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from itsjustintv_desktop.engine.clock import Clock
from itsjustintv_desktop.engine.tasks import Tasks

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY_SECONDS = 60.0
"""A loop that ran this long before it broke starts over with the first pause."""

_log = structlog.get_logger(__name__)


class Supervisor:
    """Starts loops that must never end, and starts each again when it breaks. `broken` names those down now."""

    def __init__(self, tasks: Tasks, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self.broken: dict[str, str] = {}
        """Loop -> why it broke, while it waits for its next start."""

    def keep(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `loop()` under `name` until cancelled; it must be able to start over."""
        self._tasks.start(name, self._run(name, loop))

    async def _run(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._clock.monotonic()
            self.broken.pop(name, None)
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 - whatever broke it, it must go on
                _log.exception("a loop broke and is started again", loop=name)
                self.broken[name] = type(error).__name__
            else:
                _log.error("a loop ended and is started again", loop=name)
                self.broken[name] = "it ended"
            if self._clock.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
