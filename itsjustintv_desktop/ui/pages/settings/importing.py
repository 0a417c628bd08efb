"""Taking in a config from elsewhere: what would change, and which secrets to enter again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.formatting import translate, trouble
from itsjustintv_desktop.ui.widgets.basic import Dot, button, label, row
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.field import Field, SecretField
from itsjustintv_desktop.ui.widgets.scroll import Upright

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import ImportPlan, Needed

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(label(self._headline(), "heading", wrap=True))
        if plan.changes and not plan.problems:
            layout.addWidget(label(translate(plan.changes), "muted", wrap=True))
        layout.addWidget(self._list(), 1)
        layout.addWidget(self.problem)
        layout.addLayout(row(None, self.cancel, self.take))
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
