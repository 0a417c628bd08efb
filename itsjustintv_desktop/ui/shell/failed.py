"""In place of the pages while the engine does not run: why, and what can be done about it from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.ui.formatting import clock, translate, trouble
from itsjustintv_desktop.ui.plain import plain
from itsjustintv_desktop.ui.shell.configdialog import ConfigDialog
from itsjustintv_desktop.ui.shell.logdialog import LogDialog
from itsjustintv_desktop.ui.tasks import PageTasks, in_thread
from itsjustintv_desktop.ui.widgets.basic import button, row
from itsjustintv_desktop.ui.widgets.states import EmptyState

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import ConfigRepair, Paths

_BY_CONFIG = (errors.ConfigError, errors.AddressInUseError)
"""What another config.toml can put right."""


class Failed(EmptyState):
    """`told`: a sentence worth a toast."""

    told = Signal(str)

    def __init__(self, again: Callable[[], object], leave: Callable[[], object] | None) -> None:
        """`leave` ends the program; None where the window offers that anyway."""
        super().__init__("alert", "", "", self.tr("&Try again"), again)
        self._again = again
        self._mending: ConfigRepair | None = None
        self._logs = ""
        self._editor: ConfigDialog | None = None
        self._tasks = PageTasks(self, lambda error: self.told.emit(trouble(error)))
        self.edit = button(self.tr("&Edit config.toml…"), self.open_editor)
        self.back = button(self.tr("Use the &last good version"), self._back_requested)
        self.log = button(self.tr("Show the l&og…"), self._open_log)
        self.also(self.log)
        if leave is not None:
            self.also(button(self.tr("&Quit"), leave))
        self.body.insertLayout(self.body.count() - 2, row(None, self.edit, self.back, None))
        for each in (self.edit, self.back):
            each.hide()

    def offer(self, mending: ConfigRepair, paths: Paths) -> None:
        """The config that may be to blame, and where the log's files are."""
        self._mending, self._logs = mending, str(paths.logs)

    def show_error(self, error: errors.AppError) -> None:
        self.say(translate(error.title), translate(error.message))
        self.back.hide()
        mends = self._mending is not None and isinstance(error, _BY_CONFIG)
        self.edit.setVisible(mends)
        if mends and isinstance(error, errors.ConfigError):
            self._tasks.start("look", self._look(), replace=True)

    async def _look(self) -> None:
        """Whether there is something to go back to."""
        assert self._mending is not None
        good = await in_thread(self._mending.last_good)
        self.back.setVisible(good is not None)
        if good is not None:
            hint = self.tr("config.toml.bak of {}. What is in config.toml now is kept as config.toml.broken.")
            self.back.setToolTip(plain(hint.format(clock(good.since))))

    def open_editor(self) -> None:
        """config.toml as text, at the first line that something is wrong with."""
        if self._mending is None or self._editor is not None:
            return
        self._editor = ConfigDialog(self, self._mending)
        self._editor.accepted.connect(self._again)
        self._editor.finished.connect(self._closed)
        self._editor.open()

    def _closed(self) -> None:
        if self._editor is not None:
            self._editor.deleteLater()
            self._editor = None

    def _back_requested(self) -> None:
        self._tasks.start("back", self._go_back())

    async def _go_back(self) -> None:
        assert self._mending is not None
        good = await in_thread(self._mending.go_back)
        words = self.tr("The config of {} is in use again. The other one is kept as config.toml.broken.")
        self.told.emit(words.format(clock(good.since)))
        self._again()

    def _open_log(self) -> None:
        dialog = LogDialog(self, self._logs)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
