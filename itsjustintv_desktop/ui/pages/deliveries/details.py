"""One delivery: its state, attempts, request, and when it is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QDateTime, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDateTimeEdit, QFrame, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import AttemptView, DeliveryDetails, DestinationStatus, RequestView
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.formatting import ago, clock, translate
from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.status import answer_of, tone_of, word_of
from itsjustintv_desktop.ui.widgets.basic import Dot, Elided, Tone, button, clear, column, fill, label, row
from itsjustintv_desktop.ui.widgets.field import text_box
from itsjustintv_desktop.ui.widgets.scroll import Flow

PRESETS = (5, 15, 30)
"""Minutes."""


class Due(QFrame):
    """`do` is called with the time (Unix seconds) that was chosen."""

    def __init__(self, parent: QWidget, do: Callable[[float], object]) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Next try"))
        self._do = do
        layout = column(label(self.tr("Next try"), "heading"), spacing=10, inside=self, margins=(16, 12, 16, 14))
        self.presets = [
            button(self.tr("in %n min", "", minutes), partial(self._in, minutes), role="small") for minutes in PRESETS
        ]
        layout.addLayout(row(*self.presets, None))
        self.when = QDateTimeEdit(QDateTime.currentDateTime().addSecs(600))
        self.when.setButtonSymbols(QDateTimeEdit.ButtonSymbols.NoButtons)
        self.when.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.when.setAccessibleName(self.tr("Date and time of the next try"))
        self.set = button(self.tr("&Set"), self._chosen, role="primary")
        layout.addLayout(row(self.when, self.set))

    def open_below(self, widget: QWidget) -> None:
        self.adjustSize()
        self.move(widget.mapToGlobal(widget.rect().bottomLeft()))
        self.show()
        self.presets[0].setFocus()

    def _in(self, minutes: int) -> None:
        self._choose(time.time() + 60 * minutes)

    def _chosen(self) -> None:
        self._choose(float(self.when.dateTime().toSecsSinceEpoch()))

    def _choose(self, at: float) -> None:
        self.close()
        self._do(at)


MOST = 30
"""Attempts shown with a row each; earlier ones are only counted."""
_TONES: dict[str, Tone] = {
    "delivered": "ok", "failed": "attention", "refused": "failed", "interrupted": "off", "under way": "accent",
}  # fmt: skip


class Attempts(QWidget):
    """Newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._list = QVBoxLayout(self)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(6)
        self._shown: tuple[AttemptView, ...] | None = None

    def show_attempts(self, attempts: tuple[AttemptView, ...]) -> None:
        if attempts == self._shown:
            return
        self._shown = attempts
        clear(self._list)
        if not attempts:
            self._list.addWidget(label(self.tr("Not tried yet."), "muted"))
        for attempt in reversed(attempts[-MOST:]):
            self._list.addLayout(self._row(attempt))
        if len(attempts) > MOST:
            self._list.addWidget(label(self.tr("and %n before", "", len(attempts) - MOST), "muted"))

    def _row(self, attempt: AttemptView) -> QVBoxLayout:
        made = QVBoxLayout()
        made.setSpacing(2)
        shown = Elided(self.sentence(attempt), "muted")
        then = datetime.fromtimestamp(attempt.started_at)  # noqa: DTZ006 - a person's own time
        at = label(then.strftime("%H:%M:%S"), "mono")
        at.setToolTip(plain(then.strftime("%Y-%m-%d %H:%M:%S")))
        line = row(Dot(_TONES.get(attempt.outcome, "off"), self._word(attempt)), at)
        line.addWidget(shown, 1)
        made.addLayout(line)
        answer = " ".join(attempt.answer.split())
        if answer and attempt.outcome != "delivered":
            excerpt = Elided(answer, "label")
            excerpt.setContentsMargins(20, 0, 0, 0)
            made.addWidget(excerpt)
        return made

    def _word(self, attempt: AttemptView) -> str:
        words = {
            "delivered": self.tr("delivered"), "failed": self.tr("failed"), "refused": self.tr("refused"),
            "interrupted": self.tr("interrupted"), "under way": self.tr("under way"),
        }  # fmt: skip
        return words.get(attempt.outcome, attempt.outcome)

    def sentence(self, attempt: AttemptView) -> str:
        """ "503 in 212 ms"; the error where no status came."""
        if attempt.outcome in {"interrupted", "under way"}:
            return self._word(attempt)
        what = (
            str(attempt.status) if attempt.status is not None else translate(attempt.error or "") or self._word(attempt)
        )
        if attempt.duration is None:
            return what
        took = f"{attempt.duration:.1f} s" if attempt.duration >= 1 else f"{round(attempt.duration * 1000)} ms"
        return self.tr("{} in {}").format(what, took)


