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
    state_of,
)
from itsjustintv_desktop.ui.widgets.table import EDGE, CellDelegate, Table

_NARROW = 470
_TIGHT = 300
_STATE, _STATE_WIDE = 96, 150
"""Width of the state in a narrow table; names get what is left."""
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
        for column, share in ((NAME, 190), (STATE, _STATE_WIDE), (FILTER, 110), (DESTINATIONS, 150)):
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
        narrow = self.viewport().width() < _NARROW
        for column in (FILTER, DESTINATIONS):
            self.setColumnHidden(column, narrow)
        name = self.viewport().width() - _STATE if narrow else max(150, round(self.viewport().width() * 0.3))
        self.setColumnWidth(NAME, name)
        self.setColumnWidth(STATE, _STATE if narrow else _STATE_WIDE)

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
            self.state(painter, option, *state_of(row))
        else:
            super().paint(painter, option, index)
