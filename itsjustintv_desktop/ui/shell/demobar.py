"""Says across the window that this is the demo, and ends it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout

from itsjustintv_desktop.ui.widgets.basic import button, label


class DemoBar(QFrame):
    """In the demo's window only."""

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("role", "demo")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(32, 8, 32, 8)
        layout.addWidget(label(self.tr("Demo"), "strong"))
        text = self.tr("Twitch is simulated on this computer. Nothing is really announced, and nothing you do is kept.")
        layout.addWidget(label(text, wrap=True), 1)
        self.end = button(self.tr("End the demo"), end, role="small")
        layout.addWidget(self.end)
