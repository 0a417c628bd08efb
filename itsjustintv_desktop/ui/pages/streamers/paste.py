"""Many channels at once, out of a pasted text or a file: found, looked up, ticked, added in one save."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHeaderView,
    QPlainTextEdit,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from itsjustintv_desktop.engine import Engine, FoundChannel, errors, files
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.formatting import translate, trouble
from itsjustintv_desktop.ui.models.candidates import ABOUT, CHANNEL, CandidatesModel
from itsjustintv_desktop.ui.tasks import PageTasks, in_thread
from itsjustintv_desktop.ui.widgets.basic import button, label, row
from itsjustintv_desktop.ui.widgets.chips import ChipField, PickChips
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.field import Field
from itsjustintv_desktop.ui.widgets.table import Table

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Saved

A_TIME = 100
"""Channels a question: Twitch answers so many at once."""
MOST_BYTES = 4 * 1024 * 1024


class PasteDialog(Dialog):
    """`added` with what was saved and how many."""

    added = Signal(object, int)

    def __init__(self, parent: QWidget, bridge: Bridge, destinations: tuple[str, ...]) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Add many streamers"))
        self.resize(620, 560)
        self._bridge = bridge
        self._tasks = PageTasks(self, self._show_error)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Names or links"))
        self.text.setPlaceholderText(self.tr("alice\nhttps://twitch.tv/bob\n@carol, dave\n…"))
        self.text.textChanged.connect(self._state)
        self.file = button(self.tr("Open a f&ile…"), self._choose_file, icon_name="open")
        self.look = button(self.tr("&Find channels"), self.start, role="primary")
        self.model = CandidatesModel()
        self.table = Table(self.tr("Channels that were found"), self.model, row_height=32)
        self.summary = label("", "muted", wrap=True)
        self.problem = label("", "live", wrap=True)
        self.problem.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Looking up"))
        self.stop = button(self.tr("S&top"), self._stop, role="small")
        self.every = button(self.tr("Tick a&ll"), lambda: self.model.take_all(True), role="link")
        self.none = button(self.tr("Tick &none"), lambda: self.model.take_all(False), role="link")
        self.tags = ChipField(self.tr("Announce only with these tags"), self.tr("all streams"))
        self.destinations = PickChips(self.tr("Destinations"), self.tr("Add a destination"))
        self.destinations.set_choices(destinations)
        if len(destinations) == 1:
            self.destinations.set_values(destinations)
        self.back = button(self.tr("&Back"), self._back)
        self.add = button("", self._add, role="primary")
        self.cancel = button(self.tr("Cancel"), self.reject)
        self.model.dataChanged.connect(lambda *_: self._state())
        self._lay_out()
        self._state()

    @property
    def unsaved(self) -> tuple[str, ...]:
        return (self.windowTitle(),) if self.text.toPlainText().strip() else super().unsaved

    def start(self) -> None:
        """Look for channels in the text."""
        self.problem.hide()
        self._tasks.start("find", self._find(self.text.toPlainText()), replace=True)

    def take_file(self, path: str) -> None:
        """Read a list into the text."""
        self.problem.hide()
        self._tasks.start("file", self._read(Path(path)), replace=True)

    def reject(self) -> None:
        self._tasks.cancel()
        super().reject()

    async def _find(self, text: str) -> None:
        parsed = await self._bridge.call(lambda engine: engine.api.settings.parse_channels(text))
        if not parsed.names and len(parsed.ignored) == 1:
            reason = translate(parsed.ignored[0].reason)
            self.problem.setText(f"{reason[:1].upper()}{reason[1:]}.")
            self.problem.show()
            return
        self.model.begin(parsed.names, [(each.text, each.reason) for each in parsed.ignored])
        self._stack.setCurrentIndex(1)
        names = list(parsed.names)
        self._looking(len(names))
        try:
            while names:
                part, names = names[:A_TIME], names[A_TIME:]
                found = await self._bridge.call(partial(_ask, part), 120.0)
                self.model.found(found)
                self.model.left(part, self.tr("The same channel as another one here"))
                self.bar.setValue(self.bar.value() + len(part))
        finally:
            self.model.left([row.name for row in self.model.rows], self.tr("Not looked up"))
            self._looking(0)

    def _looking(self, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(0)
        self.bar.setVisible(total > 0)
        self.stop.setVisible(total > 0)
        self._state()

    def _stop(self) -> None:
        self._tasks.cancel()

    def _back(self) -> None:
        self._tasks.cancel()
        self.problem.hide()
        self._stack.setCurrentIndex(0)
        self._state()

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, self.tr("A list of channels"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Lists (*.txt)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(self.take_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    async def _read(self, path: Path) -> None:
        try:
            content = await in_thread(_content, path)
        except OSError as error:
            raise errors.UsageError(self.tr("The file could not be read: {}.").format(error.strerror or "?")) from None
        if len(content) > MOST_BYTES:
            raise errors.UsageError(self.tr("The file is too large. Take a part of it."))
        self.text.setPlainText(content.decode("utf-8-sig", "replace"))
        self.start()

    def _add(self) -> None:
        self.tags.take()
        self.problem.hide()
        self._tasks.start("add", self._save())
        self._state()

    async def _save(self) -> None:
        channels, destinations, tags = self.model.taken, self.destinations.values, self.tags.values
        saved: Saved = await self._bridge.call(
            lambda engine: engine.api.settings.add_streamers(channels, destinations, tags), 120.0
        )
        self.added.emit(saved, len(channels))
        self.accept()

    def _show_error(self, error: errors.AppError) -> None:
        self.problem.setText(trouble(error))
        self.problem.show()
        self._state()

    def _state(self) -> None:
        taken = len(self.model.taken)
        self.look.setEnabled(bool(self.text.toPlainText().strip()))
        self.add.setText(self.tr("&Add %n streamers", "", taken))
        self.add.setEnabled(taken > 0 and self.bar.isHidden() and not self._tasks.is_running("add"))
        known = sum(each.channel is not None and bool(each.channel.user_id) for each in self.model.rows)
        self.summary.setText(
            self.tr("{} lines, {} channels at Twitch, {} ticked.").format(len(self.model.rows), known, taken)
        )

    def _lay_out(self) -> None:
        heading = self.table.horizontalHeader()
        heading.setSectionResizeMode(CHANNEL, QHeaderView.ResizeMode.ResizeToContents)
        heading.setSectionResizeMode(ABOUT, QHeaderView.ResizeMode.Stretch)
        first, second = QWidget(), QWidget()
        above = QVBoxLayout(first)
        above.setContentsMargins(0, 0, 0, 0)
        hint = self.tr("Paste names or links of channels, one per line or separated by commas.")
        above.addWidget(label(hint, "muted", wrap=True))
        above.addWidget(self.text, 1)
        above.addLayout(row(self.file, None, self.look))
        below = QVBoxLayout(second)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(10)
        progress = row(self.bar, self.stop)
        below.addLayout(progress)
        below.addWidget(self.table, 1)
        below.addLayout(row(self.summary, None, self.every, self.none))
        below.addWidget(Field(self.tr("Destinations"), self.destinations))
        below.addWidget(Field(self.tr("Announce only with these tags"), self.tags))
        below.addLayout(row(self.back, None, self.cancel, self.add))
        self.bar.hide()
        self.stop.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(first)
        self._stack.addWidget(second)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.addWidget(self.problem)
        layout.addWidget(self._stack)


async def _ask(names: list[str], engine: Engine) -> list[FoundChannel]:
    return await engine.api.settings.look_up(names)


def _content(path: Path) -> bytes:
    """Blocks. At most a byte more than is taken."""
    return files.read(path, MOST_BYTES + 1, follow=True)
