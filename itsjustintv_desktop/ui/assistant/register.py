"""2: an application at Twitch, and its credentials."""

from __future__ import annotations

import secrets

from PySide6.QtWidgets import QGridLayout, QLineEdit

from itsjustintv_desktop.engine import Set, TransportDraft
from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.pages.connection.transport_choice import CLIENT_SECRET
from itsjustintv_desktop.ui.plain import open_address, plain
from itsjustintv_desktop.ui.widgets.basic import Card, button, label, row
from itsjustintv_desktop.ui.widgets.checklist import CheckList
from itsjustintv_desktop.ui.widgets.copy_line import CopyLine
from itsjustintv_desktop.ui.widgets.field import Field
from itsjustintv_desktop.ui.widgets.secret import SecretField

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
        self._kept = False
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
        return bool(self.client_id.text().strip() and (self.secret.text().strip() or self._kept))

    def enter(self) -> None:
        self.open.setFocus()
        self.course.tasks.start("credentials", self._load())

    async def leave(self) -> bool:
        """Twitch is asked at once; what it refuses is saved only if the person insists."""
        client_id, secret = self.client_id.text().strip(), self.secret.text().strip()
        if self._refused != (client_id, secret):
            draft = TransportDraft(kind="conduit", client_id=client_id, client_secret=secret or None)
            checks = await self.bridge.call(lambda engine: engine.api.settings.check_way(draft), timeout=CHECK_SECONDS)
            self.checks.show_checks([check for check in checks if check.state != "green"])
            if any(check.state == "red" for check in checks):
                self._refused = (client_id, secret)
                self.changed.emit()
                return False
        if secret:
            await self.bridge.call(lambda engine: engine.api.settings.keep_secret(CLIENT_SECRET, secret))
            self._kept = True
            self.secret.conceal()
            self.secret.clear()
        await self.bridge.call(lambda engine: engine.api.settings.edit([Set(("twitch", "client_id"), client_id)]))
        self._refused = None
        self._say_kept()
        return True

    async def _load(self) -> None:
        for field in await self.bridge.call(lambda engine: engine.api.settings.fields()):
            if field.path == ("twitch", "client_id") and not self.client_id.text():
                self.client_id.setText(field.value or "")
        for one in await self.bridge.call(lambda engine: engine.api.settings.secrets()):
            if one.name == CLIENT_SECRET:
                self._kept = one.where not in {"absent", "unknown"}
        self._say_kept()
        self.changed.emit()

    def _say_kept(self) -> None:
        self.secret.setPlaceholderText(self.tr("It is kept; leave this empty") if self._kept else "")

    def _edited(self) -> None:
        self._refused = None
        self.checks.show_checks(())
        self.changed.emit()

    def _open(self) -> None:
        open_address(CONSOLE)
