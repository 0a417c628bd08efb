"""What concerns this program on this computer alone; kept apart from config.toml, in force at once."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Literal, cast

from PySide6.QtWidgets import QCheckBox, QLineEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.ui.bridge import in_thread
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.preferences import KINDS
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.basic import Card, fill, label
from itsjustintv_desktop.ui.widgets.field import Field, choice
from itsjustintv_desktop.ui.widgets.scroll import scroll_in

_AUTOSTART = "itsjustintv_desktop.desktop.autostart"
WIDEST = 566
Choice = Literal["system", "light", "dark"]


class AppTab(QWidget):
    """Looks, notifications, the start with the computer."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._preferences = page.store.preferences
        self._autostart: ModuleType | None = None
        self.theme = choice(
            ("system", self.tr("as the system")), ("light", self.tr("light")), ("dark", self.tr("dark"))
        )
        self.language = choice(("", self.tr("as the system")), ("en", "English"), ("de", "Deutsch"))
        self.own = QLineEdit()
        self.start = QCheckBox(self.tr("Start with the &computer, in the tray"))
        words = {
            "live": self.tr("when somebody goes &live"), "given_up": self.tr("when a delivery is &given up"),
            "trouble": self.tr("on t&rouble, and when it is over"),
            "update": self.tr("when there is a &newer version"),
        }  # fmt: skip
        self.kinds = {kind: QCheckBox(words[kind]) for kind in KINDS}
        self.quiet = QCheckBox(self.tr("&Quiet while my own channel is live"))
        self._show()
        self._lay_out()
        self.theme.activated.connect(self._theme_chosen)
        self.language.activated.connect(self._language_chosen)
        self.own.textEdited.connect(self._own_typed)
        self.own.editingFinished.connect(lambda: self.own.setText(self._preferences.own_login))
        self.quiet.clicked.connect(self._quiet_clicked)
        self.start.clicked.connect(lambda on: page.do("autostart", self._set_start(on)))
        for kind, check in self.kinds.items():
            check.clicked.connect(lambda on, kind=kind: self._preferences.set_notify(kind, on))

    def read(self) -> None:
        """Ask the system whether it starts this program; a demo does not."""
        if not self._page.store.demo:
            self._page.do("autostart state", self._read_start())

    def _show(self) -> None:
        kept = self._preferences
        self.theme.setCurrentIndex(max(0, self.theme.findData(kept.theme)))
        self.language.setCurrentIndex(max(0, self.language.findData(kept.language)))
        self.own.setText(kept.own_login)
        for kind, check in self.kinds.items():
            check.setChecked(kept.notify(kind))
        self.quiet.setChecked(kept.quiet_while_live)
        self.quiet.setEnabled(bool(kept.own_login))

    def _theme_chosen(self) -> None:
        choice = cast("Choice", self.theme.currentData())
        self._preferences.theme = choice
        theme().choose(choice)

    def _language_chosen(self) -> None:
        if self._preferences.language != self.language.currentData():
            self._preferences.language = self.language.currentData()
            self.language_field.say(self.tr("It counts from the next start."))

    def _own_typed(self, text: str) -> None:
        """Kept as it is typed."""
        login = text.strip().removeprefix("https://").removeprefix("www.").removeprefix("twitch.tv/")
        login = login.strip("/@ ").lower()
        self._preferences.own_login = login
        self.quiet.setEnabled(bool(login))

    def _quiet_clicked(self, on: bool) -> None:
        self._preferences.quiet_while_live = on

    async def _read_start(self) -> None:
        try:
            self._autostart = importlib.import_module(_AUTOSTART)
        except ModuleNotFoundError:
            return
        on = await in_thread(self._autostart.is_on)
        self.start.setChecked(bool(on))
        self.start_card.show()

    async def _set_start(self, on: bool) -> None:
        if self._autostart is None:
            return
        try:
            await in_thread(self._autostart.set_on, on)
        finally:
            self.start.setChecked(bool(await in_thread(self._autostart.is_on)))

    def _lay_out(self) -> None:
        looks, notes = Card(self.tr("Looks")), Card(self.tr("Notifications"))
        self.language_field = Field(self.tr("Language"), self.language)
        looks.body.setSpacing(14)
        fill(looks.body, Field(self.tr("Colours"), self.theme), self.language_field)
        notes.body.addWidget(label(self.tr("Tell me"), "label"))
        for check in self.kinds.values():
            notes.body.addWidget(check)
        hint = self.tr("Your login at Twitch: notifications can rest while you are on air.")
        fill(notes.body, Field(self.tr("My own channel"), self.own, hint), self.quiet)
        self.start_card = Card(self.tr("Start"))
        self.start_card.body.addWidget(self.start)
        self.start_card.hide()
        inner = QWidget()
        inner.setMaximumWidth(WIDEST)  # of all together: the height of a card that is held back alone would be wrong
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 12, 6, 0)
        layout.setSpacing(16)
        for card in (looks, notes, self.start_card):
            layout.addWidget(card)
        layout.addStretch(1)
        scroll_in(self, inner)
