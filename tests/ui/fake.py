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


class Answers:
    """A part of the engine: each method gives what was set for it, and remembers that it was asked.

    `set(name, value)`: a value, an exception to raise, or a function (plain or async) to call.
    """

    def __init__(self, asked: list[Asked], part: str) -> None:
        self._asked, self._part = asked, part
        self._answers: dict[str, Any] = {}

    def set(self, name: str, answer: Any) -> None:
        self._answers[name] = answer

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def answer(*args: Any, **named: Any) -> Any:
            self._asked.append(Asked(f"{self._part}.{name}", args, named))
            given = self._answers.get(name)
            if isinstance(given, BaseException):
                raise given
            found = given(*args, **named) if callable(given) else given
            return await found if inspect.isawaitable(found) else found

        return answer


class Api(Answers):
    """The whole of it, with its parts."""

    def __init__(self, asked: list[Asked], part: str) -> None:
        super().__init__(asked, part)
        self.actions = Answers(asked, f"{part}.actions")
        self.settings = Answers(asked, f"{part}.settings")


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
