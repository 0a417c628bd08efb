"""The table of destinations."""

from __future__ import annotations

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QStyleOptionViewItem

from itsjustintv_desktop.engine import DestinationStatus
from itsjustintv_desktop.ui.models.destinations import NAME, STATE, WAITING, DestinationsModel, format_name, state_of
from itsjustintv_desktop.ui.models.rows import ROW_ROLE, Index
from itsjustintv_desktop.ui.widgets.table import EDGE, CellDelegate, Table


class DestinationTable(Table):
    """`chosen_changed` when another row is selected."""

    chosen_changed = Signal()

    def __init__(self, name: str) -> None:
        self.rows = DestinationsModel()
        super().__init__(name, self.rows, row_height=56)
        self.setItemDelegate(_Delegate(self))
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen_changed.emit())

    @property
    def key(self) -> str:
        """The name of the one that is chosen, "" for none."""
        chosen = self.chosen()
        return self.rows.rows[chosen[0]].name if chosen else ""

    def choose_key(self, name: str) -> bool:
        """Select one; False if it is not there."""
        number = self.rows.place(name)
        if number < 0:
            return False
        self.choose(number)
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        width = self.viewport().width()
        title = self.horizontalHeader().fontMetrics().horizontalAdvance(str(self.rows.titles[WAITING]))
        name, waiting = round(width * 0.4), max(title + 2 * EDGE + 4, min(80, width // 5))
        self.setColumnWidth(NAME, name)
        self.setColumnWidth(STATE, width - name - waiting)
        self.setColumnWidth(WAITING, waiting)


class _Delegate(CellDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: DestinationStatus = index.data(ROW_ROLE)
        if index.column() == NAME:
            self.back(painter, option)
            box = option.rect.adjusted(EDGE, 9, -4, -9)
            half = box.height() // 2
            host = row.address.split("/")[2] if row.address.count("/") > 1 else ""
            more = " · ".join(part for part in (format_name(row.format), host) if part)
            self.name(painter, option, index, row.name, QRect(box.left(), box.top(), box.width(), half))
            self.write(painter, option, more, QRect(box.left(), box.top() + half, box.width(), half))
        elif index.column() == STATE:
            self.back(painter, option)
            self.state(painter, option, *state_of(row))
        else:
            super().paint(painter, option, index)
