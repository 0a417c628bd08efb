"""Tables: rows with a key, and how they are drawn without a widget a row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QCoreApplication,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from itsjustintv_desktop.engine.core.status import Level, StreamerStatus
from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.theme import pixmap, theme
from itsjustintv_desktop.ui.theme.tokens import ROW_HEIGHT
from itsjustintv_desktop.ui.widgets.basic import Tone, paint_dot

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
_MOST_SIGNALS = 200
"""Most runs of rows that a view hears of one by one: 30,000 would hold it for a second."""
ROW_ROLE = int(Qt.ItemDataRole.UserRole)
"""The row itself."""
DRAFT_ROLE = ROW_ROLE + 1
"""Whether something was typed for this row that is not saved yet."""


def as_text(value: Any, role: int) -> Any:
    """What a model gives for a role: a text of others as plain text."""
    if not isinstance(value, str):
        return value
    return plain(value) if role == Qt.ItemDataRole.ToolTipRole else readable(value)


_SAY_DRAFT = frozenset({int(Qt.ItemDataRole.AccessibleTextRole), int(Qt.ItemDataRole.ToolTipRole)})


class KeyedRows(QAbstractTableModel, Generic[Row]):
    """`titles` of the columns; `key_of` identifies a row. Selection and scroll position survive `show_rows`, and so
    does a row with something that is not saved yet."""

    def __init__(self, titles: Sequence[str], key_of: Callable[[Row], Hashable], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.titles = tuple(titles)
        self._key_of = key_of
        self.rows: list[Row] = []
        self._drafts: frozenset[Hashable] = frozenset()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Take these in place of what is there."""
        new = self._with_drafts(rows)
        old_keys, new_keys = [self._key_of(row) for row in self.rows], [self._key_of(row) for row in new]
        if old_keys != new_keys and not self._fit(old_keys, new_keys, new):
            self.beginResetModel()
            self.rows = new
            self.endResetModel()
            return
        changed = [number for number, row in enumerate(new) if self.rows[number] != row]
        self.rows = new
        runs = list(_runs(changed))
        for first, last in runs if len(runs) <= _MOST_SIGNALS else [(changed[0], changed[-1])]:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.titles) - 1))

    def mark(self, keys: frozenset[str]) -> None:
        """Rows with something that is not saved yet."""
        different = keys ^ self._drafts
        self._drafts = frozenset(keys)
        for number, row in enumerate(self.rows):
            if self._key_of(row) in different:
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(self.titles) - 1))

    def gone(self, row: Row) -> Row:
        """The row to show for one that was removed while it has unsaved input."""
        return row

    def _with_drafts(self, rows: Sequence[Row]) -> list[Row]:
        """With those that are gone and have something that is not saved yet."""
        new, there = list(rows), {self._key_of(row) for row in rows}
        for number, row in enumerate(self.rows):
            if self._key_of(row) in self._drafts - there:
                new.insert(number, self.gone(row))
        return new

    def place(self, key: str) -> int:
        """The number of a row, -1 where there is none."""
        return next((number for number, row in enumerate(self.rows) if self._key_of(row) == key), -1)

    def _fit(self, old_keys: list[Hashable], new_keys: list[Hashable], new: list[Row]) -> bool:
        """Take out what is gone and put in what is new. False where the order is another, or too much is gone."""
        wanted = set(new_keys)
        kept = [key for key in old_keys if key in wanted]
        there = set(kept)
        if kept != [key for key in new_keys if key in there] or len(there) != len(kept) or len(wanted) != len(new_keys):
            return False
        gone = list(_runs([number for number, key in enumerate(old_keys) if key not in wanted]))
        if len(gone) > _MOST_SIGNALS:
            return False
        for first, last in reversed(gone):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self.rows[first : last + 1]
            self.endRemoveRows()
        number = 0
        while number < len(new):
            end = number
            while end < len(new) and new_keys[end] not in there:
                end += 1
            if end > number:
                self.beginInsertRows(QModelIndex(), number, end - 1)
                self.rows[number:number] = new[number:end]
                self.endInsertRows()
            number = end + 1
        return True

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802 - Qt's name
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802 - Qt's name
        return 0 if parent.isValid() else len(self.titles)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section]
        return None

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        drafted = self._key_of(row) in self._drafts
        if role == DRAFT_ROLE:
            return drafted
        text = as_text(self.cell(row, index.column(), role), role)
        if text and drafted and index.column() == 0 and role in _SAY_DRAFT:
            text = f"{text}, {QCoreApplication.translate('rows', 'not saved yet')}"
        return text

    def cell(self, row: Row, column: int, role: int) -> Any:
        """What a cell has for a role, None for nothing: for each table to say."""
        return None


def removed() -> StreamerStatus:
    """Of a row that is not in the config any more and has something that is not saved yet."""
    word = QCoreApplication.translate("rows", "removed")
    return StreamerStatus(level=Level.ATTENTION, word=word, announced=False)


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers without a gap; `numbers` go up."""
    start = 0
    for place, number in enumerate(numbers):
        if place + 1 == len(numbers) or numbers[place + 1] != number + 1:
            yield numbers[start], number
            start = place + 1


EDGE = 8
_PEN = 15


class Table(QTableView):
    """Sorted by a click at a heading; Tab leaves it, arrows walk in it. `chosen_changed`: other rows are selected."""

    chosen_changed = Signal()

    def __init__(
        self, name: str, model: QAbstractItemModel, *, many: bool = False, row_height: int = ROW_HEIGHT
    ) -> None:
        super().__init__()
        self._near = 0
        self.setAccessibleName(readable(name))
        self.setModel(model)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen_changed.emit())
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
