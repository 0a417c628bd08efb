"""What can be done with several streamers at once."""

from __future__ import annotations

from PySide6.QtCore import Signal

from itsjustintv_desktop.ui.widgets.basic import Card, button, label, row


class ManyCard(Card):
    """In place of the form while more than one is chosen."""

    enable_wished = Signal(bool)
    remove_wished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.count = label("", "heading")
        self.enable = button(self.tr("Switch &on"), lambda: self.enable_wished.emit(True))
        self.disable = button(self.tr("Switch o&ff"), lambda: self.enable_wished.emit(False))
        self.remove = button(self.tr("&Remove"), self.remove_wished.emit, role="danger")
        self.body.setSpacing(14)
        self.body.addWidget(self.count)
        hint = self.tr("What is switched off keeps its settings and announces nothing.")
        self.body.addWidget(label(hint, "muted", wrap=True))
        self.body.addStretch(1)
        self.body.addLayout(row(self.enable, self.disable, None, self.remove))

    def show_count(self, count: int) -> None:
        self.count.setText(self.tr("%n streamers chosen", "", count))
