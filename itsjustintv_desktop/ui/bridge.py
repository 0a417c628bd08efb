"""The one way between engine and screen: questions go in, immutable events come out in batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from itsjustintv_desktop.engine import Engine, errors
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
        """Start the engine; `state_changed` tells how that went."""
        self._thread.start()

    def again(self) -> None:
        """Start the engine once more after it failed; as `start`."""
        if self.state == "failed":
            self._thread = self._made()
            self._state_is("starting", None)
            self.start()

    async def call(self, ask: Callable[[Engine], Awaitable[T]], timeout: float = CALL_SECONDS) -> T:
        """Await the engine's answer, e.g. `call(lambda engine: engine.api.actions.retry(5))`.

        Raises AppError: what the engine says, or that it does not answer.
        """
        try:
            return await self._thread.call(ask, timeout)
        except TimeoutError:
            raise errors.EngineGoneError(
                tr("The engine did not answer in time. It goes on working; try again.")
            ) from None

    async def stop(self) -> bool:
        """End the engine; what is not sent yet waits on disk. False if it had to be left behind."""
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
