"""Adding many streamers from a pasted text or a file: each channel found can be taken or left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHeaderView,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from itsjustintv_desktop.engine import FoundChannel, errors
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.formatting import tr, translate, trouble
from itsjustintv_desktop.ui.pages.streamers.add import about_of
from itsjustintv_desktop.ui.widgets.basic import button, column, fill, label, row, stacked
from itsjustintv_desktop.ui.widgets.chips import ChipField, PickChips
from itsjustintv_desktop.ui.widgets.dialog import Dialog, choose_file, read_file
from itsjustintv_desktop.ui.widgets.field import Field
from itsjustintv_desktop.ui.widgets.states import progress_bar
from itsjustintv_desktop.ui.widgets.table import Index, KeyedRows, Table

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Saved


CHANNEL, ABOUT = range(2)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`channel` is None before Twitch was asked, and for what names no channel."""

    name: str
    channel: FoundChannel | None = None
    reason: str = ""
    taken: bool = False

    @property
    def can_be_taken(self) -> bool:
        return self.channel is not None and bool(self.channel.user_id) and not self.channel.watched_as


class CandidatesModel(KeyedRows[Candidate]):
    """A box to tick in the first column of those that can be taken."""

    def __init__(self) -> None:
        super().__init__((tr("Channel"), tr("What was found")), lambda row: row.name)

    @property
    def taken(self) -> list[FoundChannel]:
        return [row.channel for row in self.rows if row.taken and row.channel is not None]

    def begin(self, names: Sequence[str], ignored: Iterable[tuple[str, str]]) -> None:
        """Names to be looked up, and words with the reason why they are none."""
        rows = [Candidate(name) for name in names]
        rows += [Candidate(text, reason=translate(reason)) for text, reason in ignored]
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def found(self, channels: Iterable[FoundChannel]) -> None:
        """Twitch's answer for some of the names. New channels are ticked."""
        by_name = {channel.name: channel for channel in channels}
        for number, candidate in enumerate(self.rows):
            channel = by_name.get(candidate.name)
            if channel is not None and candidate.channel is None:
                made = Candidate(candidate.name, channel, _reason(channel))
                self._put(number, replace(made, taken=made.can_be_taken))

    def left(self, names: Iterable[str], reason: str) -> None:
        """These were not looked up."""
        wanted = set(names)
        for number, candidate in enumerate(self.rows):
            if candidate.name in wanted and candidate.channel is None and not candidate.reason:
                self._put(number, replace(candidate, reason=reason))

    def take_all(self, taken: bool) -> None:
        for number, candidate in enumerate(self.rows):
            if candidate.can_be_taken and candidate.taken != taken:
                self._put(number, replace(candidate, taken=taken))

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and index.column() == CHANNEL and self.rows[index.row()].can_be_taken:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def setData(  # noqa: N802 - Qt's name
        self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)
    ) -> bool:
        row = self.rows[index.row()]
        if role != Qt.ItemDataRole.CheckStateRole or not row.can_be_taken:
            return False
        self._put(index.row(), replace(row, taken=Qt.CheckState(value) is Qt.CheckState.Checked))
        return True

    def cell(self, row: Candidate, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.CheckStateRole and column == CHANNEL and row.can_be_taken:
            return Qt.CheckState.Checked if row.taken else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DisplayRole:
            if column == CHANNEL:
                return row.channel.display_name or row.name if row.channel is not None else row.name
            return row.reason or (about_of(row.channel) if row.channel is not None else tr("…"))
        return None

    def _put(self, number: int, row: Candidate) -> None:
        self.rows[number] = row
        self.dataChanged.emit(self.index(number, 0), self.index(number, ABOUT))


def _reason(channel: FoundChannel) -> str:
    if channel.watched_as:
        return tr("Watched already, as {}").format(channel.watched_as)
    return translate(channel.problem) if channel.unknown or not channel.user_id else ""


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
        self.bar = progress_bar(self.tr("Looking up"))
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
        self._tasks.start("file", self._read(path), replace=True)

    def reject(self) -> None:
        self._tasks.cancel()
        super().reject()

    async def _find(self, text: str) -> None:
        parsed = await self._bridge.call(lambda engine: engine.api.settings.channels.parse(text))
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
                found = await self._look_up(part)
                self.model.found(found)
                self.model.left(part, self.tr("The same channel as another one here"))
                self.bar.setValue(self.bar.value() + len(part))
        finally:
            self.model.left([row.name for row in self.model.rows], self.tr("Not looked up"))
            self._looking(0)

    async def _look_up(self, names: list[str]) -> list[FoundChannel]:
        return await self._bridge.call(lambda engine: engine.api.settings.channels.look_up(names), 120.0)

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
        choose_file(self, self.tr("A list of channels"), self.tr("Lists (*.txt)"), self.take_file)

    async def _read(self, path: str) -> None:
        content = await read_file(path, MOST_BYTES + 1)
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
            lambda engine: engine.api.settings.streamers.add(channels, destinations, tags), 120.0
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
        fill(above, label(hint, "muted", wrap=True), (self.text, 1), row(self.file, None, self.look))
        below = QVBoxLayout(second)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(10)
        fill(below, row(self.bar, self.stop), (self.table, 1), row(self.summary, None, self.every, self.none))
        fill(below, Field(self.tr("Destinations"), self.destinations))
        fill(below, Field(self.tr("Announce only with these tags"), self.tags))
        fill(below, row(self.back, None, self.cancel, self.add))
        self.bar.hide()
        self.stop.hide()
        self._stack = stacked(first, second)
        column(self.problem, self._stack, spacing=6, inside=self, margins=(24, 20, 24, 20))
