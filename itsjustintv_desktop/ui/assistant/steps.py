"""The steps that ask nothing of a connection: the welcome, the Twitch application and the end."""

from __future__ import annotations

import asyncio
import importlib
import secrets
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from PySide6.QtCore import QProcess, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit

from itsjustintv_desktop.desktop import launching
from itsjustintv_desktop.engine import Document, SecretView, Set, Snapshot, TransportDraft, errors
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.connection.form import CLIENT_SECRET, title
from itsjustintv_desktop.ui.plain import open_address, plain, readable
from itsjustintv_desktop.ui.preferences import KINDS
from itsjustintv_desktop.ui.widgets.basic import Card, CopyLine, Dot, Tone, button, label, row
from itsjustintv_desktop.ui.widgets.field import Field, SecretField
from itsjustintv_desktop.ui.widgets.states import CheckList


class Welcome(Step):
    """`by_hand`: no assistant is wanted, now or later."""

    name = "welcome"
    by_hand = Signal()

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("Tell the world when you go live"),
            self.tr("A few short steps, about five minutes. Each can be skipped, and you can go back or go on later."),
        )
        card = Card()
        for text in (
            self.tr(
                "It watches the Twitch channels you name, from this computer. No server of anybody else is between."
            ),
            self.tr("When one goes live, it tells Discord, Slack or your own program: once, never twice."),
            self.tr("What cannot be sent now is kept on disk and sent later, across restarts and outages."),
        ):
            card.body.addWidget(label(text, wrap=True))
        self.body.addWidget(card)
        self.demo = button(self.tr("Look around with the &demo"), self._demo, icon_name="play")
        self.hand = button(self.tr("I set it up by &hand"), self.by_hand.emit, role="link")
        self._said = label(
            self.tr("Simulated channels in a window of its own; no account is needed."), "muted", wrap=True
        )
        self.body.addLayout(row(self.demo, None))
        self.body.addWidget(self._said)
        self.body.addLayout(row(self.hand, None))
        self.body.addStretch(1)

    @property
    def next_text(self) -> str:
        return self.tr("Be&gin")

    @property
    def can_skip(self) -> bool:
        return False

    def _demo(self) -> None:
        program, *arguments = launching.command(sys.argv[:1])  # its own data, not those of the options we got
        well, _ = QProcess.startDetached(program, [*arguments, "demo"])
        self._said.setText(
            self.tr("The demo opens in a moment, in a window of its own.")
            if well
            else self.tr("The demo could not be started. In a terminal: itsjustintv-desktop demo")
        )


CONSOLE = "https://dev.twitch.tv/console/apps"
REDIRECT = "http://localhost"
CHECK_SECONDS = 60.0


class Register(Step):
    name = "register"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("Register an application at Twitch"),
            self.tr("Twitch wants to know which program asks. It is free, and yours alone."),
        )
        self.open = button(self.tr("&Open Twitch's console"), self._open, icon_name="open", role="primary")
        self.open.setToolTip(plain(CONSOLE))
        self.body.addLayout(
            row(self.open, label(self.tr("Choose Register Your Application and enter:"), "muted"), None)
        )
        card = Card()
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(1, 1)
        # Names are unique at Twitch, and may not hold its own.
        for number, (said, value) in enumerate(
            (
                (self.tr("Name"), f"itsjustintv-{secrets.token_hex(3)}"),
                (self.tr("OAuth Redirect URLs"), REDIRECT),
                (self.tr("Category"), "Application Integration"),
                (self.tr("Client Type"), "Confidential"),
            )
        ):
            grid.addWidget(label(said, "muted"), number, 0)
            grid.addWidget(CopyLine(said, value), number, 1)
        card.body.addLayout(grid)
        self.body.addWidget(card)
        self.body.addWidget(label(self.tr("Then Manage, New Secret, and copy both here:"), "muted", wrap=True))
        self.client_id, self.secret = QLineEdit(), SecretField(self.tr("Client secret"))
        self.body.addLayout(
            row(
                Field(self.tr("Client &id"), self.client_id, self.tr("It goes into the config.")),
                Field(self.tr("Client se&cret"), self.secret, self.tr("It goes straight to the keyring.")),
                spacing=16,
            )
        )
        self.checks = CheckList()
        self.body.addWidget(self.checks)
        self.body.addStretch(1)
        self._digest: str | None = None
        """Of the file that was seen; what was changed in it since is not overwritten without a word."""
        self._kept: SecretView | None = None
        self._refused: tuple[str, str] | None = None
        for field in (self.client_id, self.secret):
            field.textEdited.connect(self._edited)
            field.returnPressed.connect(self.forward)

    @property
    def next_text(self) -> str:
        return self.tr("&Save it nevertheless") if self._refused else self.tr("Check and &save")

    @property
    def insists(self) -> bool:
        return self._refused is not None

    def again(self) -> None:
        self._edited()

    @property
    def ready(self) -> bool:
        return bool(self.client_id.text().strip() and (self.secret.text().strip() or self._is_kept))

    def enter(self) -> None:
        self.open.setFocus()
        self.course.tasks.start("credentials", self._load())

    async def leave(self) -> bool:
        """Twitch is asked at once; what it refuses is saved only if the person insists."""
        client_id, secret = self.client_id.text().strip(), self.secret.text().strip()
        if self._refused != (client_id, secret):
            draft = TransportDraft(kind="conduit", client_id=client_id, client_secret=secret or None)
            checks = await self.bridge.call(
                lambda engine: engine.api.settings.connection_check.check(draft), timeout=CHECK_SECONDS
            )
            self.checks.show_checks([check for check in checks if check.state != "green"])
            if any(check.state == "red" for check in checks):
                self._refused = (client_id, secret)
                self.changed.emit()
                return False
        changes, digest, kept = [Set(("twitch", "client_id"), client_id)], self._digest, {CLIENT_SECRET: secret}
        try:
            if secret:
                await self.bridge.call(lambda engine: engine.api.settings.secrets.keep_with(kept, changes, digest))
                self.secret.conceal()
                self.secret.clear()
            else:
                await self.bridge.call(lambda engine: engine.api.settings.documents.edit(changes, digest))
        except errors.ConfigChangedError:
            await self._load()  # pressing the button again saves it all the same
            raise
        await self._load()
        self._refused = None
        self._say_kept()
        return True

    async def _load(self) -> None:
        document: Document = await self.bridge.call(lambda engine: engine.api.settings.documents.document())
        self._digest = document.digest
        for field in await self.bridge.call(lambda engine: engine.api.settings.form.fields()):
            if field.path == ("twitch", "client_id") and not self.client_id.text():
                self.client_id.setText(field.value or "")
        for one in await self.bridge.call(lambda engine: engine.api.settings.secrets.list()):
            if one.name == CLIENT_SECRET:
                self._kept = one
        self._say_kept()
        self.changed.emit()

    @property
    def _is_kept(self) -> bool:
        return self._kept is not None and self._kept.where not in {"absent", "unknown"}

    def _say_kept(self) -> None:
        words = {"absent": "", "unknown": self.tr("It cannot be read at the moment")}
        where = "absent" if self._kept is None else self._kept.where
        self.secret.setPlaceholderText(readable(words.get(where, self.tr("It is kept; leave this empty"))))

    def _edited(self) -> None:
        self._refused = None
        self.checks.show_checks(())
        self.changed.emit()

    def _open(self) -> None:
        open_address(CONSOLE)


