"""Keeps the engine's loops running: a worker that stopped while all looks well is the worst fault of all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from itsjustintv_desktop.engine.clock import Clock
from itsjustintv_desktop.engine.tasks import Tasks

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY_SECONDS = 60.0
"""A loop that ran this long before it broke starts over with the first pause."""
END_SECONDS = 20.0
"""How long a loop that is no longer wanted may take to end."""

_log = structlog.get_logger(__name__)


class Supervisor:
    """Starts loops that must never end, and starts each again when it breaks. `broken` names those down now."""

    def __init__(self, tasks: Tasks, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self._kept: dict[str, asyncio.Task[None]] = {}
        self.broken: dict[str, str] = {}
        """Loop -> why it broke, while it waits for its next start."""
        self.broken_since: dict[str, float] = {}
        """Unix seconds, for each of `broken`."""
        self._scopes: dict[str, asyncio.Timeout] = {}
        self._closed = False

    def close(self) -> None:
        """The program stops: no loop is begun any more, whoever was just about to."""
        self._closed = True

    def keep(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `loop()` under `name` until cancelled; it must be able to start over."""
        if self._closed:
            return
        self._kept[name] = self._tasks.start(name, self._run(name, loop))

    def keeps(self, name: str) -> bool:
        """Whether a loop of that name runs, or waits for its next start."""
        return name in self._kept

    async def end(self, *names: str, timeout: float = END_SECONDS) -> None:
        """End those loops, as far as they run, and wait until they did; they may be kept again afterwards."""
        ending = {name: task for name in names if (task := self._kept.pop(name, None)) is not None}
        for task in ending.values():
            task.cancel()
        if ending:
            await asyncio.wait(ending.values(), timeout=timeout)
        for name, task in ending.items():
            self.broken.pop(name, None)
            if not task.done():
                _log.error("a loop did not end in time", loop=name)

    def restart(self, name: str) -> None:
        """Stop the loop `name` wherever it is, and start it again. Nothing happens to one that is not running."""
        scope = self._scopes.get(name)
        if scope is not None and not scope.expired():
            _log.warning("a loop is stopped and started again", loop=name)
            scope.reschedule(asyncio.get_running_loop().time())

    async def _run(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._clock.monotonic()
            self.broken.pop(name, None)
            try:
                if await self._once(name, loop):
                    continue
            except TimeoutError as error:
                _log.warning("a loop ran out of time and is started again", loop=name)
                self.broken[name] = type(error).__name__
            except Exception as error:  # noqa: BLE001 - whatever broke it, it must go on
                _log.exception("a loop broke and is started again", loop=name)
                self.broken[name] = type(error).__name__
            else:
                _log.error("a loop ended and is started again", loop=name)
                self.broken[name] = "it ended"
            self.broken_since[name] = self._clock.now()
            if self._clock.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _once(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Run it until it ends: False, or True if that was `restart`'s doing."""
        scope = self._scopes[name] = asyncio.timeout(None)
        try:
            async with scope:
                await loop()
        except TimeoutError:
            if not scope.expired():
                raise  # it is the loop's own
            return True
        finally:
            self._scopes.pop(name, None)
        return False
