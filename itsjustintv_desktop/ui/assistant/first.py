"""The first streamer and the first destination."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QLineEdit

from itsjustintv_desktop.engine import DestinationDraft, StreamerLists, errors
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.formatting import number, translate
from itsjustintv_desktop.ui.images import Avatar
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import Card, Elided, button, column, label, row
from itsjustintv_desktop.ui.widgets.field import Field, SecretField

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import FoundChannel


class FirstStreamer(Step):
    name = "streamer"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("Who shall be watched?"),
            self.tr("Your own channel, or a friend's. More can be added later, also many at once."),
        )
        self.channel = QLineEdit()
        self.channel.setPlaceholderText("twitch.tv/…")
        self.field = Field(self.tr("&Channel: its name or its link"), self.channel)
        self.look_up = button(self.tr("&Look up"), self._look_up, icon_name="search")
        self.body.addWidget(self.field)
        self.body.addLayout(row(self.look_up, None))
        self._avatar = Avatar("", 56)
        self._name, self._about, self._more = label("", "heading"), label("", "muted", wrap=True), Elided("", "muted")
        self.card = Card()
        found = row(self._avatar, spacing=16)
        found.addLayout(column(self._name, self._more, self._about, spacing=2), 1)
        self.card.body.addLayout(found)
        self.body.addWidget(self.card)
        self.body.addStretch(1)
        self.card.hide()
        self._found: FoundChannel | None = None
        self.channel.textEdited.connect(self._edited)
        self.channel.returnPressed.connect(self._entered)

    @property
    def next_text(self) -> str:
        return self.tr("&Watch this channel") if self._found is not None else self.tr("&Next")

    @property
    def ready(self) -> bool:
        return bool(self.channel.text().strip() or self.course.streamer)

    def enter(self) -> None:
        if not self.channel.text() and self.course.login:
            self.channel.setText(self.course.login)
            self._look_up()
        self.channel.setFocus()

    async def leave(self) -> bool:
        if not self.channel.text().strip():
            return bool(self.course.streamer)
        found = self._found
        if found is None:
            await self._find(self.channel.text().strip())
            return False  # one sees whom before it is saved
        if found.watched_as:
            self.course.streamer, self.course.login = found.watched_as, found.login
            return True
        before = {each.key for each in self.course.store.snapshot.streamers} if self.course.store.snapshot else set()
        await self.bridge.call(lambda engine: engine.api.settings.streamers.add([found]))
        snapshot = await self.bridge.call(lambda engine: engine.snapshot())
        added = [each.key for each in snapshot.streamers if each.key not in before]
        self.course.streamer, self.course.login = added[0] if added else found.login, found.login
        self.course.store.refresh()
        self._found = None
        return True

    def _edited(self) -> None:
        self._found = None
        self.card.hide()
        self.field.complain(None)
        self.changed.emit()

    def _entered(self) -> None:
        """Return looks it up; once it is found, Return continues."""
        if self._found is None:
            self._look_up()
        else:
            self.forward.emit()

    def _look_up(self) -> None:
        typed = self.channel.text().strip()
        if typed:
            self.course.tasks.start("look up", self._find(typed), replace=self.course.tasks.is_running("look up"))

    async def _find(self, typed: str) -> None:
        self.look_up.setEnabled(False)
        try:
            found = await self.bridge.call(lambda engine: engine.api.settings.channels.look_up([typed]))
        except errors.AppError as error:
            self.field.complain(translate(error.message))
            return
        finally:
            self.look_up.setEnabled(True)
        if typed != self.channel.text().strip():
            return
        channel = found[0] if found else None
        if channel is None or channel.unknown or channel.problem:
            problem = channel.problem if channel is not None else ""
            self.field.complain(translate(problem) or self.tr("Twitch knows no such channel."))
            return
        await self._show(channel)

    async def _show(self, channel: FoundChannel) -> None:
        self._found = channel
        self.field.complain(None)
        name = channel.display_name or channel.login
        self._name.setText(name)
        self._about.setText(channel.description)
        self._about.setVisible(bool(channel.description))
        more = [f"twitch.tv/{channel.login}"]
        if channel.followers is not None:
            more.append(self.tr("{} followers").format(number(channel.followers)))
        if channel.live:
            more.append(self.tr("live now: {}").format(channel.title))
        if channel.watched_as:
            more.append(self.tr("watched already"))
        self._more.say(" · ".join(more))
        self._avatar.show_channel(name)
        self.card.setAccessibleName(readable(f"{name}. {' · '.join(more)}"))
        self.card.show()
        self.changed.emit()
        picture = channel.picture
        if picture:
            content = await self.bridge.call(lambda engine: engine.api.feed.picture(picture))
            image = QPixmap()
            if content and image.loadFromData(content):
                self._avatar.show_channel(name, image)


GUESS_MS = 400


class FirstDestination(Step):
    name = "destination"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("Where shall it be told?"),
            self.tr("A webhook address of Discord, of Slack, or of your own program."),
        )
        self.address = SecretField(self.tr("Address"), "https://…")
        self.called = QLineEdit()
        self.field = Field(
            self.tr("&Address"), self.address, self.tr("Whoever has it can write there, so it goes to the keyring.")
        )
        self.name_field = Field(self.tr("Nam&e, as you will see it here"), self.called)
        self.body.addWidget(self.field)
        self.body.addWidget(self.name_field)
        hints = Card(quiet=True)
        for each in sorted(formats.registered(), key=lambda each: each is formats.DEFAULT):
            hints.body.addWidget(label(translate(each.where_to_get), "muted", wrap=True))
        self.body.addWidget(hints)
        self.body.addStretch(1)
        self._named = False
        self._guess = QTimer(self, singleShot=True, interval=GUESS_MS)
        self._guess.timeout.connect(self._look)
        self.address.textEdited.connect(self._edited)
        self.called.textEdited.connect(self._name_typed)
        for edit in (self.address, self.called):
            edit.returnPressed.connect(self.forward)

    @property
    def ready(self) -> bool:
        return bool(self.course.destination or (self.address.text().strip() and self.called.text().strip()))

    def enter(self) -> None:
        if self.course.destination:
            self.called.setText(self.course.destination)
            self.called.setEnabled(False)
            self.address.setPlaceholderText(self.tr("It is kept; leave this empty to go on with it"))
        self.address.setFocus()

    async def leave(self) -> bool:
        url = self.address.text().strip()
        name = self.course.destination or self.called.text().strip()
        if url:
            draft = DestinationDraft(name=name, url=url)
            saved_as = self.course.destination
            await self.bridge.call(lambda engine: engine.api.settings.destinations.save(saved_as, draft))
            self.course.destination = name
            self.address.conceal()
            self.address.clear()
        await self._attach(name)
        self.course.store.refresh()
        return True

    async def _attach(self, name: str) -> None:
        """The streamer of the step before announces there."""
        key = self.course.streamer
        snapshot = await self.bridge.call(lambda engine: engine.snapshot())
        if any(each.key == key for each in snapshot.streamers):
            lists = StreamerLists(destinations=(name,))
            await self.bridge.call(lambda engine: engine.api.settings.streamers.change_many((key,), lists))

    def _edited(self) -> None:
        self.field.say()
        self.field.complain(None)
        self._guess.start()
        if not self._named and not self.course.destination:
            self.called.setText(_name_for(self.address.text().strip()))
        self.changed.emit()

    def _name_typed(self) -> None:
        self._named = True
        self.changed.emit()

    def _look(self) -> None:
        url = self.address.text().strip()
        if url:
            tasks = self.course.tasks
            tasks.start("guess", self._do_look(url), replace=tasks.is_running("guess"))

    async def _do_look(self, url: str) -> None:
        draft = DestinationDraft(name=self.called.text().strip() or "new", url=url)
        try:
            preview = await self.bridge.call(lambda engine: engine.api.settings.preview.render(None, draft))
        except errors.AppError as error:
            if url == self.address.text().strip():
                self.field.complain(translate(error.message))
            return
        known = formats.named(preview.format)
        if url == self.address.text().strip():
            text = self.tr("Understood as {}, at {}.")
            self.field.say(text.format(translate(known.receiver or known.title), preview.host))


def _name_for(url: str) -> str:
    """A first name for a destination, out of its address."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if not host:
        return ""
    known = (each.name for each in formats.registered() if each is not formats.DEFAULT and each.name in host)
    return next(known, "webhook")
