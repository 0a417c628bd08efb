"""The one sentence at the top."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent

from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.ui.formatting import countdown, translate
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.status import TONES, detail_of
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.basic import Card, Tone, label

_BAR = 4


class Answer(Card):
    """A card with a coloured edge: the answer, what is wrong, and what is due next."""

    def __init__(self) -> None:
        super().__init__(margin=24)
        self._tone: Tone = "off"
        self._sentence = label(self.tr("Looking at every link of the chain"), "headline", wrap=True)
        self._small = label("", "muted", wrap=True)
        self.body.setContentsMargins(28, 18, 20, 18)
        self.body.addWidget(self._sentence)
        self.body.addWidget(self._small)
        self._more, self._waiting = "", 0
        self._next_due: float | None = None
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._say_small)
        self._tick.start()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """How many streams will be announced, what waits to be sent, and when the next try is."""
        self._next_due = snapshot.deliveries.oldest_due or snapshot.deliveries.next_due
        self._waiting = snapshot.deliveries.of("pending")
        self._more = detail_of(snapshot.status)
        self._set(TONES[snapshot.status.level], translate(snapshot.status.headline))
        self._say_small()

    def _set(self, tone: Tone, sentence: str) -> None:
        self._tone = tone
        self._sentence.setText(sentence)
        self.setAccessibleName(readable(sentence))
        self.update()

    def _say_small(self) -> None:
        parts = [self._more]
        if self._waiting and self._next_due is not None:
            left = countdown(self._next_due - time.time())
            parts.append(self.tr("%n deliveries wait, the next try is in {}.", "", self._waiting).format(left))
        text = " ".join(part for part in parts if part)
        self._small.setText(text)
        self._small.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(event)
        palette = theme().palette
        colours = {"ok": palette.ok, "attention": palette.attention, "failed": palette.live}
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(0, 0, _BAR, self.height())
        painter.setPen(QColor(0, 0, 0, 0))
        painter.setBrush(QColor(colours.get(self._tone, palette.text2)))
        painter.drawRoundedRect(0, 0, 24, self.height(), 12, 12)
        painter.end()
