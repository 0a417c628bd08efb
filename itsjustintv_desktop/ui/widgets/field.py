"""A control with its name above and, where there is one, a sentence below."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import label, row


class Field(QWidget):
    """`say` a hint, `complain` about what was typed; both take the place of `help`. `aside` stands beside the name."""

    def __init__(self, name: str, control: QWidget, help_text: str = "", aside: str = "") -> None:
        super().__init__()
        self.control = control
        self._help = help_text
        self._name = label(name, "label")
        self._name.setBuddy(control)
        if not control.accessibleName():
            control.setAccessibleName(readable(name.replace("&", "")))
        if help_text:
            control.setAccessibleDescription(readable(help_text))
        self.note = label(help_text, "muted", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row(self._name, None, label(aside, "aside")) if aside else row(self._name))
        layout.addWidget(control)
        layout.addWidget(self.note)
        self.note.setVisible(bool(help_text))  # once it has a parent: before, it would be a window of its own

    @property
    def problem(self) -> str:
        """What was complained about, "" for nothing."""
        return self.note.text() if self.note.property("role") == "live" else ""

    def say(self, text: str = "") -> None:
        self._show(text or self._help, "muted")

    def complain(self, problem: str | None) -> None:
        """None or "": all is well again."""
        if problem:
            self._show(problem, "live")
        else:
            self.say()

    def _show(self, text: str, role: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.control.setAccessibleDescription(readable(text))
        if self.note.property("role") != role:
            self.note.setProperty("role", role)
            repolish(self.note)
        invalid = role == "live"
        if bool(self.control.property("invalid")) != invalid:
            self.control.setProperty("invalid", invalid)
            repolish(self.control)


def repolish(widget: QWidget) -> None:
    """Have the style sheet look at a property that changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
