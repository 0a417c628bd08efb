"""The program's log: lines, their details and a filter."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QSplitter,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from itsjustintv_desktop.engine import LogLine, errors
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.plain import open_folder, readable
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.basic import Card, Tone, button, every, fill, label, paint_dot, row, stacked
from itsjustintv_desktop.ui.widgets.field import SearchField, choice, text_box
from itsjustintv_desktop.ui.widgets.states import EmptyState, Loading
from itsjustintv_desktop.ui.widgets.table import NOWHERE, Index

MOST = 2_000
LEVELS = ("debug", "info", "warning", "error", "critical")
_IDS = frozenset({"notification", "webhook_id", "message_id"})


class LogModel(QAbstractListModel):
    """`dropped(int)`: so many rows went away at the top."""

    dropped = Signal(int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: deque[LogLine] = deque(maxlen=MOST)
        self._shown: list[LogLine] = []
        self.level = "debug"
        self.search = ""

    @property
    def last(self) -> int:
        """The number of the newest line; 0 before the first."""
        return self._all[-1].number if self._all else 0

    @property
    def is_empty(self) -> bool:
        """Nothing was logged at all, whatever the filter."""
        return not self._all

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802 - Qt's name
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole} and index.isValid():
            return readable(one_line(self._shown[index.row()]))
        return None

    def line(self, row: int) -> LogLine:
        return self._shown[row]

    def add(self, lines: Sequence[LogLine]) -> None:
        """Newer ones, oldest first."""
        self._all.extend(lines)
        new = [line for line in lines if self._fits(line)][-MOST:]
        if new:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._shown += new
            self.endInsertRows()
        oldest = self._all[0].number if self._all else 0
        gone = next((place for place, line in enumerate(self._shown) if line.number >= oldest), len(self._shown))
        if gone:
            self.beginRemoveRows(QModelIndex(), 0, gone - 1)
            del self._shown[:gone]
            self.endRemoveRows()
            self.dropped.emit(gone)

    def choose(self, level: str, search: str) -> None:
        """Show lines of this level and above that have `search` in them."""
        self.level, self.search = level, search.casefold()
        self.beginResetModel()
        self._shown = [line for line in self._all if self._fits(line)]
        self.endResetModel()

    def _fits(self, line: LogLine) -> bool:
        if line.level in LEVELS and LEVELS.index(line.level) < LEVELS.index(self.level):
            return False
        return not self.search or self.search in f"{line.logger} {one_line(line)}".casefold()


def said_besides(line: LogLine) -> str:
    """Its fields in one line; of a traceback the last line. Long ids come last."""
    parts = []
    for name, value in sorted(line.fields, key=lambda field: field[0] in _IDS):
        last = value.rstrip().rpartition("\n")[2]
        parts.append(last if name == "exception" else f"{name}={last}")
    return "  ".join(parts)


def one_line(line: LogLine) -> str:
    """ "14:52:33 warning  it is late  seconds=4"."""
    return f"{at(line)} {line.level}  {line.text}  {said_besides(line)}".rstrip()


def in_full(line: LogLine) -> str:
    """All of it, a field a line."""
    then = datetime.fromtimestamp(line.at)  # noqa: DTZ006 - a person's own time
    head = f"{then.strftime('%Y-%m-%d %H:%M:%S')} [{line.level}] {line.logger}\n{line.text}"
    return "\n".join([head, *(f"{name}: {value}" for name, value in line.fields)])


def at(line: LogLine) -> str:
    return datetime.fromtimestamp(line.at).strftime("%H:%M:%S")  # noqa: DTZ006 - a person's own time


HEIGHT = 26
_TIME, _DOT, _GAP = 66, 10, 12
_TONES: dict[str, Tone] = {"warning": "attention", "error": "failed", "critical": "failed"}
_ONE_LINE = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine


class Lines(QListView):
    """Follows the newest line while that is in sight. `picked`: other lines are selected."""

    picked = Signal()

    def __init__(self, model: LogModel) -> None:
        super().__init__()
        self._model = model
        self.setModel(model)
        self.setAccessibleName(self.tr("Lines of the log"))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_Delegate(self))
        self.selectionModel().selectionChanged.connect(lambda *_: self.picked.emit())
        theme().changed.connect(self.viewport().update)
        self._follows = True
        model.rowsAboutToBeInserted.connect(self._before)
        model.rowsInserted.connect(self._after)
        model.modelReset.connect(self._after_reset)
        model.dropped.connect(self._dropped)

    @property
    def is_at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - HEIGHT // 2

    def to_end(self) -> None:
        self.updateGeometries()
        self.scrollToBottom()

    def chosen(self) -> list[LogLine]:
        """The selected lines, oldest first."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._model.line(row) for row in rows]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        follows = self.is_at_end
        super().resizeEvent(event)
        if follows:
            self.to_end()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        if self._follows:
            self.to_end()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if event.matches(QKeySequence.StandardKey.Copy) and self.chosen():
            self.copy()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """The selected lines in full."""
        QGuiApplication.clipboard().setText("\n".join(in_full(line) for line in self.chosen()))

    def _before(self) -> None:
        self._follows = self.is_at_end

    def _after_reset(self) -> None:
        self._follows = True
        self.to_end()

    def _after(self) -> None:
        if self._follows:
            self.to_end()

    def _dropped(self, count: int) -> None:
        """Lines went away at the top: what a person reads stays where it is."""
        if self._follows:
            self.to_end()
        else:
            bar = self.verticalScrollBar()
            value = bar.value()
            self.updateGeometries()
            bar.setValue(max(0, value - count * HEIGHT))


