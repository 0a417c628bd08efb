"""What every dialog is."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QWidget

from itsjustintv_desktop.ui.widgets import focus, typed


class Dialog(QDialog):
    """The focus of what is disabled or hidden goes to a field, never on to the next button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        focus.follow()

    @property
    def unsaved(self) -> tuple[str, ...]:
        """What was typed here and is not saved yet, by name."""
        return (self.windowTitle(),) if typed.is_typed(self) else ()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, N802 - Qt's names
        return focus.moved(self) or super().focusNextPrevChild(next)
