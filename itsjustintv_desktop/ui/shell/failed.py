"""The program without an engine: why it did not start, its log, and config.toml to mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from itsjustintv_desktop.engine import errors, logs
from itsjustintv_desktop.ui.bridge import PageTasks, in_thread
from itsjustintv_desktop.ui.formatting import clock, translate, trouble
from itsjustintv_desktop.ui.pages.log import LEVELS, Lines, LogModel, in_full
from itsjustintv_desktop.ui.pages.settings.document import ConfigDocument
from itsjustintv_desktop.ui.pages.settings.raw import RawTab
from itsjustintv_desktop.ui.plain import open_folder, plain
from itsjustintv_desktop.ui.widgets.basic import button, row
from itsjustintv_desktop.ui.widgets.dialog import Dialog, ask, open_once
from itsjustintv_desktop.ui.widgets.field import text_box
from itsjustintv_desktop.ui.widgets.states import Banner, EmptyState, Theirs

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import ConfigRepair, Document, Paths


WATCH_MS = 2000


class LogDialog(Dialog):
    """`folder`: where the files of the log are; more of it may be there from before."""

    def __init__(self, parent: QWidget, folder: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Log"))
        self.resize(820, 520)
        self.model = LogModel(self)
        self.lines = Lines(self.model)
        self.full = text_box(self.tr("The chosen lines in full"), wraps=True)
        self.full.setMaximumHeight(140)
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


_BY_CONFIG = (errors.ConfigError, errors.AddressInUseError)
"""What another config.toml can put right."""


class Failed(EmptyState):
    """`told` carries a sentence for a toast. The engine starts once config.toml was corrected elsewhere."""

    told = Signal(str)

    def __init__(self, again: Callable[[], object], leave: Callable[[], object] | None) -> None:
        """`leave` ends the program; None where the window offers that anyway."""
        super().__init__("alert", "", "", self.tr("&Try again"), self._start)
        self._again = again
        self._is_config = False
        self._tried: str | None = None
        """The version of the file that the engine was started with last."""
        self._mending: ConfigRepair | None = None
        self._logs = ""
        self._editor: ConfigDialog | None = None
        self._tasks = PageTasks(self, lambda error: self.told.emit(trouble(error)))
        self._watch = QTimer(self, interval=WATCH_MS)
        self._watch.timeout.connect(lambda: self._tasks.start("watch", self._look_at_file()))
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
        self.back.hide()
        mends = self._mending is not None and isinstance(error, _BY_CONFIG)
        by_itself = self.tr("As soon as config.toml is changed, it is tried again by itself.") if mends else ""
        self.say(translate(error.title), f"{translate(error.message)} {by_itself}".strip())
        self.edit.setVisible(mends)
        self._is_config = mends and isinstance(error, errors.ConfigError)
        if self._is_config:
            self._tasks.start("look", self._look(), replace=True)
        if mends:
            self._watch.start()

    def _start(self) -> None:
        self._watch.stop()
        self._again()

    async def _look_at_file(self) -> None:
        """Start with another version of it. What is being edited here is saved by the editor."""
        assert self._mending is not None
        found = await in_thread(self._mending.version)
        if found in (None, self._tried) or self._editor is not None:
            return
        if self._tried is None and self._is_config:  # the one that it failed with, unless it was corrected just then
            document = await in_thread(self._mending.document)
            is_new = not document.problems and document.digest == found
        else:
            is_new = self._tried is not None
        self._tried = found
        if is_new:
            self._start()

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
        self._editor.accepted.connect(self._start)
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
        self._start()

    def _open_log(self) -> None:
        open_once(LogDialog(self, self._logs))
