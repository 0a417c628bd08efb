"""1: what it does, or a look around without any account."""

from __future__ import annotations

import sys

from PySide6.QtCore import QProcess, Signal

from itsjustintv_desktop.desktop import launching
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.widgets.basic import Card, button, label, row


class Welcome(Step):
    """`by_hand`: no assistant is wanted, now or later."""

    name = "welcome"
    by_hand = Signal()

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("Tell the world when you go live"),
            self.tr("A few short steps, about five minutes. Each can be skipped, and you can go back or go on later."),
        )
        card = Card()
        for text in (
            self.tr(
                "It watches the Twitch channels you name, from this computer. No server of anybody else is between."
            ),
            self.tr("When one goes live, it tells Discord, Slack or your own program: once, never twice."),
            self.tr("What cannot be sent now is kept on disk and sent later, across restarts and outages."),
        ):
            card.body.addWidget(label(text, wrap=True))
        self.body.addWidget(card)
        self.demo = button(self.tr("Look around with the &demo"), self._demo, icon_name="play")
        self.hand = button(self.tr("I set it up by &hand"), self.by_hand.emit, role="link")
        self._said = label(
            self.tr("Simulated channels in a window of its own; no account is needed."), "muted", wrap=True
        )
        self.body.addLayout(row(self.demo, None))
        self.body.addWidget(self._said)
        self.body.addLayout(row(self.hand, None))
        self.body.addStretch(1)

    @property
    def next_text(self) -> str:
        return self.tr("Be&gin")

    @property
    def can_skip(self) -> bool:
        return False

    def _demo(self) -> None:
        program, *arguments = launching.command(sys.argv[:1])  # its own data, not those of the options we got
        well, _ = QProcess.startDetached(program, [*arguments, "demo"])
        self._said.setText(
            self.tr("The demo opens in a moment, in a window of its own.")
            if well
            else self.tr("The demo could not be started. In a terminal: itsjustintv-desktop demo")
        )