_AUTOSTART = "itsjustintv_desktop.desktop.autostart"


class Finish(Step):
    name = "done"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("That is all"),
            self.tr("It goes on working in the tray. Overview says at any time whether your next stream is announced."),
        )
        self._dots = {part: Dot() for part in ("way", "streamer", "destination")}
        self._said = {part: label("", wrap=True) for part in self._dots}
        summary = Card(self.tr("Set up"))
        for part, dot in self._dots.items():
            made = row(dot)
            made.addWidget(self._said[part], 1)
            summary.body.addLayout(made)
        self.body.addWidget(summary)
        habits = Card(self.tr("How it stays around"))
        self.start = QCheckBox(self.tr("Start with the &computer, in the tray"))
        self.start.hide()
        self.start.clicked.connect(lambda on: course.tasks.start("autostart", self._set_start(on)))
        words = {
            "live": self.tr("Tell me when somebody goes &live"),
            "given_up": self.tr("Tell me when a delivery is &given up"),
            "trouble": self.tr("Tell me of t&rouble, and when it is over"),
        }
        habits.body.addWidget(self.start)
        self.kinds = {kind: QCheckBox(words[kind]) for kind in KINDS if kind in words}
        for kind, check in self.kinds.items():
            check.setChecked(course.preferences.notify(kind))
            check.clicked.connect(partial(course.preferences.set_notify, kind))
            habits.body.addWidget(check)
        self.body.addWidget(habits)
        self.body.addStretch(1)
        self._autostart: ModuleType | None = None

    @property
    def next_text(self) -> str:
        return self.tr("&Finish")

    @property
    def can_skip(self) -> bool:
        return False

    def enter(self) -> None:
        self.course.tasks.start("autostart state", self._read_start())
        if self.course.store.snapshot is not None:
            self.refresh(self.course.store.snapshot)

    def refresh(self, snapshot: Snapshot) -> None:
        way = snapshot.way
        tone: Tone = {"ready": "ok", "failing": "failed"}.get(way.state, "attention")  # type: ignore[assignment]
        self._say("way", tone, f"{title(way.kind)}: {translate(way.message)}")
        names = [each.display_name or each.login for each in snapshot.streamers if each.enabled]
        watched = self.tr("Watched: {}").format(", ".join(names[:3])) if names else self.tr("Nobody is watched yet.")
        self._say("streamer", "ok" if names else "attention", watched)
        places = [each.name for each in snapshot.destinations if each.enabled]
        told = self.tr("Told to: {}").format(", ".join(places[:3])) if places else self.tr("No destination yet.")
        self._say("destination", "ok" if places else "attention", told)

    def _say(self, part: str, tone: Tone, text: str) -> None:
        self._dots[part].show_state(tone, text)
        self._said[part].setText(text)

    async def _read_start(self) -> None:
        try:
            self._autostart = importlib.import_module(_AUTOSTART)
        except ModuleNotFoundError:
            return  # this build cannot
        self.start.setChecked(bool(await _in_thread(self._autostart.is_on)))
        self.start.show()

    async def _set_start(self, on: bool) -> None:
        if self._autostart is not None:
            try:
                await _in_thread(self._autostart.set_on, on)
            finally:
                self.start.setChecked(bool(await _in_thread(self._autostart.is_on)))


async def _in_thread(work: Callable[..., Any], *arguments: object) -> Any:
    """It reads or writes a file, or the registry."""
    return await asyncio.get_event_loop().run_in_executor(None, work, *arguments)
