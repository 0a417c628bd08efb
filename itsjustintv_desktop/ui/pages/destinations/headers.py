"""More headers to send, one "Name: value" a line. Their values may be secret, so they are shown only while typed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.widgets.basic import button, label, row


class Headers(QWidget):
    """`value` is None while what is stored stays."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._replacing = False
        self.kept = label("", "muted", wrap=True)
        self.replace = button(self.tr("Re&place"), self._replace, role="small")
        self.text = QPlainTextEdit()
        self.text.setProperty("role", "mono")
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText("Authorization: Bearer …")
        self.text.setFixedHeight(76)
        self.text.setAccessibleName(self.tr("More headers"))
        self.text.textChanged.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        line = row(self.kept, self.replace)
        line.setStretch(0, 1)
        layout.addLayout(line)
        layout.addWidget(self.text)

    def show_kept(self, names: tuple[str, ...], typed: dict[str, str] | None = None) -> None:
        """What is stored, and what was typed in its place and is not saved yet."""
        self._names, self._replacing = names, not names or typed is not None
        blocked = self.text.blockSignals(True)
        self.text.setPlainText("\n".join(f"{name}: {value}" for name, value in (typed or {}).items()))
        self.text.blockSignals(blocked)
        self.kept.setText(self.tr("Kept: {}").format(", ".join(names)))
        self._state()

    @property
    def typed(self) -> str:
        """As `check_value` takes it."""
        return self.text.toPlainText()

    @property
    def value(self) -> dict[str, str] | None:
        if not self._replacing or (not self._names and not self.typed.strip()):
            return None
        pairs = (line.partition(":") for line in self.typed.splitlines() if line.strip())
        return {name.strip(): content.strip() for name, _, content in pairs}

    def _replace(self) -> None:
        self._replacing = True
        self._state()
        self.text.setFocus()
        self.changed.emit()

    def _state(self) -> None:
        self.text.setVisible(self._replacing)
        self.kept.setVisible(not self._replacing)
        self.replace.setVisible(not self._replacing)
