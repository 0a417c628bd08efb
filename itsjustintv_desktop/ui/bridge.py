"""From the window to the engine's thread and back: calls, events, and the tasks of a page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import structlog
from PySide6.QtCore import QObject, Qt, Signal

from itsjustintv_desktop.engine import RunningEngine, errors
from itsjustintv_desktop.ui.engine_thread import EngineThread, Prepare
from itsjustintv_desktop.ui.formatting import tr

T = TypeVar("T")

CALL_SECONDS = 30.0


class Bridge(QObject):
    """Signals are emitted on the UI thread.

    `events(list)`: what happened, oldest first. `lost()`: some was left out, take a fresh snapshot.
    `state_changed(str)`: starting, running, failed (see `error`) or stopped.
    """

    events = Signal(list)
    lost = Signal()
    state_changed = Signal(str)
    _arrived = Signal()
    _state_told = Signal(str, object)

    def __init__(self, prepare: Prepare, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = "starting"
        self.error: errors.AppError | None = None
        queued = Qt.ConnectionType.QueuedConnection
        self._arrived.connect(self._take, queued)
        self._state_told.connect(self._state_is, queued)
        self._prepare = prepare
        self._thread = self._made()

    def start(self) -> None:
        """Start the engine; `state_changed` reports the result."""
        self._thread.start()

    def again(self) -> None:
        """Start the engine once more after it failed; as `start`."""
        if self.state == "failed":
            self._thread = self._made()
            self._state_is("starting", None)
            self.start()

    async def call(self, ask: Callable[[RunningEngine], Awaitable[T]], timeout: float = CALL_SECONDS) -> T:
        """Await the engine's answer, e.g. `call(lambda engine: engine.api.deliveries.retry(5))`.

        Raises AppError: what the engine says, or that it does not answer.
        """
        try:
            return await self._thread.call(ask, timeout)
        except TimeoutError:
            raise errors.EngineGoneError(
                tr("The engine did not answer in time. It goes on working; try again.")
            ) from None

    async def stop(self) -> bool:
        """Stop the engine; unsent deliveries wait on disk. False if it did not stop in time."""
        return await self._thread.stop()

    def _made(self) -> EngineThread:
        return EngineThread(self._prepare, on_state=self._tell_state, on_events=self._arrived.emit)

    def _tell_state(self, state: str, error: errors.AppError | None) -> None:
        self._state_told.emit(state, error)

    def _state_is(self, state: str, error: errors.AppError | None) -> None:
        self.state, self.error = state, error
        self.state_changed.emit(state)

    def _take(self) -> None:
        taken, lost = self._thread.take()
        if lost:
            self.lost.emit()
        if taken:
            self.events.emit(taken)


_log = structlog.get_logger(__name__)


class PageTasks(QObject):
    """The background work of one page or dialog. `on_error` gets what a person should read."""

    def __init__(self, owner: QObject, on_error: Callable[[errors.AppError], None]) -> None:
        super().__init__(owner)
        self._on_error = on_error
        self._tasks: dict[str, asyncio.Task[None]] = {}
        owner.destroyed.connect(partial(_cancel, self._tasks))  # nothing of the owner's may be touched then

    def start(self, name: str, work: Coroutine[Any, Any, Any], *, replace: bool = False) -> bool:
        """Do it in the background. While one of that name runs a second is refused (False), or takes its place."""
        running = self._tasks.get(name)
        if running is not None and not running.done():
            if not replace:
                work.close()
                return False
            running.cancel()
        task = asyncio.get_event_loop().create_task(self._do(name, work), name=f"ui.{name}")
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))
        task.add_done_callback(lambda _: work.close())  # where it was cancelled before it began
        return True

    def is_running(self, name: str) -> bool:
        return name in self._tasks

    def stop(self, name: str) -> None:
        """Cancel the task of that name, if it is running; its result is dropped."""
        task = self._tasks.get(name)
        if task is not None:
            task.cancel()

    def cancel(self) -> None:
        """Cancel all tasks; their results are dropped."""
        _cancel(self._tasks)

    async def _do(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except errors.AppError as error:
            _log.info("asked for in vain", what=name, title=error.title, reason=error.message)
            self._on_error(error)
        except Exception:  # noqa: BLE001 - a slot has nobody above it who would tell
            _log.exception("a task of the screen failed", what=name)
            self._on_error(errors.AppError(f"That went wrong inside the program ({name}). The log has the details."))

    def _forget(self, name: str, done: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is done:
            del self._tasks[name]


async def in_thread(work: Callable[..., T], *args: object) -> T:
    """Await something that blocks, such as a file. Also where Qt alone turns the loop, as under a modal dialog."""
    return await asyncio.get_event_loop().run_in_executor(None, partial(work, *args))


def _cancel(tasks: dict[str, asyncio.Task[None]], *_: object) -> None:
    for task in list(tasks.values()):
        task.cancel()
