"""What a destination is sent for a streamer: a preview, and a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QComboBox, QFrame, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.theme.tokens import CONTROL_RADIUS
from itsjustintv_desktop.ui.widgets.basic import (
    Card,
    Dot,
    Tone,
    button,
    clear,
    fill,
    icon_button,
    label,
    paint_edge,
    row,
)
from itsjustintv_desktop.ui.widgets.field import text_box

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import EventReport, Preview, errors


class PreviewBox(QWidget):
    """`chosen` with the destination to show it for."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.which = QComboBox()
        self.which.setAccessibleName(self.tr("Preview for"))
        self.which.currentTextChanged.connect(self._picked)
        self.card = PreviewCard()
        self.exact = button(self.tr("Show the e&xact request"), self._toggle, role="link")
        self.exact.setCheckable(True)
        self.request = text_box(self.tr("The exact request"), wraps=True)
        self.request.setMinimumHeight(220)
        self.request.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        head = row(label(self.tr("Preview for"), "label"), (self.which, 1))
        fill(layout, head, self.card, row(self.exact, None), self.request)
        self.hide()

    def offer(self, names: tuple[str, ...]) -> None:
        """The destinations it can be shown for; hidden while there is none."""
        there = tuple(self.which.itemText(number) for number in range(self.which.count()))
        self.setVisible(bool(names))
        if names == there:
            return
        current = self.which.currentText()
        blocked = self.which.blockSignals(True)
        self.which.clear()
        self.which.addItems(list(names))
        self.which.setCurrentText(current if current in names else (names[0] if names else ""))
        self.which.blockSignals(blocked)
        if self.which.currentText() != current:
            self._picked(self.which.currentText())

    def show_preview(self, preview: Preview) -> None:
        self.card.show_preview(preview)
        head = "\n".join(f"{name}: {value}" for name, value in preview.headers)
        self.request.setPlainText(f"POST {preview.host or self.tr('(no address yet)')}\n{head}\n\n{preview.body}")

    def show_error(self, error: errors.AppError) -> None:
        self.card.say(translate(error.title), translate(error.message))
        self.request.clear()

    def _picked(self, name: str) -> None:
        if name:
            self.chosen.emit(name)

    def _toggle(self) -> None:
        shown = self.exact.isChecked()
        self.exact.setText(self.tr("Hide the e&xact request") if shown else self.tr("Show the e&xact request"))
        self.request.setVisible(shown)


class PreviewCard(QFrame):
    """A few lines with a coloured edge, about as chats show it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "box")
        self._colour: int | None = None
        self._first, self._title, self._more = (
            label("", "strong", wrap=True),
            label("", wrap=True),
            label("", "muted", wrap=True),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 12, 10)
        layout.setSpacing(4)
        for part in (self._first, self._title, self._more):
            layout.addWidget(part)

    def show_preview(self, preview: Preview) -> None:
        summary = preview.summary
        first, *rest = summary.lines or ("",)
        link = summary.link.removeprefix("https://")
        self._colour = summary.color
        more = " · ".join(part for part in (*rest, link) if part)
        if preview.sample:
            more = f"{more}\n{self.tr('Sample words: no stream of this channel was seen yet.')}".strip()
        self._say(first, summary.title, more)

    def say(self, first: str, more: str) -> None:
        self._colour = None
        self._say(first, "", more)

    def _say(self, first: str, title: str, more: str) -> None:
        for part, text in ((self._first, first), (self._title, title), (self._more, more)):
            part.setText(text)
            part.setVisible(bool(text))
        self.setAccessibleName(readable(" ".join(text for text in (first, title, more) if text)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(event)
        colour = f"#{self._colour:06x}" if self._colour is not None else theme().palette.accent
        paint_edge(self, colour, 3, CONTROL_RADIUS)


LOOK_MS = 400
MOST_LOOKS = 75
"""After this many reports the card stops following the test."""


class SendTestCard(Card):
    """Hidden until a test is sent."""

    def __init__(self, page: Page) -> None:
        super().__init__(margin=16)
        self._page = page
        self._event = 0
        self._looks = 0
        self.title = label("", "strong", wrap=True)
        self.close_it = icon_button("cross", self.tr("Close"), self.hide)
        self.rows = QVBoxLayout()
        self.rows.setSpacing(4)
        head = row((self.title, 1), self.close_it)
        fill(self.body, head, self.rows)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.hide()

    def send(self, login: str, name: str) -> None:
        """Send one for that streamer."""
        self._timer.stop()
        clear(self.rows)
        self._say(self.tr("Sending a test for {}").format(name))
        self._name = name
        self.show()
        self._page.do("test", self._send(login), replace=True)

    async def _send(self, login: str) -> None:
        try:
            self._event = await self._page.bridge.call(lambda engine: engine.api.announcements.test_event(login))
        except BaseException:
            self.hide()
            raise
        self._looks = 0
        self._timer.start()
        self._look()

    def _look(self) -> None:
        self._looks += 1
        self._page.do("test report", self._report(self._event))
        if self._looks >= MOST_LOOKS:
            self._timer.stop()
            self._say(
                self.tr("The test for {} is still under way; Deliveries shows how it goes on.").format(self._name)
            )

    async def _report(self, event_id: int) -> None:
        report = await self._page.bridge.call(lambda engine: engine.api.announcements.event_report(event_id))
        if event_id != self._event:
            return
        self._show(report)
        if report.is_settled or report.blocked:
            self._timer.stop()

    def _show(self, report: EventReport) -> None:
        clear(self.rows)
        if report.state == "suppressed":
            self._say(
                self.tr("The test was not announced: {}").format(translate(report.explanation or report.reason or ""))
            )
            return
        arrived = sum(each.state == "delivered" for each in report.deliveries)
        if report.is_settled and not report.deliveries:
            self._say(self.tr("There is no destination, so the test is in output.json alone."))
        elif report.is_settled and arrived == len(report.deliveries):
            self._say(self.tr("The test for {} arrived.").format(self._name))
        elif report.is_settled:
            self._say(self.tr("The test for {} did not arrive everywhere.").format(self._name))
        for each in report.deliveries:
            tone: Tone = "ok" if each.state == "delivered" else "attention" if each.last_error else "off"
            words = {
                "delivered": self.tr("arrived"), "pending": self.tr("waits for another try"),
                "sending": self.tr("is being sent"), "expired": self.tr("came too late"),
                "dead": self.tr("given up"), "dropped": self.tr("dropped"),
            }  # fmt: skip
            word = (
                words.get(each.state, str(each.state)) if each.attempts or each.state != "pending" else self.tr("waits")
            )
            answer = translate(report.blocked.get(each.destination) or each.last_error or "")
            status = f" ({each.last_status})" if each.last_status else ""
            text = label(f"{each.destination}: {word}{status} {answer}".strip(), "muted", wrap=True, selectable=True)
            line = row(Dot(tone, word), (text, 1))
            self.rows.addLayout(line)

    def _say(self, text: str) -> None:
        self.title.setText(text)
        self.setAccessibleName(readable(text))
