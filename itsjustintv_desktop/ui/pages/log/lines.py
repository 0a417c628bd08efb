"""The list of lines, painted one by one: only those in sight cost anything."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from itsjustintv_desktop.engine import LogLine
from itsjustintv_desktop.ui.models.log import LogModel, at, in_full, said_besides
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.basic import Tone, paint_dot

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

    def sizeHint(self, _: QStyleOptionViewItem, __: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return QSize(200, HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
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
