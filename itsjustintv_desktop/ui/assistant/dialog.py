"""The assistant's window: its steps, the trail of them, and the buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import errors, events
from itsjustintv_desktop.ui.assistant.connection import Reach, SendTestStep
from itsjustintv_desktop.ui.assistant.first import FirstDestination, FirstStreamer
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.assistant.steps import Finish, Register, Welcome
from itsjustintv_desktop.ui.bridge import PageTasks
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme import icon, theme
from itsjustintv_desktop.ui.widgets import focus
from itsjustintv_desktop.ui.widgets.basic import button, label, row
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.field import repolish
from itsjustintv_desktop.ui.widgets.states import Banner

WIDTH = 184


class Trail(QWidget):
    """`chosen`: a person goes to that step, by its number."""

    chosen = Signal(int)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 24, 12, 20)
        layout.setSpacing(2)
        heading = label(self.tr("Set up"), "heading")
        heading.setContentsMargins(10, 0, 0, 12)
        layout.addWidget(heading)
        self._group = QButtonGroup(self)
        self.steps: list[QPushButton] = []
        self._done: set[int] = set()
        for number, name in enumerate(names):
            made = QPushButton(f"  {number + 1}  {name}")
            made.setProperty("role", "nav")
            made.setCheckable(True)
            made.setAutoDefault(False)  # Return in a field continues instead of going back to the first step
            made.clicked.connect(lambda _, number=number: self.chosen.emit(number))
            self._group.addButton(made)
            self.steps.append(made)
            layout.addWidget(made)
        layout.addStretch(1)
        theme().changed.connect(self._tint)

    def show_at(self, number: int) -> None:
        self.steps[number].setChecked(True)
        self._tint()

    def mark_done(self, number: int) -> None:
        """What that step is for was done, not only skipped."""
        self._done.add(number)
        self._tint()

    def _tint(self) -> None:
        palette = theme().palette
        for number, step in enumerate(self.steps):
            behind = number in self._done
            step.setIcon(icon("check" if behind else "ring", palette.ok if behind else palette.text3))
            step.setAccessibleDescription(self.tr("done") if behind else "")


class Assistant(Dialog):
    """`show_step` or `resume`, then `open`. It remembers where it was; `ended` when it was finished or put away."""

    ended = Signal()

    def __init__(self, store: Store, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Set up itsjustintv"))
        self.resize(860, 580)
        self._store, self._preferences = store, preferences
        self._tasks = PageTasks(self, self._show_error)
        self.course = SetupContext(store, preferences, self._tasks)
        self._leaving = False
        self._take_up()
        self.steps: tuple[Step, ...] = tuple(
            kind(self.course)
            for kind in (Welcome, Register, Reach, FirstStreamer, FirstDestination, SendTestStep, Finish)
        )
        short = (
            self.tr("Welcome"), self.tr("Twitch"), self.tr("Connection"), self.tr("Streamer"), self.tr("Destination"),
            self.tr("Test"), self.tr("Done"),
        )  # fmt: skip
        self._names = [step.name for step in self.steps]
        self.trail = Trail(short)
        self.trail.chosen.connect(self._go_to)
        self._stack = QStackedWidget()
        for step in self.steps:
            self._stack.addWidget(step)
            step.changed.connect(self._say)
            step.forward.connect(self._forward)
        welcome = self.steps[0]
        assert isinstance(welcome, Welcome)
        welcome.by_hand.connect(self._never)
        self.banner = Banner()
        self.later = button(self.tr("Finish la&ter"), self.reject)
        self.back = button(self.tr("&Back"), self._go_back)
        self.skip = button(self.tr("S&kip this step"), self._skip)
        self.next = button("", self._go_on, role="primary")
        self._lay_out()
        store.changed.connect(self._changed)
        store.bridge.events.connect(self._happened)
        self.finished.connect(lambda _: self.ended.emit())
        self._show(0)

    @property
    def current(self) -> Step:
        return self.steps[self._stack.currentIndex()]

    def resume(self) -> None:
        """Where it was put away last time."""
        self.show_step(self._preferences.assistant_step)

    def show_step(self, name: str) -> None:
        """Go there; an unknown name is the first."""
        number = self._names.index(name) if name in self._names else 0
        self._preferences.assistant_step = self._names[number]
        self._show(number)

    def _show(self, number: int) -> None:
        self.banner.hide()
        self._stack.setCurrentIndex(number)
        self.trail.show_at(number)
        self._say()
        self.next.setFocus()
        self.current.enter()

    def done(self, result: int) -> None:
        self._tasks.cancel()
        super().done(result)

    def _take_up(self) -> None:
        """What is there already is gone on with."""
        snapshot = self._store.snapshot
        if snapshot is not None and snapshot.streamers:
            first = snapshot.streamers[0]
            self.course.streamer, self.course.login = first.key, first.login
            self.course.destination = first.destinations[0] if first.destinations else ""
        if snapshot is not None and not self.course.destination and snapshot.destinations:
            self.course.destination = snapshot.destinations[0].name

    def _go_on(self) -> None:
        if self.current.ready and not self._leaving:
            self.banner.hide()
            self._tasks.start("leave", self._leave())

    def _forward(self) -> None:
        """Return in a field: what was found wrong is looked at once more, and never gone on against."""
        if self.current.insists and not self._leaving:
            self.current.again()
        self._go_on()

    async def _leave(self) -> None:
        step = self.current
        self._leaving = True
        self._say()
        try:
            over = await step.leave()
        finally:
            self._leaving = False
            self._say()
        if over:
            focus.is_saved(step)
        if over and self.current is step:
            self.trail.mark_done(self._stack.currentIndex())
            self._advance()

    def _advance(self) -> None:
        number = self._stack.currentIndex() + 1
        if number < len(self.steps):
            self.show_step(self._names[number])
            return
        self._preferences.assistant_done = True
        self._preferences.assistant_step = ""
        self.accept()

    def _go_back(self) -> None:
        self._go_to(self._stack.currentIndex() - 1)

    def _go_to(self, number: int) -> None:
        """As a person asks for it: what was under way for the step in front is given up."""
        self._tasks.stop("leave")
        self.show_step(self._names[max(0, number)])

    def _skip(self) -> None:
        self._tasks.stop("leave")
        self._advance()

    def _never(self) -> None:
        self._preferences.assistant_done = True
        self.reject()

    def _say(self) -> None:
        step = self.current
        self.next.setText(step.next_text)
        role = "" if step.insists else "primary"
        if self.next.property("role") != role:
            self.next.setProperty("role", role)
            repolish(self.next)
        self.next.setEnabled(step.ready and not self._leaving)
        self.back.setVisible(self._stack.currentIndex() > 0)
        self.skip.setVisible(step.can_skip)

    def _show_error(self, error: errors.AppError) -> None:
        self.banner.show_error(error)

    def _changed(self) -> None:
        if self._store.snapshot is not None:
            self.current.refresh(self._store.snapshot)

    def _happened(self, batch: list[events.EngineEvent]) -> None:
        self.current.happened(batch)

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setContentsMargins(28, 24, 28, 20)
        right.setSpacing(16)
        right.addWidget(self.banner)
        right.addWidget(self._stack, 1)
        right.addLayout(row(self.later, None, self.back, self.skip, self.next))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.trail)
        layout.addLayout(right, 1)
