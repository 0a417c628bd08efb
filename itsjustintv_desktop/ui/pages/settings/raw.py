"""config.toml as text: an editor with colours and marks, secrets as dots until they are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
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
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.engine.config.fields import sensitive_names
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.settings.document import ConfigDocument
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.basic import button, fill, label, later, row

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import ValidationResult

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


DOTS = "••••••"
_STRING = r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'"
_NAMES = "|".join(sorted(sensitive_names("secret", "destination", "address", "public address")))
_SECRET = re.compile(
    rf"(?<![\w-])[\"']?(?:{_NAMES}|headers\s*\.\s*[^=\n]+?)[\"']?\s*=\s*(?P<value>{_STRING})",
    re.IGNORECASE | re.DOTALL,
)
_INLINE = re.compile(r"(?<![\w-])[\"']?headers[\"']?\s*=\s*\{[^\n]*", re.IGNORECASE)
_SECTION = re.compile(r"^[ \t]*\[[^\]\n]*headers[\"']?\s*\][^\n]*\n(?P<body>(?:(?![ \t]*\[).*(?:\n|\Z))*)", re.I | re.M)
_VALUE = re.compile(rf"=\s*(?P<value>{_STRING})", re.DOTALL)
_MASK = re.compile(rf'"{DOTS} (?P<number>\d{{1,6}})"')
_OPEN = frozenset({"", "@keyring"})
"""Values that say nothing."""


@dataclass(frozen=True, slots=True)
class Masked:
    """`text` to show; `kept` are the values behind the dots, in order."""

    text: str
    kept: tuple[str, ...]


def mask(text: str) -> Masked:
    """Every secret, address and header's value becomes numbered dots."""
    spans = {match.span("value") for match in _SECRET.finditer(text)}
    spans |= {match.span() for match in _MASK.finditer(text)}
    for outer in (*_INLINE.finditer(text), *_SECTION.finditer(text)):
        spans |= {match.span("value") for match in _VALUE.finditer(text, *outer.span())}
    parts: list[str] = []
    kept: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start < at or text[start:end].strip("\"'") in _OPEN:
            continue
        kept.append(text[start:end])
        parts += [text[at:start], f'"{DOTS} {len(kept)}"']
        at = end
    return Masked("".join([*parts, text[at:]]), tuple(kept))


def unmask(shown: str, kept: tuple[str, ...]) -> str:
    """What a person made of the shown text, with the secrets in their places again."""

    def back(match: re.Match[str]) -> str:
        number = int(match["number"])
        return kept[number - 1] if 0 < number <= len(kept) else match[0]

    return _MASK.sub(back, shown)


HIDE_AGAIN_MS = 15_000


class RawTab(QWidget):
    """`edited` after each change of a person; the document has it by then."""

    edited = Signal()

    def __init__(self, document: ConfigDocument) -> None:
        super().__init__()
        self._document = document
        self._masked = Masked("", ())
        self.editor = TomlEditor("config.toml")
        self.problems = QListWidget()
        self.problems.setAccessibleName(self.tr("Problems"))
        self.problems.setMaximumHeight(96)
        self.problems.setWordWrap(True)
        self.problems.hide()
        self.where = label("", "muted", wrap=True, selectable=True)
        self.reveal = button(self.tr("Show se&crets"), self._toggle, role="small", icon_name="eye")
        self.reveal.setCheckable(True)
        self._hide_again = later(self, HIDE_AGAIN_MS, self.conceal)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        head = row((self.where, 1), self.reveal)
        fill(layout, head, (self.editor, 1), self.problems)
        self.editor.textChanged.connect(self._typed)
        self.problems.itemActivated.connect(self._go)
        self.problems.itemClicked.connect(self._go)
        document.changed.connect(self._document_changed)

    @property
    def text(self) -> str:
        """As it would be saved."""
        shown = self.editor.toPlainText()
        return shown if self.reveal.isChecked() else unmask(shown, self._masked.kept)

    def conceal(self) -> None:
        """Dots again."""
        if self.reveal.isChecked():
            self.reveal.setChecked(False)
            self._toggle()

    def show_checked(self, checked: ValidationResult) -> None:
        marks: dict[int, str] = {}
        self.problems.clear()
        for remark in checked.problems:
            if remark.line is not None:
                marks[remark.line] = translate(remark.sentence)
            what = f"{remark.key}: " if remark.key else ""
            where = self.tr("Line {}").format(remark.line) if remark.line is not None else remark.variable
            text = f"{where}: {what}{translate(remark.sentence)}" if where else f"{what}{translate(remark.sentence)}"
            item = QListWidgetItem(readable(text))
            item.setData(Qt.ItemDataRole.UserRole, remark.line)
            self.problems.addItem(item)
        self.problems.setVisible(bool(checked.problems))
        self.editor.show_marks(marks)

    def go_to_problem(self) -> None:
        """The first line that something is wrong with, or the beginning."""
        self.editor.setFocus()
        lines = [self.problems.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.problems.count())]
        self.editor.go_to(next((line for line in lines if line is not None), 1))

    def _typed(self) -> None:
        text = self.text
        if text != self._document.text:  # Qt says it of other colours, too
            self._document.edit(text)
            self.edited.emit()

    def _document_changed(self) -> None:
        if self._document.text != self.text:
            self._show()

    def _show(self) -> None:
        text = self._document.text
        self._masked = mask(text)
        shown = text if self.reveal.isChecked() else self._masked.text
        cursor, scroll = self.editor.textCursor().position(), self.editor.verticalScrollBar().value()
        blocked = self.editor.blockSignals(True)
        self.editor.setPlainText(shown)
        self.editor.blockSignals(blocked)
        place = self.editor.textCursor()
        place.setPosition(min(cursor, len(shown)))
        self.editor.setTextCursor(place)
        self.editor.verticalScrollBar().setValue(scroll)
        self.reveal.setVisible(bool(self._masked.kept))

    def _toggle(self) -> None:
        shown = self.reveal.isChecked()
        self.reveal.setText(self.tr("Hide se&crets") if shown else self.tr("Show se&crets"))
        self._hide_again.start() if shown else self._hide_again.stop()
        self._show()

    def _go(self, item: QListWidgetItem) -> None:
        line = item.data(Qt.ItemDataRole.UserRole)
        if line is not None:
            self.editor.go_to(line)
