"""What is not saved yet, and what to do where somebody else changed the file meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Elided, button, label, row

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Document, Merged, ValidationResult


class ConflictCard(Card):
    """Hidden while there is none. Nothing is ever written over without a choice made here."""

    merge_requested = Signal()
    mine_requested = Signal()
    theirs_requested = Signal()

    def __init__(self) -> None:
        super().__init__(margin=16)
        self.theirs: Document | None = None
        self.merged: Merged | None = None
        self.sentence = label("", wrap=True)
        self.merge = button(self.tr("&Bring both together"), self.merge_requested.emit, role="primary")
        self.mine = button(self.tr("Keep &mine"), self.mine_requested.emit, destructive=True)
        self.other = button(self.tr("Take t&heirs"), self.theirs_requested.emit, destructive=True)
        self.body.addWidget(label(self.tr("config.toml was changed by somebody else"), "heading"))
        self.body.addWidget(self.sentence)
        self.body.addLayout(row(self.merge, self.mine, self.other, None))
        self.hide()

    def show_theirs(self, document: Document) -> None:
        self.theirs, self.merged = document, None
        self.merge.setEnabled(True)
        self.sentence.setText(self.tr("You have changes that are not saved yet. What shall be done with them?"))
        self.show()

    def show_merged(self, merged: Merged | None) -> None:
        """Both together can be had, and what the other changed; None: they cannot."""
        self.merged = merged
        if merged is not None:
            self.sentence.setText(translate(merged.sentence))
        else:
            self.cannot_merge(self.tr("You both changed the same part, so only one of the two can stay."))

    def cannot_merge(self, sentence: str) -> None:
        self.merge.setEnabled(False)
        self.sentence.setText(sentence)

    def done(self) -> None:
        self.theirs = self.merged = None
        self.hide()


class SaveBar(QWidget):
    """At the foot of the page."""

    save_requested = Signal()
    discard_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._changed = self._held = False
        self._wrong = 0
        self._problems: list[str] = []
        self.dot, self.sentence = Dot(), Elided(role="muted")
        self.discard = button(self.tr("Disc&ard"), self.discard_requested.emit, destructive=True)
        self.save = button(self.tr("&Save"), self.save_requested.emit, role="primary")
        line = row(self.dot, self.sentence, self.discard, self.save)
        line.setStretch(1, 1)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self._changes = ""
        self._state()

    @property
    def can_save(self) -> bool:
        return self._changed and not self._held and not self._wrong and not self._problems

    def show_changed(self, changed: bool) -> None:
        self._changed = changed
        self._state()

    def show_checked(self, checked: ValidationResult, problems: list[str]) -> None:
        self._wrong, self._changes, self._problems = len(checked.problems), checked.changes, problems
        self._state()

    def show_problems(self, problems: list[str]) -> None:
        self._problems = problems
        self._state()

    def hold(self, held: bool) -> None:
        """Not while something is being saved or decided."""
        self._held = held
        self._state()

    def _state(self) -> None:
        wrong = self._wrong + len(self._problems)
        self.save.setEnabled(self.can_save)
        self.discard.setEnabled((self._changed or bool(self._problems)) and not self._held)
        if wrong:
            self.dot.show_state("attention", self.tr("needs a look"))
            self.sentence.say(self.tr("%n things to correct before it can be saved.", "", wrong))
        elif self._changed:
            self.dot.show_state("accent", self.tr("not saved yet"))
            self.sentence.say(" ".join(part for part in (self.tr("Not saved yet."), translate(self._changes)) if part))
        else:
            self.dot.show_state("ok", self.tr("saved"))
            self.sentence.say(self.tr("Everything is saved."))
