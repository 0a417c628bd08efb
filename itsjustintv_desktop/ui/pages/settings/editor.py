"""A TOML editor: colours, line numbers, and marks at the lines something is wrong with."""

from __future__ import annotations

import re
from collections.abc import Mapping

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme import theme

_PARTS = re.compile(
    r"(?P<comment>#.*$)"
    r"|(?P<table>^\s*\[\[?[^\]]*\]\]?)"
    r"""|(?P<string>"(?:\\.|[^"\\])*"?|'[^']*'?)"""
    r"|(?P<key>^\s*[\w.\-]+(?=\s*=))"
    r"|(?P<value>(?<=[=\[,\s])(?:true|false|[+-]?\d[\w.:+-]*)\b)"
)


class TomlHighlighter(QSyntaxHighlighter):
    """Follows the theme."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._formats: dict[str, QTextCharFormat] = {}
        theme().changed.connect(self._colours_changed)
        self._make()

    def highlightBlock(self, text: str) -> None:  # noqa: N802 - Qt's name
        for match in _PARTS.finditer(text):
            kind = match.lastgroup
            if kind is not None:
                self.setFormat(match.start(), match.end() - match.start(), self._formats[kind])

    def _colours_changed(self) -> None:
        self._make()
        self.rehighlight()

    def _make(self) -> None:
        palette = theme().palette
        colours = {
            "comment": palette.text2, "table": palette.accent, "string": palette.ok, "key": palette.text1,
            "value": palette.attention,
        }  # fmt: skip
        for kind, colour in colours.items():
            made = QTextCharFormat()
            made.setForeground(QColor(colour))
            if kind == "table":
                made.setFontWeight(QFont.Weight.DemiBold)
            made.setFontItalic(kind == "comment")
            self._formats[kind] = made


_EDGE = 10


class TomlEditor(QPlainTextEdit):
    """Tab leaves it, as it leaves every control."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(readable(name))
        self.setProperty("role", "mono")
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._marks: dict[int, str] = {}
        self._numbers = _Numbers(self)
        self.highlighter = TomlHighlighter(self.document())
        self.blockCountChanged.connect(lambda _: self._fit())
        self.updateRequest.connect(self._scrolled)
        theme().changed.connect(self._mark)
        self._fit()

    def show_marks(self, marks: Mapping[int, str]) -> None:
        """A sentence for each line (from 1) that has a problem."""
        self._marks = dict(marks)
        self._mark()

    def go_to(self, line: int) -> None:
        """Put the cursor at the beginning of a line, in the middle of what is seen."""
        block = self.document().findBlockByNumber(line - 1)
        if block.isValid():
            self.setTextCursor(QTextCursor(block))
            self.centerCursor()
            self.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        box = self.contentsRect()
        self._numbers.setGeometry(QRect(box.left(), box.top(), self.numbers_width(), box.height()))

    def numbers_width(self) -> int:
        digits = max(3, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("0") * digits + 2 * _EDGE

    def paint_numbers(self, event: QPaintEvent) -> None:
        palette = theme().palette
        painter = QPainter(self._numbers)
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= event.rect().bottom():
            height = self.blockBoundingRect(block).height()
            line = block.blockNumber() + 1
            if block.isVisible() and top + height >= event.rect().top():
                wrong = line in self._marks
                painter.setPen(QColor(palette.live if wrong else palette.text2))
                box = QRect(0, round(top), self._numbers.width() - _EDGE, round(height))
                painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(line))
                if wrong:
                    box.setLeft(2)
                    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "!")
            top += height
            block = block.next()
        painter.end()

    def mark_at(self, point: QPoint) -> str:
        """The sentence for the line at a height, "" for none."""
        return self._marks.get(self.cursorForPosition(QPoint(0, point.y())).blockNumber() + 1, "")

    def _fit(self) -> None:
        self.setViewportMargins(self.numbers_width(), 0, 0, 0)

    def _scrolled(self, rect: QRect, dy: int) -> None:
        if dy:
            self._numbers.scroll(0, dy)
        else:
            self._numbers.update(0, rect.y(), self._numbers.width(), rect.height())

    def _mark(self) -> None:
        colour = QColor(theme().palette.live)
        colour.setAlpha(38)
        selections = []
        for line in self._marks:
            block = self.document().findBlockByNumber(line - 1)
            if block.isValid():
                made = QTextEdit.ExtraSelection()
                made.format.setBackground(colour)
                made.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
                made.cursor = QTextCursor(block)
                selections.append(made)
        self.setExtraSelections(selections)
        self._numbers.update()


class _Numbers(QWidget):
    def __init__(self, editor: TomlEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(self._editor.numbers_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        self._editor.paint_numbers(event)
