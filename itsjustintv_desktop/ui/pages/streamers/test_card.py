"""A test announcement, followed until it is known what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout

from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Tone, clear, icon_button, label, row

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import EventReport

LOOK_MS = 400
MOST_LOOKS = 75
"""After that it goes on without being watched here."""


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
        head = row(self.title, self.close_it)
        head.setStretch(0, 1)
        self.body.addLayout(head)
        self.body.addLayout(self.rows)
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
            self._event = await self._page.bridge.call(lambda engine: engine.api.actions.test_event(login))
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
        report = await self._page.bridge.call(lambda engine: engine.api.actions.event_report(event_id))
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
            line = row(Dot(tone, word), text)
            line.setStretch(1, 1)
            self.rows.addLayout(line)

    def _say(self, text: str) -> None:
        self.title.setText(text)
        self.setAccessibleName(readable(text))
