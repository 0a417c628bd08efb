"""The text of config.toml that form and raw tab edit, whether it is saved, and what to do where the file changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.differences import Difference, sentence_of
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Elided, button, label, row

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Document, ValidationResult


class ConfigDocument(QObject):
    """`changed`: the text is another, or what it is compared with."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.text = ""
        self.base = ""
        """As it is on disk."""
        self.digest = ""
        self.loaded = False

    @property
    def is_changed(self) -> bool:
        return self.loaded and self.text != self.base

    def edit(self, text: str) -> None:
        """A person changed it."""
        if text != self.text:
            self.text = text
            self.changed.emit()

    def take(self, document: Document) -> None:
        """What is on disk, in place of everything."""
        self.text = self.base = document.text
        self.digest, self.loaded = document.digest, True
        self.changed.emit()

    def keep_on_top_of(self, document: Document, text: str) -> None:
        """Go on with this text, to be saved in place of what is on disk now."""
        self.base, self.digest, self.text = document.text, document.digest, text
        self.changed.emit()

    def saved(self, text: str, digest: str) -> None:
        """This text was written."""
        self.base, self.digest = text, digest
        self.changed.emit()


class ConflictCard(Card):
    """Hidden while there is no conflict. Nothing is overwritten without a choice made here."""

    reload_requested = Signal()
    overwrite_requested = Signal()

    def __init__(self) -> None:
        super().__init__(margin=16)
        self.theirs: Document | None = None
        self.sentence = label("", wrap=True)
        self.differences = label("", wrap=True, selectable=True)
        self.reload = button(self.tr("Reload t&he file"), self.reload_requested.emit, destructive=True)
        self.overwrite = button(self.tr("&Overwrite it"), self.overwrite_requested.emit, destructive=True)
        self.body.addWidget(label(self.tr("config.toml was changed by somebody else"), "heading"))
        self.body.addWidget(self.differences)
        self.body.addWidget(self.sentence)
        self.body.addLayout(row(self.reload, self.overwrite, None))
        self.hide()

    def show_theirs(self, document: Document, *, only_values: bool) -> None:
        """`only_values`: what is unsaved are values of the form, which go into the file as it is now."""
        self.theirs = document
        lost = self.tr("Reloading discards what you have not saved.")
        kept = (
            self.tr("Overwriting saves the values you changed and keeps the rest of the file as it is now.")
            if only_values
            else self.tr("Overwriting saves your text in place of the whole file.")
        )
        self.sentence.setText(f"{lost} {kept}")
        self.differences.setText("")
        self.show()

    def show_differences(self, differences: Sequence[Difference]) -> None:
        """Of the settings; what else differs is seen in the text."""
        said = sentence_of(differences) or self.tr("The settings are the same; other parts of the file differ.")
        self.differences.setText(said)

    def done(self) -> None:
        self.theirs = None
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
