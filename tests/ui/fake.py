"""A bridge whose engine answers what the test says, on the UI thread."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from itsjustintv_desktop.engine import errors

T = TypeVar("T")


class Asked(msgspec.Struct, frozen=True):
    """One question to the engine."""

    what: str
    args: tuple[Any, ...]
    named: dict[str, Any]


class Api:
    """The engine's api, an area of it, or a method: that gives what was set for it, and remembers that it was asked.

    `set(name, value)`: a value, an exception to raise, or a function (plain or async) to call. The name has dots, as in
    "settings.documents.edit".
    """

    def __init__(self, asked: list[Asked], name: str) -> None:
        self._asked, self._name = asked, name
        self._below: dict[str, Api] = {}
        self._answer: Any = None

    def set(self, name: str, answer: Any) -> None:
        found = self
        for part in name.split("."):
            found = getattr(found, part)
        found._answer = answer

    def __getattr__(self, name: str) -> Api:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._below.setdefault(name, Api(self._asked, f"{self._name}.{name}"))

    async def __call__(self, *args: Any, **named: Any) -> Any:
        self._asked.append(Asked(self._name, args, named))
        if isinstance(self._answer, BaseException):
            raise self._answer
        found = self._answer(*args, **named) if callable(self._answer) else self._answer
        return await found if inspect.isawaitable(found) else found


class FakeEngine:
    """The parts a screen asks."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.api = Api(self.asked, "api")
        self._snapshot: Any = None

    async def snapshot(self) -> Any:
        return self._snapshot

    def was_asked(self, what: str) -> list[Asked]:
        return [each for each in self.asked if each.what == what]


class FakeBridge(QObject):
    """Same signals as ui.bridge.Bridge; `happen` lets the screen hear of events."""

    events = Signal(list)
    lost = Signal()
    state_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.state = "running"
        self.error: errors.AppError | None = None
        self.engine = FakeEngine()

    def start(self) -> None:
        self.state_changed.emit(self.state)

    def again(self) -> None:
        self.state = "running"
        self.state_changed.emit("starting")
        self.state_changed.emit("running")

    async def call(self, ask: Callable[[Any], Awaitable[T]], timeout: float = 30.0) -> T:
        assert timeout > 0
        return await ask(self.engine)

    async def stop(self) -> bool:
        return True

    def end(self) -> None:
        """With the store and all that hangs below it: its timers would go on into the tests that follow."""
        for timer in self.findChildren(QTimer):
            timer.stop()
        self.deleteLater()

    def happen(self, *what: Any) -> None:
        self.events.emit(list(what))
