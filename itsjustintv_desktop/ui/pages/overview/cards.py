"""What Overview shows beside the chain: the answer, who is live, and the last days."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import QDate, QEvent, QLocale, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from itsjustintv_desktop.engine import DayNumbers, Snapshot
from itsjustintv_desktop.engine.core.models import LiveStream
from itsjustintv_desktop.ui.formatting import countdown, number, span, translate
from itsjustintv_desktop.ui.images import Avatar, Pictures
from itsjustintv_desktop.ui.plain import channel_address, open_address, plain, readable
from itsjustintv_desktop.ui.status import TONES, detail_of
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.theme.tokens import CARD_RADIUS
from itsjustintv_desktop.ui.widgets.basic import (
    Card,
    Dot,
    Elided,
    Tone,
    column,
    every,
    fill,
    icon_button,
    label,
    later,
    paint_edge,
    row,
)


class Answer(Card):
    """A card with a coloured edge: the answer, what is wrong, and what is due next."""

    def __init__(self) -> None:
        super().__init__(margin=24)
        self._tone: Tone = "off"
        self._sentence = label(self.tr("Looking at every link of the chain"), "headline", wrap=True)
        self._small = label("", "muted", wrap=True)
        self.body.setContentsMargins(28, 18, 20, 18)
        fill(self.body, self._sentence, self._small)
        self._more, self._waiting = "", 0
        self._next_due: float | None = None
        self._tick = every(self, 1000, self._say_small)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """How many streams will be announced, how many deliveries are waiting, and when the next attempt is due."""
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
        elif self._waiting:
            parts.append(self.tr("%n deliveries are held back.", "", self._waiting))
        text = " ".join(part for part in parts if part)
        self._small.setText(text)
        self._small.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(event)
        palette = theme().palette
        colours = {"ok": palette.ok, "attention": palette.attention, "failed": palette.live}
        paint_edge(self, colours.get(self._tone, palette.text2), 4, CARD_RADIUS)


NOTHING: Mapping[str, str] = {}
MOST = 8
AT_ONCE = 2
"""Rows made in one turn of the screen: each takes some milliseconds to make and to lay out."""


class LiveNow(Card):
    """At most MOST channels, the rest as a number. Rows are made once and then say something else."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self._pictures = pictures
        self._hashes = NOTHING
        self._problems = NOTHING
        pictures.arrived.connect(lambda _: self._fill())
        self._dot = Dot("off", self.tr("nobody"))
        self.body.addLayout(row(self._dot, label(self.tr("Live now"), "heading"), None))
        self._nobody = label("", "muted", wrap=True)
        self._more = label("", "muted")
        self._list = column(self._nobody, self._more, spacing=12)
        fill(self.body, self._list, None)
        self._rows: list[_Row] = []
        self._streams: tuple[LiveStream, ...] = ()
        self._nobody.hide()
        self._more.hide()
        self._next = later(self, 0, self._fill)

    def show_streams(
        self,
        streams: tuple[LiveStream, ...],
        pictures: Mapping[str, str] = NOTHING,
        problems: Mapping[str, str] = NOTHING,
        *,
        known: bool = True,
    ) -> None:
        """`pictures`: hashes of those known; `problems`: what is wrong, in a word or two. By the id of the channel.

        Not `known`: Twitch has not said yet who is live.
        """
        self._nobody.setText(
            self.tr("Nobody you watch is live at the moment.") if known else self.tr("Twitch has not been reached yet.")
        )
        self._streams, self._hashes, self._problems = streams, pictures, problems
        self._dot.show_state("live" if streams else "off", self.tr("live") if streams else self.tr("nobody"))
        self._nobody.setVisible(not streams)
        more = len(streams) - MOST
        if more > 0:
            self._more.setText(self.tr("and %n more", "", more))
        self._more.setVisible(more > 0)
        self._fill()

    def _fill(self) -> None:
        """Fill the existing rows, and create a few of the missing ones."""
        wanted = self._streams[:MOST]
        for _ in range(min(AT_ONCE, len(wanted) - len(self._rows))):
            made = _Row()
            self._list.insertWidget(len(self._rows), made)
            self._rows.append(made)
        for place, each in enumerate(self._rows):
            if place < len(wanted):
                stream = wanted[place]
                channel = stream.broadcaster_id
                problem = self._problems.get(channel, "")
                each.show_stream(stream, self._pictures.get(self._hashes.get(channel)), problem)
            each.setVisible(place < len(wanted))
        if len(self._rows) < len(wanted):
            self._next.start()


