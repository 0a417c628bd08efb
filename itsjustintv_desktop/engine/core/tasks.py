"""The only place where asyncio tasks are made: each is named, kept until done, and logged when it fails."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.status import Level, Status

T = TypeVar("T")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY_SECONDS = 60.0
"""A loop that ran this long before it broke starts over with the first pause."""
END_SECONDS = 20.0
"""How long a loop that is no longer wanted may take to end."""

_log = structlog.get_logger(__name__)


class Tasks:
    """A group of named background tasks that ends together.

    A task that fails is logged, with its traceback unless it ran out of time, and handed to `on_failure` (name,
    error); the others go on.
    """

    def __init__(self, on_failure: Callable[[str, BaseException], None] | None = None) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_failure = on_failure

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def names(self) -> list[str]:
        """Names of the tasks still running, sorted."""
        return sorted(task.get_name() for task in self._tasks)

    def start(self, name: str, work: Coroutine[Any, Any, T], *, alone: bool = False) -> asyncio.Task[T]:
        """Run `work` in the background under `name` (a short dotted one, e.g. "delivery.attempt").

        `alone`: it is done for many, so its log lines and spans do not belong to the one that happened to start it.
        """
        context = contextvars.Context() if alone else None
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, TimeoutError):
            _log.warning("a task ran out of time", task=task.get_name())  # a busy machine is no fault of ours
        elif error is not None:
            _log.error("task failed", task=task.get_name(), exc_info=error)
        if error is not None and self._on_failure is not None:
            self._on_failure(task.get_name(), error)

    async def stop(self, timeout: float = 5.0) -> None:
        """Cancel all tasks and wait until they ended, at most `timeout` seconds."""
        current = asyncio.current_task()
        waiting = {task for task in self._tasks if task is not current}
        for task in waiting:
            task.cancel()
        if waiting:
            _, pending = await asyncio.wait(waiting, timeout=timeout)
            for task in pending:
                _log.error("task did not end in time", task=task.get_name())

    async def finish(self, timeout: float) -> None:
        """Let the tasks end by themselves for `timeout` seconds, then cancel the rest."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout)
        await self.stop()


class Supervisor:
    """Starts loops that must never end, and starts each again when it breaks. `broken` names those down now."""

    def __init__(self, tasks: Tasks, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self._kept: dict[str, asyncio.Task[None]] = {}
        self._loops: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self.broken: dict[str, str] = {}
        """Loop -> why it broke, while it waits for its next start."""
        self.broken_since: dict[str, float] = {}
        """Unix seconds, for each of `broken`."""
        self._scopes: dict[str, asyncio.Timeout] = {}
        self._closed = False

    def health(self) -> dict[str, Status]:
        """The loops that are down now."""
        return {
            name: Status(
                Level.FAILING, f"It broke ({why}) and is started again. See the log.", self.broken_since.get(name)
            )
            for name, why in self.broken.items()
        }

    def close(self) -> None:
        """The program stops: no loop is begun any more, whoever was just about to."""
        self._closed = True

    def keep(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `loop()` under `name` until cancelled; it must be able to start over."""
        if self._closed:
            return
        self._loops[name] = loop
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

    @asynccontextmanager
    async def stopped(self, name: str) -> AsyncIterator[None]:
        """Meanwhile the loop `name` does not run; afterwards it is begun anew if it ran before."""
        ran = self.keeps(name)
        await self.end(name)
        try:
            yield
        finally:
            if ran:
                self.keep(name, self._loops[name])

    def restart(self, name: str) -> None:
        """Stop the loop `name` wherever it is, and start it again. Nothing happens to one that is not running."""
        scope = self._scopes.get(name)
        if scope is not None and not scope.expired():
            _log.warning("a loop is stopped and started again", loop=name)
            scope.reschedule(asyncio.get_running_loop().time())

    async def _run(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
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
                backoff.reset()
            await self._clock.sleep(backoff.next())

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


def census() -> dict[str, int]:
    """How many tasks run on this loop, by name; those that a library made without one, by the function they run.

    What only grows in it is a leak.
    """
    return dict(sorted(Counter(map(_kind, asyncio.all_tasks())).items()))


def _kind(task: asyncio.Task[Any]) -> str:
    name = task.get_name()
    if not name.startswith("Task-"):
        return name
    return getattr(task.get_coro(), "__qualname__", "unnamed")
