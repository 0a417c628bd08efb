"""What every dialog is; questions before something that cannot be undone, and short messages."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QMessageBox, QWidget

from itsjustintv_desktop.ui.plain import plain
from itsjustintv_desktop.ui.widgets import focus


class Dialog(QDialog):
    """The focus of what is disabled or hidden goes to a field, never on to the next button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        focus.follow()

    @property
    def unsaved(self) -> tuple[str, ...]:
        """What was typed here and is not saved yet, by name."""
        return (self.windowTitle(),) if focus.is_typed(self) else ()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, N802 - Qt's names
        return focus.moved(self) or super().focusNextPrevChild(next)


def ask(parent: QWidget, question: str, more: str, keep: str, sure: str, do: Callable[[], object]) -> QMessageBox:
    """`do` once a person chose `sure`. `keep` changes nothing: it has the focus, Return and Escape."""
    box = _box(parent, QMessageBox.Icon.Warning, question, more)
    stay = box.addButton(keep, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    go = box.addButton(sure, QMessageBox.ButtonRole.DestructiveRole)
    go.setAutoDefault(False)
    go.setProperty("destructive", True)
    go.clicked.connect(lambda: do())
    box.open()
    stay.setFocus()
    return box


def message(parent: QWidget, text: str, more: str = "") -> QMessageBox:
    """Something to read once."""
    box = _box(parent, QMessageBox.Icon.Information, text, more)
    box.addButton(QMessageBox.StandardButton.Ok)
    box.open()
    return box


def _box(parent: QWidget, picture: QMessageBox.Icon, text: str, more: str) -> QMessageBox:
    box = QMessageBox(picture, "itsjustintv", plain(text), parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(plain(more))  # Qt guesses its format, whatever is set above
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box