class _Row(QWidget):
    """One channel: picture, name and duration, category, viewers, and a button that opens the channel."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._what = Elided("", "strong"), Elided("", "muted")
        self._avatar, self._viewers = Avatar(), label("", "chip")
        self._open = icon_button("open", "", self._go)
        self._address = ""
        self._stream: tuple[LiveStream, str] | None = None
        row(
            self._avatar,
            (column(self._name, self._what, spacing=0), 1),
            self._viewers,
            self._open,
            spacing=12,
            inside=self,
        )

    def show_stream(self, stream: LiveStream, picture: QPixmap | None, problem: str) -> None:
        name = stream.name or stream.login
        self._avatar.show_channel(name, picture)
        since = f" · {span(time.time() - stream.started_at)}" if stream.started_at else ""
        self._name.say(f"{name}{since}")
        if (stream, problem) == self._stream:
            return
        self._stream = stream, problem
        about = " · ".join(part for part in (problem, stream.category or stream.title) if part)
        self._what.say(about)
        self._what.setVisible(bool(about))
        self._viewers.setText("" if stream.viewer_count is None else number(stream.viewer_count))
        self._viewers.setVisible(stream.viewer_count is not None)
        words = self.tr("Open the channel of {}").format(name)
        self._open.setAccessibleName(readable(words))
        self._open.setToolTip(plain(words))
        self._address = channel_address(stream.login)

    def _go(self) -> None:
        open_address(self._address)


_GAP = 7
_LEAST = 3.0
_WIDEST = 40.0


class Days(Card):
    """A bar a day."""

    def __init__(self) -> None:
        super().__init__()
        self._title, self._sum = label(self.tr("The last days"), "heading"), label("", "muted")
        self.body.addLayout(row(self._title, None, self._sum))
        self._today = label("", "muted", wrap=True)
        self._chart = _Chart()
        fill(self.body, self._today, (self._chart, 1))
        self._today.hide()

    def show_days(self, days: tuple[DayNumbers, ...]) -> None:
        announced, given_up = sum(day.announced for day in days), sum(day.given_up for day in days)
        self._title.setText(self.tr("Last %n days", "", len(days)))
        text = self.tr("%n announced", "", announced)
        if given_up:
            text += " · " + self.tr("%n given up", "", given_up)
        self._sum.setText(text)
        self._today.setVisible(bool(days))
        if days:
            self._today.setText(self._numbers(days[-1]))
        self._chart.show_days(days)

    def _numbers(self, day: DayNumbers) -> str:
        parts = [self.tr("%n announced", "", day.announced), self.tr("%n delivered", "", day.delivered)]
        if day.given_up:
            parts.append(self.tr("%n given up", "", day.given_up))
        if day.suppressed:
            parts.append(self.tr("%n not announced", "", day.suppressed))
        return self.tr("Today: {}").format(" · ".join(parts))


class _Chart(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._days: tuple[DayNumbers, ...] = ()
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(240, 170)

    def show_days(self, days: tuple[DayNumbers, ...]) -> None:
        self._days = days
        said = ", ".join(f"{_date(day)} {day.announced}" for day in days)
        self.setAccessibleName(readable(self.tr("Announced each day: {}").format(said)))
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for day, box in zip(self._days, self._boxes(), strict=True):
                if box.left() <= event.pos().x() <= box.right():
                    text = self.tr("{}: {} announced, {} delivered, {} given up, {} not announced")
                    said = text.format(_date(day), day.announced, day.delivered, day.given_up, day.suppressed)
                    QToolTip.showText(event.globalPos(), plain(said), self)
                    return True
            QToolTip.hideText()
        return super().event(event)

    def _boxes(self) -> list[QRectF]:
        most = max((day.announced + day.given_up for day in self._days), default=0) or 1
        place = (self.width() + _GAP) / max(len(self._days), 1)
        width = min(place - _GAP, _WIDEST)
        found = []
        for at, day in enumerate(self._days):
            height = max(_LEAST, (self.height() - 8) * (day.announced + day.given_up) / most)
            found.append(QRectF(at * place + (place - _GAP - width) / 2, self.height() - height, width, height))
        return found

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        palette = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for day, box in zip(self._days, self._boxes(), strict=True):
            total = day.announced + day.given_up
            painter.setBrush(QColor(palette.accent if total else palette.line))
            painter.drawRoundedRect(box, 3, 3)
            if day.given_up:
                part = box.adjusted(0, 0, 0, 0)
                part.setHeight(max(_LEAST, box.height() * day.given_up / total))
                painter.setBrush(QColor(palette.attention))
                painter.drawRoundedRect(part, 3, 3)
        painter.end()


def _date(day: DayNumbers) -> str:
    """As people write it here."""
    return QLocale().toString(QDate.fromString(day.day, Qt.DateFormat.ISODate), QLocale.FormatType.ShortFormat)
