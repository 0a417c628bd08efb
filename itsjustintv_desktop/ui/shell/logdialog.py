"""The lines of the log that are in memory, for when no engine runs that the page of the log could ask."""

from __future__ import annotations

from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.ui.models.log import LEVELS, LogModel, in_full
from itsjustintv_desktop.ui.pages.log.view import Lines
from itsjustintv_desktop.ui.plain import open_folder
from itsjustintv_desktop.ui.widgets.basic import button, row
from itsjustintv_desktop.ui.widgets.dialog import Dialog


class LogDialog(Dialog):
    """`folder`: where the files of the log are; more of it may be there from before."""

    def __init__(self, parent: QWidget, folder: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Log"))
        self.resize(820, 520)
        self.model = LogModel(self)
        self.lines = Lines(self.model)
        self.full = QPlainTextEdit()
        self.full.setReadOnly(True)
        self.full.setProperty("role", "mono")
        self.full.setTabChangesFocus(True)
        self.full.setMaximumHeight(140)
        self.full.setAccessibleName(self.tr("The chosen lines in full"))
        self.lines.picked.connect(self._picked)
        self.folder = button(self.tr("Open &folder"), lambda: open_folder(folder), icon_name="folder")
        self.copy = button(self.tr("&Copy lines"), self.lines.copy, icon_name="copy")
        self.close_button = button(self.tr("C&lose"), self.accept, role="primary")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 20)
        layout.setSpacing(12)
        layout.addWidget(self.lines, 1)
        layout.addWidget(self.full)
        layout.addLayout(row(self.folder, self.copy, None, self.close_button))
        self.model.add(logs.recent_lines())
        numbers = range(self.model.rowCount() - 1, -1, -1)
        newest = next((each for each in numbers if self.model.line(each).level in LEVELS[2:]), len(numbers) - 1)
        if newest >= 0:  # what went wrong last, else what happened last
            self.lines.setCurrentIndex(self.model.index(newest))
        self.lines.setFocus()

    def _picked(self) -> None:
        self.full.setPlainText("\n\n".join(in_full(line) for line in self.lines.chosen()[:50]))
