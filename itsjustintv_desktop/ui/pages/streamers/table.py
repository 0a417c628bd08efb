"""The table of streamers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyleOptionViewItem

from itsjustintv_desktop.ui.images import Pictures, paint_avatar
from itsjustintv_desktop.ui.models.rows import ROW_ROLE, Index
from itsjustintv_desktop.ui.models.streamers import (
    DESTINATIONS,
    FILTER,
    NAME,
    STATE,
    StreamerRow,
    StreamersFilter,
    StreamersModel,
    facts_of,
)
from itsjustintv_desktop.ui.widgets.table import EDGE, CellDelegate, Table

_NARROW = 440
"""Only where a person drags it so narrow, two columns make room for the others."""
_TIGHT = 300
_STATE = (96, 150, 210)
"""Width of the state in a narrow table, at least and at most; names get what is left."""
_PICTURE = 30
_SMALL_PICTURE = 24


class StreamerTable(Table):
    """`chosen_changed` when other rows are selected. `keys` are theirs."""

    chosen_changed = Signal()

    def __init__(self, name: str, pictures: Pictures) -> None:
        self.all, self.shown = StreamersModel(), StreamersFilter()
        self.shown.setSourceModel(self.all)
        super().__init__(name, self.shown, many=True)
        self.setItemDelegate(_Delegate(self, pictures))
        self.setSortingEnabled(True)
        heading = self.horizontalHeader()
        heading.setSortIndicatorClearable(True)
        heading.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        for column, share in ((NAME, 190), (STATE, _STATE[1]), (FILTER, 100), (DESTINATIONS, 150)):
            self.setColumnWidth(column, share)
        heading.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        heading.setStretchLastSection(True)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen_changed.emit())
        pictures.arrived.connect(self._repaint)

    @property
    def keys(self) -> list[str]:
        """Of the streamers that are selected."""
        return [self.row(number).view.key for number in self.chosen()]

    def row(self, number: int) -> StreamerRow:
        """As shown."""
        row: StreamerRow = self.shown.index(number, 0).data(ROW_ROLE)
        return row

    def choose_keys(self, keys: Sequence[str]) -> bool:
        """Select these; False, and nothing, if one of them is not there."""
        rows = [self.shown.mapFromSource(self.all.index(self.all.place(key), 0)) for key in keys]
        if not all(index.isValid() for index in rows):
            return False
        if keys != self.keys:
            flags = QItemSelectionModel.SelectionFlag
            for number, index in enumerate(rows):
                if number:
                    self.selectionModel().select(index, flags.Select | flags.Rows)
                else:
                    self.choose(index.row())
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        width = self.viewport().width()
        narrow, (least, usual, most) = width < _NARROW, _STATE
        for column in (FILTER, DESTINATIONS):
            self.setColumnHidden(column, narrow)
        name = width - least if narrow else max(120, round(width * 0.28))
        state = least if narrow else min(max(usual, round(width * 0.3)), most)
        self.setColumnWidth(NAME, name)
        self.setColumnWidth(STATE, state)
        if not narrow:
            filtered = min(110, (width - name - state) // 2)
            self.setColumnWidth(FILTER, filtered)
            self.setColumnWidth(DESTINATIONS, width - name - state - filtered)

    def _repaint(self, _: str) -> None:
        self.viewport().update()


class _Delegate(CellDelegate):
    def __init__(self, table: StreamerTable, pictures: Pictures) -> None:
        super().__init__(table)
        self._table, self._pictures = table, pictures

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: StreamerRow = index.data(ROW_ROLE)
        if index.column() == NAME:
            self.back(painter, option)
            box = option.rect
            tight = self._table.viewport().width() < _TIGHT
            size, gap = (_SMALL_PICTURE, 8) if tight else (_PICTURE, 12)
            circle = QRectF(box.left() + EDGE, box.center().y() - size / 2, size, size)
            paint_avatar(painter, circle, row.name, self._pictures.get(row.view.picture))
            self.name(painter, option, index, row.name, box.adjusted(EDGE + size + gap, 0, -4, 0))
        elif index.column() == STATE:
            self.back(painter, option)
            self.states(painter, option, facts_of(row))
        else:
            super().paint(painter, option, index)
