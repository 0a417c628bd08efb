"""What every dialog is; questions before something that cannot be undone, and short messages."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget

from itsjustintv_desktop.engine import errors, files
from itsjustintv_desktop.ui.bridge import in_thread
from itsjustintv_desktop.ui.formatting import tr
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


def open_once(dialog: QDialog) -> None:
    """Open it, and delete it when it is closed."""
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def choose_file(parent: QWidget, title: str, kinds: str, do: Callable[[str], object]) -> None:
    """`do` with the path of a file that a person chose; `kinds` is a filter such as "Lists (*.txt)"."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([kinds, tr("All files (*)")])
    dialog.fileSelected.connect(do)
    open_once(dialog)


async def read_file(path: str, most: int) -> bytes:
    """A file that a person chose, at most so many bytes. Raises UsageError."""
    try:
        return await in_thread(lambda: files.read(path, most, follow=True))
    except OSError as error:
        raise errors.UsageError(tr("The file could not be read: {}.").format(error.strerror or "?")) from None


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
