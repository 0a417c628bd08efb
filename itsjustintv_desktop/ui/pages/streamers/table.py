"""The table of streamers, and the rows it shows, with who is live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QItemSelectionModel, QRectF, QSortFilterProxyModel, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyleOptionViewItem

from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.ui.formatting import tr
from itsjustintv_desktop.ui.images import Pictures, paint_avatar
from itsjustintv_desktop.ui.status import StreamerRow, facts_of, problem_of
from itsjustintv_desktop.ui.widgets.table import EDGE, ROW_ROLE, CellDelegate, Index, KeyedRows, Table, removed

NAME, STATE, FILTER, DESTINATIONS = range(4)


class StreamersModel(KeyedRows[StreamerRow]):
    """`show` a snapshot."""

    def __init__(self) -> None:
        titles = (tr("Streamer"), tr("State"), tr("Filter"), tr("Destinations"))
        super().__init__(titles, lambda row: row.view.key)

    def show(self, snapshot: Snapshot) -> None:
        live = {stream.broadcaster_id: stream for stream in snapshot.live}
        by_login = {stream.login: stream for stream in snapshot.live}
        self.show_rows(
            [
                StreamerRow(view, (live.get(view.user_id) or by_login.get(view.login)) if view.live else None)
                for view in snapshot.streamers
            ]
        )

    def gone(self, row: StreamerRow) -> StreamerRow:
        return StreamerRow(msgspec.structs.replace(row.view, status=removed(), live=False), None)

    def cell(self, row: StreamerRow, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _hint(row, column) or None
        if role == Qt.ItemDataRole.AccessibleTextRole and column == NAME:
            return f"{row.name}, {_text(row, STATE)}"
        return None


class StreamersFilter(QSortFilterProxyModel):
    """What a person looks for: in names, tags, destinations and states. Sorting puts who is live first."""

    def __init__(self) -> None:
        super().__init__()
        self._words: tuple[str, ...] = ()

    def look_for(self, text: str) -> None:
        self._words = tuple(text.casefold().split())
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:  # noqa: N802 - Qt's name
        if not self._words:
            return True
        row: StreamerRow = self.sourceModel().index(source_row, 0, source_parent).data(ROW_ROLE)
        view = row.view
        parts = (view.key, view.login, view.display_name, *view.tag_filter, *view.destinations, _text(row, STATE))
        text = "\n".join(parts).casefold()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:  # noqa: N802 - Qt's name
        column = left.column()
        return bool(_order(left.data(ROW_ROLE), column) < _order(right.data(ROW_ROLE), column))


def _text(row: StreamerRow, column: int) -> str:
    if column == NAME:
        return row.name
    if column == STATE:
        return ", ".join(word for _, word in facts_of(row))
    if column == FILTER:
        return ", ".join(row.view.tag_filter) or tr("all")
    return ", ".join(row.view.destinations) or tr("none")


def _hint(row: StreamerRow, column: int) -> str:
    if column == STATE:
        title = row.stream.title if row.stream is not None else ""
        return "\n".join(part for part in (_text(row, column), problem_of(row.view) or title) if part)
    return _text(row, column) if column in {FILTER, DESTINATIONS} else f"{row.name}\ntwitch.tv/{row.view.login}"


def _order(row: StreamerRow, column: int) -> tuple[int, str]:
    if column == STATE:
        rank: dict[str, int] = {"live": 0, "failed": 1, "attention": 1}
        viewers = row.stream.viewer_count or 0 if row.stream is not None else 0
        first = rank.get(facts_of(row)[0][0], 2 if row.view.enabled else 3)
        return first, f"{10**9 - viewers:010}{row.name.casefold()}"
    return 0, _text(row, column).casefold()


_NARROW = 440
"""Only where a person drags it so narrow, two columns make room for the others."""
_TIGHT = 300
_STATE = (96, 150, 210)
"""Width of the state in a narrow table, at least and at most; names get what is left."""
_PICTURE = 30
_SMALL_PICTURE = 24


class StreamerTable(Table):
    """`keys` are those of the rows that are selected."""

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
        pictures.arrived.connect(lambda _: self.viewport().update())

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
