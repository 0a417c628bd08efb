"""A field for something secret: dots until it is asked for, and dots again when it loses the focus for long."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit

from itsjustintv_desktop.ui.theme import icon, theme

HIDE_AGAIN_MS = 15_000


class SecretField(QLineEdit):
    """`revealed` is emitted when a person asks to see what is stored and nothing was typed yet."""

    reveal_asked = Signal()

    def __init__(self, name: str, placeholder: str = "") -> None:
        super().__init__()
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

    def _toggled(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        self._show.setText(self.tr("Hide") if shown else self.tr("Show"))
        self._tint()
        if shown:
            self._timer.start()
            if not self.text():
                self.reveal_asked.emit()

    def _tint(self) -> None:
        self._show.setIcon(icon("eye-off" if self._show.isChecked() else "eye", theme().palette.text2))
