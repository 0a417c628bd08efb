"""5: where it is told."""

from __future__ import annotations

from urllib.parse import urlsplit

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLineEdit

from itsjustintv_desktop.engine import DestinationDraft, StreamerLists, errors
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.widgets.basic import Card, label
from itsjustintv_desktop.ui.widgets.field import Field
from itsjustintv_desktop.ui.widgets.secret import SecretField

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
            await self.bridge.call(lambda engine: engine.api.settings.save_destination(saved_as, draft))
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
            await self.bridge.call(lambda engine: engine.api.settings.change_streamers((key,), lists))

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
            preview = await self.bridge.call(lambda engine: engine.api.settings.preview(None, draft))
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
