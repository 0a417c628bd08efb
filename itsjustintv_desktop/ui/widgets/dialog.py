"""What every dialog is."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog

from itsjustintv_desktop.ui.widgets import focus, typed


class Dialog(QDialog):
    """The focus of what is disabled or hidden goes to a field, never on to the next button."""

    @property
    def unsaved(self) -> tuple[str, ...]:
        """What was typed here and is not saved yet, by name."""
        return (self.windowTitle(),) if typed.is_typed(self) else ()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, N802 - Qt's names
        return focus.moved(self) or super().focusNextPrevChild(next)
