"""Adding a streamer by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QLineEdit,
    QWidget,
)

from itsjustintv_desktop.engine import FoundChannel, StreamerDraft, errors
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.formatting import number, tr, translate, trouble
from itsjustintv_desktop.ui.images import Avatar, Pictures
from itsjustintv_desktop.ui.widgets.basic import Elided, button, column, label, later, row
from itsjustintv_desktop.ui.widgets.chips import ChipField, PickChips
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from itsjustintv_desktop.ui.widgets.field import Field

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
        self._timer = later(self, LOOK_UP_MS, self._look_up)
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
        self.about.say(about_of(channel))
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
        row(self.avatar, (words, 1), spacing=12, inside=self._card)
        self._card.hide()
        column(
            Field(self.tr("&Channel"), self.name),
            self._card,
            self.verdict,
            Field(self.tr("Announce only with these tags"), self.tags),
            Field(self.tr("Destinations"), self.destinations),
            None,
            row(None, self.cancel, self.add),
            spacing=14,
            inside=self,
            margins=(24, 20, 24, 20),
        )


def about_of(channel: FoundChannel) -> str:
    """Its address, followers, and whether it is live."""
    parts = [f"twitch.tv/{channel.login}"]
    if channel.followers is not None:
        parts.append(tr("{} followers").format(number(channel.followers)))
    if channel.live:
        parts.append(tr("live now"))
    return " · ".join(parts)
