"""The only place where asyncio tasks are made: each is named, kept until done, and logged when it fails."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

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
