"""The table of deliveries: a dot for the state, and a countdown to the next attempt."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.pages.deliveries.model import (
    ANSWER,
    DESTINATION,
    NEXT,
    STATE,
    STREAMER,
    TRIES,
    DeliveriesModel,
)
from itsjustintv_desktop.ui.status import tone_of
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.theme.tokens import ROW_HEIGHT
from itsjustintv_desktop.ui.widgets.basic import every, paint_dot
from itsjustintv_desktop.ui.widgets.table import Index

DOT = 11
HEADING_EDGE = 10


class DeliveriesTable(QTableView):
    """`picked`: other rows are selected. Selection and scroll position survive a reload."""

    picked = Signal()

    def __init__(self, model: DeliveriesModel) -> None:
        super().__init__()
        self._model = model
        self._kept: tuple[int, list[int]] = (0, [])
        self.setModel(model)
        self.setAccessibleName(self.tr("Deliveries"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setItemDelegate(_Delegate(self))
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        columns.setHighlightSections(False)
        # Not the table's: the header would ask each of 100,000 rows whether its whole column is selected.
        columns.setSelectionModel(QItemSelectionModel(model, self))
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setMinimumSectionSize(32)
        for column, width in ((STATE, 36), (DESTINATION, 118), (STREAMER, 112), (TRIES, 56), (NEXT, 92)):
            self.setColumnWidth(column, width)
        for column in (TRIES, NEXT):
            heading = columns.fontMetrics().horizontalAdvance(str(model.headerData(column, Qt.Orientation.Horizontal)))
            self.setColumnWidth(column, max(self.columnWidth(column), heading + 2 * HEADING_EDGE))
        columns.setSectionResizeMode(ANSWER, QHeaderView.ResizeMode.Stretch)
        self.selectionModel().selectionChanged.connect(lambda *_: self.picked.emit())
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        model.rowsInserted.connect(self._stay)
        self._tick = every(self, 1000, self._second)
        theme().changed.connect(self.viewport().update)

    def parts(self) -> list[range]:
        """The selected rows, as runs."""
        chosen = self.selectionModel().selection()
        runs = [chosen.at(place) for place in range(chosen.count())]
        return [range(run.top(), run.bottom() + 1) for run in runs]

    def selected_count(self) -> int:
        return sum(len(part) for part in self.parts())

    def only(self) -> int | None:
        """The id of the only selected delivery."""
        parts = self.parts()
        if len(parts) != 1 or len(parts[0]) != 1:
            return None
        view = self._model.view(parts[0].start)
        return view.id if view is not None else None

    def select_id(self, delivery_id: int) -> bool:
        """Select that one, if it is in the list."""
        row = self._model.row_of(delivery_id)
        if row is None:
            return False
        self.selectRow(row)
        self.scrollTo(self._model.index(row, DESTINATION))
        return True

    def _keep(self) -> None:
        ids = []
        for part in self.parts():
            ids += [view.id for row in part[:200] if (view := self._model.view(row)) is not None]
        self._kept = (self.verticalScrollBar().value(), ids[:200])

    def _restore(self) -> None:
        value, ids = self._kept
        self.updateGeometries()
        self.verticalScrollBar().setValue(value)
        chosen = QItemSelection()
        for delivery_id in ids:
            row = self._model.row_of(delivery_id)
            if row is not None:
                chosen.select(self._model.index(row, STATE), self._model.index(row, NEXT))
        if not chosen.isEmpty():
            self.selectionModel().select(chosen, self.selectionModel().SelectionFlag.ClearAndSelect)

    def _stay(self, _: QModelIndex, first: int, last: int) -> None:
        """Rows were inserted on top: keep what is in view in place, unless the newest row is in view."""
        bar = self.verticalScrollBar()
        if first == 0 and bar.value() > 0:
            value = bar.value()
            self.updateGeometries()
            bar.setValue(value + (last + 1) * ROW_HEIGHT)

    def _second(self) -> None:
        if self.isVisible():
            left = self.columnViewportPosition(NEXT)
            self.viewport().update(QRect(left, 0, self.columnWidth(NEXT), self.viewport().height()))


class _Delegate(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        model = index.model()
        if index.column() != STATE or not isinstance(model, DeliveriesModel):
            return
        view = model.view(index.row())
        if view is None:
            return
        by = model.held.get(view.destination)
        held = view.state is DeliveryState.PENDING and by is not None and by.always
        box = QRectF(option.rect)
        middle = box.center()
        tone = "off" if held else tone_of(view.state)
        paint_dot(painter, tone, QRectF(middle.x() - DOT / 2, middle.y() - DOT / 2, DOT, DOT))
