"""The one sentence at the top."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent

from itsjustintv_desktop.engine import Report, Snapshot, Unsettled
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.basic import Card, Tone, label
from itsjustintv_desktop.ui.words import ago, countdown, said, sentence_case

_BAR = 4


class Answer(Card):
    """A card with a coloured edge: the answer, since when it is known, and what is due next."""

    def __init__(self) -> None:
        super().__init__(margin=24)
        self._tone: Tone = "off"
        self._sentence = label(self.tr("Looking at every link of the chain"), "headline", wrap=True)
        self._small = label("", "muted", wrap=True)
        self.body.setContentsMargins(28, 18, 20, 18)
        self.body.addWidget(self._sentence)
        self.body.addWidget(self._small)
        self._report: Report | None = None
        self._checked_at: float | None = None
        self._more, self._waiting = "", 0
        self._next_due: float | None = None
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._say_small)
        self._tick.start()

    def checking(self) -> None:
        """A new look is under way."""
        if self._checked_at is None:
            self._small.setText(self.tr("This takes a few seconds."))

    def show_report(self, report: Report, snapshot: Snapshot | None) -> None:
        self._report, self._checked_at = report, time.time()
        self._judge(report, snapshot)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Whether announcements are paused now, what waits to be sent, and when the next try is."""
        self._next_due = snapshot.deliveries.oldest_due or snapshot.deliveries.next_due
        self._waiting = snapshot.deliveries.of("pending")
        if self._report is not None:
            self._judge(self._report, snapshot)

    def _judge(self, report: Report, snapshot: Snapshot | None) -> None:
        bad = [check for check in report.checks if check.state == "red"]
        calm = [check for check in report.checks if isinstance(check, Unsettled)]
        unsure = [check for check in report.checks if check.state == "amber" and check not in calm]
        watched = sum(each.enabled for each in snapshot.streamers) if snapshot is not None else 0
        if snapshot is not None and snapshot.paused is not None:
            self._set("off", self.tr("Announcements are paused"))
            self._more = said(snapshot.paused.sentence)
        elif bad:
            self._set("live", self.tr("Your next stream will not be announced"))
            self._more = said(bad[0].message)
        elif unsure:
            self._set("attention", self.tr("Streams will be announced, with something to look at"))
            self._more = f"{sentence_case(said(unsure[0].name))}: {said(unsure[0].message)}"
            if len(unsure) > 1:
                self._more += " " + self.tr("%n more points need a look.", "", len(unsure) - 1)
        elif calm:
            self._set("off", self.tr("Getting ready to announce your next stream"))
            self._more = self.tr("%n links of the chain are not known yet.", "", len(calm))
        else:
            self._set("ok", self.tr("Your next stream will be announced"))
            self._more = self.tr("%n channels are watched, every link of the chain is well.", "", watched)
        self._say_small()

    def _set(self, tone: Tone, sentence: str) -> None:
        self._tone = tone
        self._sentence.setText(sentence)
        self.setAccessibleName(readable(sentence))
        self.update()

    def _say_small(self) -> None:
        if self._checked_at is None or not self.isVisible():
            return
        parts = [self._more, self.tr("Checked {}.").format(ago(self._checked_at))]
        if self._waiting and self._next_due is not None:
            left = countdown(self._next_due - time.time())
            parts.append(self.tr("%n deliveries wait, the next try is in {}.", "", self._waiting).format(left))
        self._small.setText(" ".join(part for part in parts if part))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(event)
        palette = theme().palette
        colours = {"ok": palette.ok, "attention": palette.attention, "live": palette.live}
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(0, 0, _BAR, self.height())
        painter.setPen(QColor(0, 0, 0, 0))
        painter.setBrush(QColor(colours.get(self._tone, palette.text2)))
        painter.drawRoundedRect(0, 0, 24, self.height(), 12, 12)
        painter.end()
