"""What we are subscribed to at Twitch, against what Twitch allows."""

from __future__ import annotations

import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar

from itsjustintv_desktop.engine import Snapshot, events
from itsjustintv_desktop.ui.formatting import ago, number, span, translate
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Tone, button, label, row

_TONES: dict[str, Tone] = {"ok": "ok", "working": "accent", "waiting": "attention", "failing": "failed"}


class Subscriptions(Card):
    """`repair_wished`: one round now; `stop_wished`: wait for it no longer."""

    repair_requested = Signal()
    stop_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._dot = Dot()
        self._message, self._fix = label("", wrap=True, selectable=True), label("", "attention", wrap=True)
        self._counts, self._rounds = label("", "muted", wrap=True), label("", "muted", wrap=True)
        self._budget = label("", "muted", wrap=True)
        self._points = QProgressBar()
        self._points.setTextVisible(False)
        self._points.setFixedHeight(6)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self._step = label("", "muted")
        self.repair = button(self.tr("Re&pair now"), self.repair_requested.emit, icon_name="retry")
        self.stop = button(self.tr("S&top"), self.stop_requested.emit)
        self.body.addLayout(row(self._dot, label(self.tr("Subscriptions"), "heading"), None))
        for part in (self._message, self._fix, self._counts, self._points, self._budget, self._rounds, self._step):
            self.body.addWidget(part)
        self.body.addWidget(self.progress)
        self.body.addStretch(1)
        self.body.addLayout(row(self.repair, self.stop, None))
        self.repairing(False)

    def show_status(self, snapshot: Snapshot) -> None:
        status, now = snapshot.subscriptions, time.time()
        state = str(status.state.value)
        self._dot.show_state(_TONES.get(state, "off"), translate(status.message))
        self._message.setText(translate(status.message))
        self._fix.setText(translate(status.fix))
        self._fix.setVisible(bool(status.fix))
        counts = self.tr("{} of {} are in force").format(number(status.enabled), number(status.wanted))
        if status.pending:
            counts += ", " + self.tr("%n wait for Twitch's handshake", "", status.pending)
        if status.foreign:
            counts += ", " + self.tr("%n belong to other programs", "", status.foreign)
        self._counts.setText(f"{counts}.")
        self._points.setVisible(status.max_cost > 0)
        self._budget.setVisible(status.max_cost > 0)
        self._points.setRange(0, max(status.max_cost, 1))
        self._points.setValue(min(status.cost, status.max_cost))
        budget = self.tr("{} of {} points used").format(number(status.cost), number(status.max_cost))
        self._budget.setText(budget)
        self._points.setAccessibleName(readable(budget))
        last = self.tr("Looked at {}.").format(ago(status.last_round, now)) if status.last_round else ""
        soon = status.next_round is not None and status.next_round > now
        upcoming = self.tr("Next in {}.").format(span((status.next_round or now) - now)) if soon else ""
        self._rounds.setText(f"{last} {upcoming}".strip())

    def show_progress(self, event: events.SubscriptionsChanged) -> None:
        """How far a round is."""
        if event.total and event.done < event.total:
            self.progress.setRange(0, event.total)
            self.progress.setValue(event.done)
            self._step.setText(self.tr("Step {} of {}").format(number(event.done), number(event.total)))
            self.progress.show()
            self._step.show()
        elif not self._busy:
            self.progress.hide()
            self._step.hide()

    def repairing(self, on: bool) -> None:
        """A round was asked for, and its end is waited for."""
        self._busy = on
        self.repair.setEnabled(not on)
        self.stop.setVisible(on)
        self.progress.setVisible(on)
        self._step.setVisible(on)
        if on:
            self.progress.setRange(0, 0)
            self._step.setText(self.tr("Twitch is asked what it has."))
        self.progress.setAccessibleName(self.tr("The round of repairs"))
