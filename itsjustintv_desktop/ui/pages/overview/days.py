"""Today in numbers, and the last days as a small chart: how many streams were announced, and what was given up."""

from __future__ import annotations

from PySide6.QtCore import QDate, QEvent, QLocale, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from itsjustintv_desktop.engine import DayNumbers
from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.basic import Card, label, row

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
        self.body.addWidget(self._today)
        self.body.addWidget(self._chart, 1)
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
        for number, day in enumerate(self._days):
            height = max(_LEAST, (self.height() - 8) * (day.announced + day.given_up) / most)
            found.append(QRectF(number * place + (place - _GAP - width) / 2, self.height() - height, width, height))
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
