"""Somebody else changed in the file what a form has unsaved changes of: nothing is written until a person chose."""

from __future__ import annotations

from PySide6.QtCore import Signal

from itsjustintv_desktop.ui.widgets.basic import Card, button, label, row


class Theirs(Card):
    """Hidden while there is no such thing."""

    mine_requested = Signal()
    theirs_requested = Signal()

    def __init__(self) -> None:
        super().__init__(quiet=True, margin=12)
        self.sentence = label("", wrap=True)
        self.mine = button(self.tr("Keep mine"), self.mine_requested.emit, role="small", destructive=True)
        self.other = button(self.tr("Take theirs"), self.theirs_requested.emit, role="small", destructive=True)
        self.body.addWidget(label(self.tr("config.toml was changed by somebody else"), "heading", wrap=True))
        self.body.addWidget(self.sentence)
        self.body.addLayout(row(self.mine, self.other, None))
        self.hide()

    def show_for(self, name: str) -> None:
        """Of that name, "" for none."""
        words = self.tr("{} was changed in the file where you changed it here. Choose which of the two stays.")
        self.sentence.setText(words.format(name))
        self.setVisible(bool(name))
