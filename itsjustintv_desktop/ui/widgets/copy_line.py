"""Something to take elsewhere: shown as it is, with a button that copies it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from itsjustintv_desktop.ui.plain import plain, readable
from itsjustintv_desktop.ui.theme import icon, theme
from itsjustintv_desktop.ui.widgets.basic import icon_button, label

COPIED_MS = 1600


class CopyLine(QFrame):
    """`name` says what it is, for the button's hint and for screen readers. Wraps where it is long."""

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__()
        self.setProperty("role", "box")
        self._name = name
        self._text = label("", "mono", wrap=True, selectable=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._text.setMinimumWidth(40)
        self.copy = icon_button("copy", self.tr("Copy {}").format(name), self._copy)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 2, 2, 2)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.copy, alignment=Qt.AlignmentFlag.AlignTop)
        self._back = QTimer(self, singleShot=True, interval=COPIED_MS)
        self._back.timeout.connect(self._as_before)
        self.say(text)

    @property
    def text(self) -> str:
        return self._text.text().replace("\u200b", "")

    def say(self, text: str) -> None:
        """A place to break a long address is put after each slash; it is not copied."""
        self._text.setText(text if "\n" in text else text.replace("/", "/\u200b"))
        self._text.setAccessibleName(readable(f"{self._name}: {text}"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self.copy.setIcon(icon("check", theme().palette.ok))
        self.copy.setToolTip(self.tr("Copied"))
        self._back.start()

    def _as_before(self) -> None:
        self.copy.setIcon(icon("copy", theme().palette.text2))
        self.copy.setToolTip(plain(self.tr("Copy {}").format(self._name)))