_GIVEN_UP = frozenset({DeliveryState.DEAD, DeliveryState.EXPIRED, DeliveryState.DROPPED})


class Details(QScrollArea):
    """`requested`: retry, resend, drop, pause or resume. `due_requested`: another time for the next attempt."""

    requested = Signal(str)
    due_requested = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.details: DeliveryDetails | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(0, 0, 6, 0)
        self.body.setSpacing(10)
        self.setWidget(inner)
        self._dot, self._title, self._state = Dot(), Elided("", "heading"), label("", "muted", wrap=True)
        line = row(self._dot)
        line.addWidget(self._title, 1)
        fill(self.body, line, self._state)
        self._make_actions()
        self._way_dot, self._way = Dot(), Elided("", "muted")
        self._pause_wish = "pause"
        self.pause = button(self.tr("Pause"), lambda: self.requested.emit(self._pause_wish), role="small")
        line = row(self._way_dot)
        fill(line, (self._way, 1), self.pause)
        self.body.addLayout(line)
        self.attempts = Attempts()
        self.request, self.response = text_box(self.tr("Request")), text_box(self.tr("Answer"))
        self._problem = label("", "muted", wrap=True)
        self._answer_label = label(self.tr("Last answer"), "label")
        fill(self.body, label(self.tr("Attempts"), "label"), self.attempts)
        fill(self.body, row(label(self.tr("Request"), "label"), None, self.copy))
        for each in (self._problem, self.request, self._answer_label, self.response):
            self.body.addWidget(each)
        self.body.addStretch(1)

    def show_details(self, details: DeliveryDetails, status: DestinationStatus | None) -> None:
        """`status`: how its destination is; None where it was removed from the config."""
        other = self.details is None or self.details.view.id != details.view.id
        self.details = details
        view = details.view
        self._dot.show_state(tone_of(view.state), word_of(view.state))
        self._title.say(f"{view.streamer} → {view.destination}")
        self._state.setText(self._sentence(details))
        self._show_actions(view.state, exists=status is not None)
        self.show_way(status)
        self.attempts.show_attempts(details.attempts)
        text = request_text(details.request) if details.request is not None else ""
        _fill(self.request, text)
        self._problem.setText(translate(details.problem))
        self._problem.setVisible(bool(details.problem))
        answer = details.attempts[-1].answer if details.attempts else ""
        _fill(self.response, answer)
        self._answer_label.setVisible(bool(answer))
        if other:
            self.verticalScrollBar().setValue(0)

    def show_way(self, status: DestinationStatus | None) -> None:
        """Whether the destination takes deliveries, and the button that changes it."""
        name = status.name if status is not None else ""
        self._way_dot.setVisible(status is not None)
        self._way.setVisible(status is not None)
        self.pause.setVisible(status is not None and status.enabled)
        if status is None:
            return
        paused = status.state == "paused"
        if paused:
            self._way_dot.show_state("off", self.tr("paused"))
            why = f": {translate(status.reason)}" if status.reason and not status.paused_by_hand else ""
            self._way.say(self.tr("{} is paused").format(name) + why)
        elif status.state == "off":
            self._way_dot.show_state("off", self.tr("switched off"))
            self._way.say(self.tr("{} is switched off").format(name))
        elif status.state == "closed":
            self._way_dot.show_state("ok", self.tr("well"))
            self._way.say(self.tr("{} takes deliveries").format(name))
        else:
            self._way_dot.show_state("attention", self.tr("left alone"))
            self._way.say(self.tr("{} is left alone for a moment: {}").format(name, translate(status.reason)))
        self.pause.setText(self.tr("Resume") if paused else self.tr("Pause"))
        words = self.tr("Resume {}") if paused else self.tr("Pause {}")
        self.pause.setAccessibleName(readable(words.format(name)))
        self._pause_wish = "resume" if paused else "pause"

    def busy(self, is_busy: bool) -> None:
        """An action on it is running."""
        for each in (self.retry, self.resend, self.drop, self.due):
            each.setEnabled(not is_busy)

    def _make_actions(self) -> None:
        self.retry = button(self.tr("Re&try now"), lambda: self.requested.emit("retry"))
        self.resend = button(self.tr("Re&send"), lambda: self.requested.emit("resend"))
        self.due = button(self.tr("Next tr&y…"), self._open_due)
        self.drop = button(self.tr("&Drop"), lambda: self.requested.emit("drop"), role="danger")
        self.copy = button(self.tr("&Copy request"), self._copy, role="small")
        usual = Flow(spacing=8)
        for each in (self.retry, self.resend, self.due):
            usual.addWidget(each)
        line = row((usual, 1))
        line.addWidget(self.drop, alignment=Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(line)

    def _show_actions(self, state: DeliveryState, *, exists: bool) -> None:
        """Show what can be done in this state; the likeliest action is the primary button."""
        waits = state is DeliveryState.PENDING
        given_up = state in _GIVEN_UP
        self.retry.setVisible(exists and (waits or given_up))
        self.resend.setVisible(exists and (given_up or state is DeliveryState.DELIVERED))
        self.due.setVisible(exists and waits)
        self.drop.setVisible(waits)
        self.copy.setEnabled(self.details is not None and self.details.request is not None)
        for made, first in ((self.retry, waits or given_up), (self.resend, state is DeliveryState.DELIVERED)):
            made.setProperty("role", "primary" if first else "")
            made.style().unpolish(made)
            made.style().polish(made)

    def _sentence(self, details: DeliveryDetails) -> str:
        view = details.view
        said = [word_of(view.state).capitalize(), self.tr("%n tries", "", view.attempts)]
        said.append(self.tr("made {}").format(ago(view.created_at)))
        if view.state is DeliveryState.PENDING and view.next_at is not None:
            said.append(self.tr("next try at {}").format(clock(view.next_at)))
        if details.test:
            said.append(self.tr("a test"))
        error = answer_of(None, view.last_error)
        return " · ".join(said) + (f"\n{error[:1].upper()}{error[1:]}" if error else "")

    def _open_due(self) -> None:
        Due(self.window(), self.due_requested.emit).open_below(self.due)

    def _copy(self) -> None:
        if self.details is not None and self.details.request is not None:
            QGuiApplication.clipboard().setText(request_text(self.details.request))
            self.requested.emit("copied")


def request_text(request: RequestView) -> str:
    """As it goes over the line, with everything secret as dots."""
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers)
    return f"{request.method} {request.address}\n{headers}\n\n{request.body}"


def _fill(box: QPlainTextEdit, text: str) -> None:
    """As high as its text, up to a limit; hidden without any."""
    box.setVisible(bool(text))
    if text == box.toPlainText():
        return
    box.setPlainText(text)
    lines = min(text.count("\n") + 1, 14)
    box.setFixedHeight(lines * box.fontMetrics().lineSpacing() + 34)
