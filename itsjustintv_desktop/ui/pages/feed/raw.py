"""The entries as they are in output.json, to read and to copy."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit

from itsjustintv_desktop.ui.widgets.basic import Card, button, label, row


class Raw(Card):
    """Read only."""

    def __init__(self) -> None:
        super().__init__()
        self._sum = label("", "muted")
        self.copy = button(self.tr("&Copy all"), self._copy, icon_name="copy")
        self.text = QPlainTextEdit()
        self.text.setProperty("role", "mono")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(self.tr("Entries of output.json"))
        self.body.addLayout(row(label(self.tr("Entries of output.json"), "heading"), self._sum, None, self.copy))
        self.body.addWidget(self.text, 1)

    def show_entries(self, entries: list[str]) -> None:
        """Newest first; each is JSON with two spaces a level."""
        inner = ",\n".join("  " + entry.rstrip().replace("\n", "\n  ") for entry in entries)
        self._sum.setText(self.tr("%n entries, pictures shortened", "", len(entries)))
        self.text.setPlainText(f"[\n{inner}\n]" if entries else "[]")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
