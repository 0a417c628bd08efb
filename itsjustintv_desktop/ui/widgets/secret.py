"""A field for something secret: dots until it is asked for, and dots again when it loses the focus for long."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit

from itsjustintv_desktop.ui.theme import icon, theme

HIDE_AGAIN_MS = 15_000


class SecretField(QLineEdit):
    """`reveal_asked` when a person wants to see what is stored and nothing was typed; `show_stored` answers it.

    What was shown so is gone again with the dots, and is no text that a person typed (`typed`).
    """

    reveal_asked = Signal()

    def __init__(self, name: str, placeholder: str = "") -> None:
        super().__init__()
        self._stored = ""
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self._show = QAction(self.tr("Show"), self)
        self._show.setCheckable(True)
        self._show.toggled.connect(self._toggled)
        self.addAction(self._show, QLineEdit.ActionPosition.TrailingPosition)
        self._timer = QTimer(self, singleShot=True, interval=HIDE_AGAIN_MS)
        self._timer.timeout.connect(lambda: self._show.setChecked(False))
        theme().changed.connect(self._tint)
        self._tint()

    def is_revealed(self) -> bool:
        return self.echoMode() is QLineEdit.EchoMode.Normal

    def conceal(self) -> None:
        self._show.setChecked(False)

    @property
    def typed(self) -> str:
        """What a person typed, "" for nothing or for what is stored."""
        return "" if self._stored and self.text() == self._stored else self.text()

    def show_stored(self, value: str) -> None:
        """For as long as it is revealed."""
        if self.is_revealed() and not self.text():
            self._stored = value
            self.setText(value)
            self._timer.start()

    def _toggled(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        self._show.setText(self.tr("Hide") if shown else self.tr("Show"))
        self._tint()
        if shown:
            self._timer.start()
            if not self.text():
                self.reveal_asked.emit()
        elif self._stored:
            if self.text() == self._stored:
                self.clear()
            self._stored = ""

    def _tint(self) -> None:
        self._show.setIcon(icon("eye-off" if self._show.isChecked() else "eye", theme().palette.text2))
