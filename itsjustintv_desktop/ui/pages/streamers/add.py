"""Adding streamers: one by name, or many from a pasted text or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from itsjustintv_desktop.engine import FoundChannel, StreamerDraft, errors, files
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks, in_thread
from itsjustintv_desktop.ui.formatting import number, translate, trouble
from itsjustintv_desktop.ui.images import Avatar, Pictures
from itsjustintv_desktop.ui.models.candidates import ABOUT, CHANNEL, CandidatesModel
from itsjustintv_desktop.ui.widgets.basic import Elided, button, column, label, row
from itsjustintv_desktop.ui.widgets.chips import ChipField, PickChips
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.field import Field
from itsjustintv_desktop.ui.widgets.table import Table

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import Saved

LOOK_UP_MS = 350
"""After the last key."""


class AddDialog(Dialog):
    """`added` with the channel and what was saved. `model` is who to take settings from."""

    added = Signal(object, object)

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        pictures: Pictures,
        destinations: tuple[str, ...],
        model: StreamerDraft | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Add a streamer") if model is None else self.tr("Duplicate for another channel"))
        self.setMinimumWidth(460)
        self._bridge, self._pictures = bridge, pictures
        self._model = model
        self._found: FoundChannel | None = None
        self._tasks = PageTasks(self, self._show_error)
        self.name = QLineEdit()
        self.name.setPlaceholderText("twitch.tv/…")
        self.avatar = Avatar(size=44)
        self.title, self.about = Elided(role="heading"), Elided(role="muted")
        self.verdict = label(self.tr("Type a name, a link or an id."), "muted", wrap=True)
        self.tags = ChipField(self.tr("Announce only with these tags"), self.tr("all streams"))
        self.destinations = PickChips(self.tr("Destinations"), self.tr("Add a destination"))
        self.destinations.set_choices(destinations)
        if model is not None:
            self.tags.set_values(model.tag_filter)
            self.destinations.set_values(model.destinations)
        elif len(destinations) == 1:
            self.destinations.set_values(destinations)
        self._offered = self.tags.values, self.destinations.values
        self.add = button(self.tr("&Add"), self._add, role="primary")
        self.add.setDefault(True)
        self.add.setEnabled(False)
        self.cancel = button(self.tr("Cancel"), self.reject)
        self._timer = QTimer(self, singleShot=True, interval=LOOK_UP_MS)
        self._timer.timeout.connect(self._look_up)
        self.name.textChanged.connect(self._typed)
        pictures.arrived.connect(self._picture_came)
        self._lay_out()

    @property
    def unsaved(self) -> tuple[str, ...]:
        chosen = self.tags.values, self.destinations.values
        return (self.windowTitle(),) if self.name.text().strip() or chosen != self._offered else super().unsaved

    def _typed(self, text: str) -> None:
        self._found = None
        self.add.setEnabled(False)
        self._card.hide()
        self._say(self.tr("Looking it up…") if text.strip() else self.tr("Type a name, a link or an id."))
        self._timer.start() if text.strip() else self._timer.stop()

    def _look_up(self) -> None:
        self._tasks.start("look-up", self._ask(self.name.text()), replace=True)

    async def _ask(self, text: str) -> None:
        found = await self._bridge.call(lambda engine: engine.api.settings.channels.look_up([text]))
        if text != self.name.text():
            return
        if not found:
            self._say(self.tr("That names no channel."), "attention")
            return
        self._show(found[0])

    def _show(self, channel: FoundChannel) -> None:
        if channel.unknown or not channel.user_id:
            self._say(translate(channel.problem) or self.tr("Twitch knows no channel of this name."), "attention")
            return
        self._found = channel
        self.avatar.show_channel(channel.display_name, self._pictures.get(channel.picture))
        self.title.say(channel.display_name)
        about = [f"twitch.tv/{channel.login}"]
        if channel.followers is not None:
            about.append(self.tr("{} followers").format(number(channel.followers)))
        if channel.live:
            about.append(self.tr("live now"))
        self.about.say(" · ".join(about))
        self._card.show()
        self.tags.suggest(channel.tags)
        if channel.watched_as:
            self._say(self.tr("It is watched already, as {}.").format(channel.watched_as), "attention")
        else:
            self._say("")
            self.add.setEnabled(True)

    def _picture_came(self, sha256: str) -> None:
        if self._found is not None and self._found.picture == sha256:
            self.avatar.show_channel(self._found.display_name, self._pictures.get(sha256))

    def _add(self) -> None:
        channel = self._found
        if channel is not None and not channel.watched_as:
            self.tags.take()
            self.add.setEnabled(False)
            self._tasks.start("add", self._save(channel))

    async def _save(self, channel: FoundChannel) -> None:
        destinations, tags = self.destinations.values, self.tags.values
        try:
            saved: Saved = await self._bridge.call(
                lambda engine: engine.api.settings.streamers.add([channel], destinations, tags, self._model)
            )
        except errors.AppError:
            self.add.setEnabled(True)
            raise
        self.added.emit(channel, saved)
        self.accept()

    def _show_error(self, error: errors.AppError) -> None:
        self._say(trouble(error), "live")

    def _say(self, text: str, role: str = "muted") -> None:
        self.verdict.setProperty("role", role)
        self.verdict.setText(text)
        self.verdict.setVisible(bool(text))
        self.verdict.style().polish(self.verdict)

    def _lay_out(self) -> None:
        self._card = QWidget()
        words = column(self.title, self.about, spacing=1)
        line = row(self.avatar, words, spacing=12)
        line.setStretch(1, 1)
        line.setContentsMargins(0, 0, 0, 0)
        self._card.setLayout(line)
        self._card.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(14)
        layout.addWidget(Field(self.tr("&Channel"), self.name))
        layout.addWidget(self._card)
        layout.addWidget(self.verdict)
        layout.addWidget(Field(self.tr("Announce only with these tags"), self.tags))
        layout.addWidget(Field(self.tr("Destinations"), self.destinations))
        layout.addStretch(1)
        layout.addLayout(row(None, self.cancel, self.add))


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


def _content(path: Path) -> bytes:
    """Blocks. At most a byte more than is taken."""
    return files.read(path, MOST_BYTES + 1, follow=True)
