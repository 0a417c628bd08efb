"""config.toml as text while no engine runs: the line that is wrong in sight, checked while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.ui.pages.settings.document import ConfigDocument
from itsjustintv_desktop.ui.pages.settings.raw import RawTab
from itsjustintv_desktop.ui.tasks import PageTasks, in_thread
from itsjustintv_desktop.ui.widgets.ask import ask
from itsjustintv_desktop.ui.widgets.basic import button, row
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.states import Banner, Theirs

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import ConfigRepair, Document

CHECK_MS = 400


class ConfigDialog(Dialog):
    """Accepted once a config that can be used is on disk."""

    def __init__(self, parent: QWidget, mending: ConfigRepair) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Edit config.toml"))
        self.resize(820, 600)
        self._mending = mending
        self._tasks = PageTasks(self, self._show_error)
        self._theirs: Document | None = None
        self._usable = False
        self.document = ConfigDocument(self)
        self.raw, self.banner, self.theirs = RawTab(self.document), Banner(), Theirs()
        self.save = button(self.tr("&Save and start"), self._save_requested, role="primary")
        self.save.setEnabled(False)
        self.cancel = button(self.tr("Cancel"), self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 20)
        layout.setSpacing(12)
        for part in (self.banner, self.theirs, self.raw):
            layout.addWidget(part, 1 if part is self.raw else 0)
        layout.addLayout(row(None, self.cancel, self.save))
        self._check_soon = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._check_soon.timeout.connect(lambda: self._tasks.start("check", self._check(), replace=True))
        self.document.changed.connect(self._changed)
        self.theirs.mine_requested.connect(self._keep_mine)
        self.theirs.theirs_requested.connect(self._take_theirs)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self).activated.connect(lambda: self.save.click())
        self._tasks.start("read", self._read())

    @property
    def unsaved(self) -> tuple[str, ...]:
        return ("config.toml",) if self.document.is_changed else ()

    def reject(self) -> None:
        """What was typed is not dropped without a question."""
        if not self.document.is_changed:
            super().reject()
            return
        question, more = self.tr("Close without saving?"), self.tr("What you changed in config.toml would be lost.")
        ask(self, question, more, self.tr("Go back"), self.tr("Close without saving"), super().reject)

    async def _read(self) -> None:
        document = await in_thread(self._mending.document)
        self.raw.where.setText(document.path)
        self.document.take(document)
        await self._check()
        line = next((each.line for each in document.problems if each.line is not None), None)
        if line is not None:
            self.raw.editor.go_to(line)
        else:
            self.raw.editor.setFocus()

    def _changed(self) -> None:
        self._usable = False
        self._state()
        self._check_soon.start()

    async def _check(self) -> None:
        text = self.document.text
        checked = await in_thread(self._mending.check, text)
        if text == self.document.text:
            self.raw.show_checked(checked)
            self._usable = checked.ok
            self._state()

    def _state(self) -> None:
        self.save.setEnabled(self._usable and self._theirs is None and not self._tasks.is_running("save"))

    def _save_requested(self) -> None:
        self._tasks.start("save", self._save())
        self._state()

    async def _save(self) -> None:
        text, digest = self.document.text, self.document.digest
        try:
            await in_thread(self._mending.save, text, digest)
        except errors.ConfigChangedError:
            self._theirs = await in_thread(self._mending.document)
            self.theirs.show_for("config.toml")
            return
        finally:
            self._check_soon.start()
        self.document.saved(text, "")
        self.accept()

    def _keep_mine(self) -> None:
        theirs, self._theirs = self._theirs, None
        if theirs is not None:
            self.document.keep_on_top_of(theirs, self.document.text)
            self.theirs.show_for("")

    def _take_theirs(self) -> None:
        theirs, self._theirs = self._theirs, None
        if theirs is not None:
            self.document.take(theirs)
            self.theirs.show_for("")

    def _show_error(self, error: errors.AppError) -> None:
        self.banner.show_error(error)
