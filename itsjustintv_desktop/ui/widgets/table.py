"""Tables as every page has them: rows of one height, chosen as a whole, drawn without a widget a row."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, QItemSelectionModel, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from itsjustintv_desktop.ui.models.rows import DRAFT_ROLE, Index
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme import pixmap, theme
from itsjustintv_desktop.ui.theme.tokens import ROW_HEIGHT
from itsjustintv_desktop.ui.widgets.basic import Tone, paint_dot

EDGE = 8
_PEN = 15


class Table(QTableView):
    """Sorted by a click at a heading; Tab leaves it, arrows walk in it."""

    def __init__(
        self, name: str, model: QAbstractItemModel, *, many: bool = False, row_height: int = ROW_HEIGHT
    ) -> None:
        super().__init__()
        self._near = 0
        self.setAccessibleName(readable(name))
        self.setModel(model)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if many else mode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(row_height)
        heading = self.horizontalHeader()
        heading.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        heading.setHighlightSections(False)
        heading.setMinimumSectionSize(48)
        theme().changed.connect(self.viewport().update)

    def chosen(self) -> list[int]:
        """Numbers of the rows that are selected, in order."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def choose_near(self) -> None:
        """Where nothing is selected: the row that took the place of the one that went, else the first."""
        near, self._near = self._near, 0
        if not self.chosen() and self.model().rowCount():
            self.choose(min(near, self.model().rowCount() - 1))

    def rowsAboutToBeRemoved(self, parent: Index, start: int, end: int) -> None:  # noqa: N802 - Qt's name
        """Qt itself goes to the row above, and to none where several can be selected."""
        chosen = self.chosen()
        if chosen and start <= chosen[0] and chosen[-1] <= end:
            self._near = start
        elif not chosen and start < self._near:
            self._near -= min(end + 1, self._near) - start
        super().rowsAboutToBeRemoved(parent, start, end)

    def choose(self, row: int) -> None:
        """Select one row and bring it into sight."""
        index = self.model().index(row, 0)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)


class CellDelegate(QStyledItemDelegate):
    """Text in the quiet colour, ended with dots where it does not fit; the parts are there for others to use."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        self.back(painter, option)
        self.write(painter, option, str(index.data() or ""), option.rect.adjusted(EDGE, 0, -4, 0))

    def back(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        """The background of the row and the line below it."""
        palette = theme().palette
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(palette.accent_background))
        painter.fillRect(QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1), QColor(palette.line))

    def write(
        self, painter: QPainter, option: QStyleOptionViewItem, text: str, box: QRect, *, strong: bool = False
    ) -> None:
        palette = theme().palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        font = QFont(option.font)
        if strong:
            font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(palette.text1 if strong or selected else palette.text2))
        line = painter.fontMetrics().elidedText(" ".join(text.split()), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, line)
        painter.restore()

    def name(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, text: str, box: QRect) -> None:
        """What the row is called, with a pen at its end where something of it is not saved yet."""
        if index.data(DRAFT_ROLE):
            pen = pixmap("pen", theme().palette.accent, _PEN)
            painter.drawPixmap(box.right() - _PEN, box.center().y() - _PEN // 2 + 1, pen)
            box = box.adjusted(0, 0, -_PEN - 4, 0)
        self.write(painter, option, text, box, strong=True)

    def states(self, painter: QPainter, option: QStyleOptionViewItem, facts: Sequence[tuple[Tone, str]]) -> None:
        """One below the other."""
        whole = QRect(option.rect)
        edge = whole.height() // 6 if len(facts) > 1 else 0
        height = (whole.height() - 2 * edge) // len(facts)
        for number, (tone, word) in enumerate(facts):
            option.rect = QRect(whole.left(), whole.top() + edge + number * height, whole.width(), height)
            self.state(painter, option, tone, word)
        option.rect = whole

    def state(self, painter: QPainter, option: QStyleOptionViewItem, tone: Tone, word: str) -> None:
        """A shape and a word."""
        box = option.rect
        paint_dot(painter, tone, QRectF(box.left() + EDGE, box.center().y() - 4, 10, 10))
        self.write(painter, option, word, box.adjusted(EDGE + 18, 0, -4, 0))