class _Delegate(QStyledItemDelegate):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._mono = QFont("DejaVu Sans Mono")
        self._mono.setStyleHint(QFont.StyleHint.Monospace)
        self._mono.setPixelSize(12)

    def sizeHint(self, _: QStyleOptionViewItem, __: Index) -> QSize:  # noqa: N802
        return QSize(200, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, LogModel):
            return
        line, palette = model.line(index.row()), theme().palette
        box = QRect(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(palette.accent_background))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(palette.accent))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        left = box.left() + 8
        painter.setFont(self._mono)
        painter.setPen(QColor(palette.text2))
        painter.drawText(QRect(left, box.top(), _TIME, HEIGHT), _ONE_LINE, at(line))
        left += _TIME
        if line.level in _TONES:
            paint_dot(painter, _TONES[line.level], QRectF(left, box.center().y() - _DOT / 2 + 1, _DOT, _DOT))
        left += _DOT + _GAP
        colours = {"warning": palette.attention, "error": palette.live, "critical": palette.live}
        painter.setPen(QColor(colours.get(line.level, palette.text1)))
        room = box.right() - 8 - left
        text = painter.fontMetrics().elidedText(readable(line.text), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(left, box.top(), room, HEIGHT), _ONE_LINE, text)
        used = painter.fontMetrics().horizontalAdvance(text) + 16
        if used < room - 40:
            painter.setPen(QColor(palette.text2))
            more = readable(said_besides(line))
            rest = painter.fontMetrics().elidedText(more, Qt.TextElideMode.ElideRight, room - used)
            painter.drawText(QRect(left + used, box.top(), room - used, HEIGHT), _ONE_LINE, rest)
        painter.restore()


READ_MS = 500
"""New lines are asked for that often while the page is in sight."""


