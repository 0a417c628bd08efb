"""The text of config.toml: whether it is saved, what to do where the file changed, and importing another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.formatting import translate, trouble
from itsjustintv_desktop.ui.pages.differences import Difference, sentence_of
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Elided, button, column, fill, label, row
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.field import Field, SecretField
from itsjustintv_desktop.ui.widgets.scroll import Upright

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Document, ImportPlan, Needed, ValidationResult


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
        self.reload = button(self.tr("Take t&heirs"), self.reload_requested.emit, destructive=True)
        self.overwrite = button(self.tr("&Keep mine"), self.overwrite_requested.emit, destructive=True)
        fill(self.body, label(self.tr("config.toml was changed by somebody else"), "heading"), self.differences)
        fill(self.body, self.sentence, row(self.overwrite, self.reload, None))
        self.hide()

    def show_theirs(self, document: Document, *, only_values: bool) -> None:
        """`only_values`: what is unsaved are values of the form, which go into the file as it is now."""
        self.theirs = document
        lost = self.tr("Taking theirs reloads the file and discards what you have not saved.")
        kept = (
            self.tr("Keeping yours saves the values you changed and leaves the rest of the file as it is now.")
            if only_values
            else self.tr("Keeping yours replaces the whole file with your text.")
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

    discard_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._changed = self._held = False
        self._wrong = 0
        self._problems: list[str] = []
        self.dot, self.sentence = Dot(), Elided(role="muted")
        self.discard = button(self.tr("Disc&ard"), self.discard_requested.emit, destructive=True)
        self.save = button(self.tr("&Save"), role="primary")
        line = row(self.dot, (self.sentence, 1), self.discard, self.save)
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


MOST = 200
"""Secrets asked for here; more can be entered on the page Destinations."""


class ImportDialog(Dialog):
    """`taken` with what was saved."""

    taken = Signal(object)

    def __init__(self, parent: QWidget, bridge: Bridge, plan: ImportPlan) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Import settings"))
        self.resize(560, 520)
        self._bridge, self._plan = bridge, plan
        self._tasks = PageTasks(self, self._show_error)
        self.problem = label("", "live", wrap=True, selectable=True)
        self.fields: dict[str, SecretField] = {}
        self.take = button(self.tr("&Import"), self._take, role="primary")
        self.cancel = button(self.tr("Cancel"), self.reject)
        layout = column(
            label(self._headline(), "heading", wrap=True), spacing=12, inside=self, margins=(24, 20, 24, 20)
        )
        if plan.changes and not plan.problems:
            layout.addWidget(label(translate(plan.changes), "muted", wrap=True))
        fill(layout, (self._list(), 1), self.problem, row(None, self.cancel, self.take))
        self.problem.hide()
        self.take.setEnabled(not plan.problems)

    @property
    def entered(self) -> dict[str, str]:
        return {name: field.text().strip() for name, field in self.fields.items() if field.text().strip()}

    def _headline(self) -> str:
        plan = self._plan
        if plan.problems:
            return self.tr("This file cannot be used as it is.")
        streamers = self.tr("%n streamers", "", plan.streamers)
        destinations = self.tr("%n destinations", "", plan.destinations)
        return self.tr("{} and {} will take the place of the settings there are.").format(streamers, destinations)

    def _list(self) -> Upright:
        inner = QWidget()
        lines = QVBoxLayout(inner)
        lines.setContentsMargins(0, 0, 8, 0)
        lines.setSpacing(12)
        for remark in self._plan.problems:
            where = self.tr("Line {}").format(remark.line) if remark.line is not None else remark.key
            text = f"{where}: {translate(remark.sentence)}" if where else translate(remark.sentence)
            lines.addWidget(label(text, "live", wrap=True, selectable=True))
        if self._plan.needed:
            hint = self.tr("An export has no secrets. Enter them now, or later on the pages Settings and Destinations.")
            lines.addWidget(label(hint, "muted", wrap=True))
        for needed in self._plan.needed[:MOST]:
            lines.addWidget(self._needed(needed))
        lines.addStretch(1)
        return Upright(inner)

    def _needed(self, needed: Needed) -> QWidget:
        hint = self.tr("kept here already") if needed.have else self.tr("not entered yet")
        field = SecretField(translate(needed.title), hint)
        self.fields[needed.name] = field
        dot = Dot("ok" if needed.have else "off", hint)
        field.textChanged.connect(lambda text: dot.show_state("ok" if text or needed.have else "off", hint))
        made = QWidget()
        line = row(dot, Field(translate(needed.title), field))
        line.setContentsMargins(0, 0, 0, 0)
        line.setStretch(1, 1)
        made.setLayout(line)
        return made

    def _take(self) -> None:
        self.take.setEnabled(False)
        self._tasks.start("import", self._taken())

    async def _taken(self) -> None:
        plan, entered = self._plan, self.entered
        try:
            saved = await self._bridge.call(lambda engine: engine.api.settings.transfer.apply(plan, entered), 120.0)
        finally:
            self.take.setEnabled(True)
        self.taken.emit(saved)
        self.accept()

    def _show_error(self, error: errors.AppError) -> None:
        self.problem.setText(trouble(error))
        self.problem.show()
