"""TOML in a few quiet colours."""

from __future__ import annotations

import re

from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

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