class LogView(Page):
    """Shows the last lines that the engine keeps in memory."""

    name = "log"

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self.model = LogModel(self)
        self._folder = ""
        self._in_trouble = False
        self._make_head()
        self.lines = Lines(self.model)
        self._loading = Loading(self.tr("Reading the log"))
        self._empty = EmptyState(
            "page", self.tr("Nothing was logged yet"), self.tr("What the program does is told here as it happens.")
        )
        self._no_match = EmptyState(
            "search", self.tr("Nothing fits"), self.tr("No line fits the filter."), self.tr("Show all"), self.show_all
        )
        self._stack = stacked(self._loading, self._empty, self._no_match, self.lines)
        upper, lower = Card(margin=12), Card(margin=14)
        fill(upper.body, row(self.level, self.search, None, self.pause, self.folder), (self._stack, 1))
        self.full = text_box(self.tr("The chosen lines in full"), wraps=True)
        self.copy = button(self.tr("&Copy lines"), self._copy_lines, role="small")
        fill(lower.body, row(label(self.tr("In full"), "label"), None, self.copy), (self.full, 1))
        self._lower = lower
        lower.hide()
        splitter = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False, handleWidth=12)
        splitter.addWidget(upper)
        splitter.addWidget(lower)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([500, 190])
        self.body.addWidget(splitter, 1)
        self.lines.picked.connect(self._picked)
        self.model.rowsRemoved.connect(self._show)
        self._timer = every(self, READ_MS, self._read_soon)

    def _make_head(self) -> None:
        self.report = button(self.tr("Copy &report for support"), self._copy_report, icon_name="copy")
        self.head.addWidget(self.report)
        self.level = choice(
            ("debug", self.tr("All lines")), ("warning", self.tr("Warnings and errors")), ("error", self.tr("Errors")),
            name=self.tr("Which lines are shown"),
        )  # fmt: skip
        self.search = SearchField(self.tr("Filter"), self.tr("Filter by text"), widest=240, wait=200)
        self.search.settled.connect(self.choose)
        self.level.currentIndexChanged.connect(self.choose)
        self.pause = button(self.tr("&Pause"), self._paused, icon_name="pause")
        self.pause.setCheckable(True)
        self.folder = button(self.tr("Open &folder"), lambda: open_folder(self._folder), icon_name="folder")
        self.folder.setEnabled(False)

    # Lines

    def activate(self, what: object = None) -> None:
        super().activate(what)
        self._read_soon()

    def choose(self, *_: object) -> None:
        """Show what the filter says."""
        self.model.choose(self.level.currentData(), self.search.text().strip())
        self._picked()
        self._show()

    def show_all(self) -> None:
        self.search.clear()
        self.level.setCurrentIndex(0)
        self.choose()

    def _read_soon(self) -> None:
        if self.isVisible() and not self.pause.isChecked() and self.bridge.state == "running":
            self.do("lines", self._read())

    async def _read(self) -> None:
        last = self.model.last
        try:
            page = await self.bridge.call(lambda engine: engine.api.diagnostics.log(last))
        except errors.AppError:
            if self._in_trouble:
                return  # shown once; the timer retries
            self._in_trouble = True
            raise
        if self._in_trouble:
            self._in_trouble = False
            self.banner.hide()
        self._folder = page.folder
        self.folder.setEnabled(bool(page.folder))
        if not self.pause.isChecked():
            self.model.add(page.lines)
            self._show()

    def _show(self, *_: object) -> None:
        if self.model.rowCount():
            self._stack.setCurrentWidget(self.lines)
        else:
            self._stack.setCurrentWidget(self._empty if self.model.is_empty else self._no_match)

    def _picked(self) -> None:
        chosen = self.lines.chosen()
        self._lower.setVisible(bool(chosen))
        if chosen:
            self.full.setPlainText("\n\n".join(in_full(line) for line in chosen[:50]))

    def _copy_lines(self) -> None:
        self.lines.copy()
        self.tell(self.tr("%n lines copied", "", len(self.lines.chosen())))

    # The buttons

    def _paused(self) -> None:
        paused = self.pause.isChecked()
        self.pause.setText(self.tr("&Go on") if paused else self.tr("&Pause"))
        if not paused:
            self._read_soon()

    def _copy_report(self) -> None:
        if self.do("report", self._make_report()):
            self.report.setEnabled(False)

    async def _make_report(self) -> None:
        try:
            text = await self.bridge.call(lambda engine: engine.api.support.report(), timeout=60.0)
        finally:
            self.report.setEnabled(True)
        QGuiApplication.clipboard().setText(text)
        self.tell(self.tr("Report copied, without secrets. Paste it where you ask for help."))


View = LogView
