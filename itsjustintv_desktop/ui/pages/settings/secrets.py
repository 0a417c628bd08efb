"""Where each secret is kept; each can be replaced, forgotten, or shown on purpose for a moment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import Snapshot, errors
from itsjustintv_desktop.engine.core.fingerprints import fits
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Tone, button, clear, fill, label, later, row
from itsjustintv_desktop.ui.widgets.dialog import ask
from itsjustintv_desktop.ui.widgets.field import HIDE_AGAIN_MS, Field, SecretField
from itsjustintv_desktop.ui.widgets.scroll import scroll_in
from itsjustintv_desktop.ui.widgets.states import Theirs

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import SecretsState, SecretView

_TONES: dict[str, Tone] = {
    "keyring": "ok", "vault": "ok", "environment": "ok", "config": "attention", "memory": "attention",
    "absent": "off", "unknown": "attention",
}  # fmt: skip


class SecretsTab(QWidget):
    """`page` is asked for everything that goes to the engine."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self.rows: dict[str, SecretRow] = {}
        self.lock = LockCard()
        self.lock.unlock_requested.connect(lambda phrase: page.do("unlock", self._unlock(phrase)))
        self.move_them = button(self.tr("Mo&ve them into safe keeping"), lambda: page.do("move", self._move()))
        self.in_clear = Card()
        text = self.tr("Secrets stand in config.toml, where whoever may read that file can read them.")
        line = row((label(text, wrap=True), 1), self.move_them)
        self.in_clear.body.addLayout(line)
        self._list = QVBoxLayout()
        self._list.setSpacing(16)
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 12, 6, 0)
        layout.setSpacing(16)
        for part in (self.lock, self.in_clear):
            part.hide()
            layout.addWidget(part)
        layout.addLayout(self._list)
        more = self.tr("Addresses and secrets of destinations are kept with them, on the page Destinations.")
        fill(layout, label(more, "muted", wrap=True), None)
        scroll_in(self, inner)

    @property
    def unsaved(self) -> tuple[str, ...]:
        return tuple(row.title for row in self.rows.values() if row.typed.text().strip())

    def refresh(self, snapshot: Snapshot) -> None:
        self.lock.show_state(snapshot.secrets)

    def read(self) -> None:
        """Ask how all of them are."""
        self._page.do("secrets", self._read())

    def conceal(self) -> None:
        for each in self.rows.values():
            each.conceal()

    async def _read(self) -> None:
        views = await self._page.bridge.call(lambda engine: engine.api.settings.secrets.list())
        if [view.name for view in views] != list(self.rows):
            clear(self._list)
            self.rows = {}
            for view in views:
                made = SecretRow(view)
                made.keep_requested.connect(lambda name, value: self._page.do("keep", self._keep(name, value)))
                made.reveal_requested.connect(lambda name: self._page.do("reveal", self._reveal(name), replace=True))
                made.forget_requested.connect(self._forget)
                self.rows[view.name] = made
                self._list.addWidget(made)
        for view in views:
            self.rows[view.name].show_view(view)
        self.in_clear.setVisible(any(view.where == "config" for view in views))

    async def _keep(self, name: str, value: str) -> None:
        base = self.rows[name].base
        try:
            view = await self._page.bridge.call(lambda engine: engine.api.settings.secrets.keep(name, value, base))
        except errors.ConfigChangedError:
            self.read()  # which shows the choice
            return
        self.rows[name].kept(view)
        self._page.tell(self.tr("{} is kept.").format(translate(view.title)))
        self.read()

    async def _reveal(self, name: str) -> None:
        self.rows[name].show_value(
            await self._page.bridge.call(lambda engine: engine.api.settings.secrets.reveal(name))
        )

    def _forget(self, name: str) -> None:
        more = self.tr("{} cannot be brought back by this program.").format(self.rows[name].title)
        ask(
            self,
            self.tr("Forget it?"),
            more,
            self.tr("Keep it"),
            self.tr("Forget it"),
            lambda: self._page.do("forget", self._forgotten(name)),
        )

    async def _forgotten(self, name: str) -> None:
        self.rows[name].show_view(await self._page.bridge.call(lambda engine: engine.api.settings.secrets.forget(name)))

    async def _move(self) -> None:
        moved = await self._page.bridge.call(lambda engine: engine.api.settings.secrets.move())
        self._page.tell(self.tr("%n secrets were moved.", "", len(moved)))
        self.read()

    async def _unlock(self, phrase: str) -> None:
        # The keyring shows its own prompt, which may stay open for a while.
        state = await self._page.bridge.call(lambda engine: engine.api.settings.secrets.unlock(phrase or None), 300.0)
        self.lock.show_state(state)
        self._page.store.refresh()
        self.read()


class SecretRow(Card):
    """One secret: where it is, and what can be done with it."""

    keep_requested = Signal(str, str)
    reveal_requested = Signal(str)
    forget_requested = Signal(str)

    def __init__(self, view: SecretView) -> None:
        super().__init__(margin=16)
        self.name, self.title = view.name, translate(view.title)
        self.base = self._now = view
        """The stored state the typed value replaces, and the current one."""
        self.theirs = Theirs()
        self.theirs.mine_requested.connect(self._insist)
        self.theirs.theirs_requested.connect(self._give_up)
        self.dot = Dot()
        self.sentence = label("", "muted", wrap=True, selectable=True)
        self.value = QLineEdit()
        self.value.setReadOnly(True)
        self.value.setAccessibleName(readable(self.tr("{} in the clear").format(self.title)))
        self.value.hide()
        self.typed = SecretField(self.title, self.tr("type or paste the new one"))
        self.typed.hide()
        self.reveal = button(self.tr("Show"), self._reveal, role="small")
        self.replace = button(self.tr("Replace"), lambda: self._editing(self.typed.isHidden()), role="small")
        self.keep = button(self.tr("Keep it"), self._keep, role="small")
        wish = partial(self.forget_requested.emit, view.name)
        self.forget = button(self.tr("Forget"), wish, role="small", destructive=True)
        for made in (self.reveal, self.replace, self.keep, self.forget):
            made.setAccessibleName(readable(f"{made.text()}: {self.title}"))
        self.keep.hide()
        head = row(self.dot, label(self.title, "strong"), None, self.reveal, self.replace, self.forget)
        fill(self.body, head, self.theirs, self.sentence, self.value, row(self.typed, self.keep))
        self.typed.returnPressed.connect(self._keep)
        self._hide_again = later(self, HIDE_AGAIN_MS, self.conceal)

    def show_view(self, view: SecretView) -> None:
        self._now = view
        if not self.typed.text().strip():
            self.base = view
        differs = not fits(self.base.fingerprints, view.fingerprints)
        self.theirs.show_for(self.title if differs else "")
        self.keep.setEnabled(not differs)
        self.dot.show_state(_TONES.get(view.where, "off"), translate(view.sentence))
        self.sentence.setText(translate(view.sentence))
        there = view.where not in {"absent", "unknown"}
        self.reveal.setVisible(there)
        self.forget.setVisible(there and view.where != "environment")
        self.replace.setText(self.tr("Replace") if there else self.tr("Enter"))
        self.replace.setEnabled(view.where != "environment")

    def show_value(self, value: str) -> None:
        """In the clear, for a moment."""
        self.value.setText(value)
        self.value.show()
        self.reveal.setText(self.tr("Hide"))
        self._hide_again.start()

    def conceal(self) -> None:
        self._hide_again.stop()
        self.value.clear()
        self.value.hide()
        self.reveal.setText(self.tr("Show"))

    def kept(self, view: SecretView) -> None:
        """What was typed is stored."""
        self.conceal()
        self._editing(False)
        self.show_view(view)

    def _reveal(self) -> None:
        if self.value.isHidden():
            self.reveal_requested.emit(self.name)
        else:
            self.conceal()

    def _editing(self, on: bool) -> None:
        self.typed.clear()
        self.typed.conceal()
        self.typed.setVisible(on)
        self.keep.setVisible(on)
        if on:
            self.typed.setFocus()

    def _insist(self) -> None:
        self.base = self._now
        self.show_view(self._now)

    def _give_up(self) -> None:
        self._editing(False)
        self.show_view(self._now)

    def _keep(self) -> None:
        if self.typed.text().strip():
            self.keep_requested.emit(self.name, self.typed.text())


class LockCard(Card):
    """Shown while secrets are locked: the reason, and how to unlock them."""

    unlock_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.sentence = label("", wrap=True, selectable=True)
        self.phrase = SecretField(self.tr("Passphrase"))
        self.field = Field(self.tr("Passphrase"), self.phrase)
        self.unlock = button(self.tr("&Unlock"), self._unlock, role="primary")
        fill(self.body, label(self.tr("Secrets cannot be reached now"), "heading"), self.sentence, self.field)
        fill(self.body, row(self.unlock, None))
        self.phrase.returnPressed.connect(self._unlock)

    def show_state(self, state: SecretsState) -> None:
        self.setVisible(state.status not in {"ready", "unopened"})
        self.sentence.setText(translate(state.message))
        self.field.setVisible(state.takes_passphrase)

    def _unlock(self) -> None:
        self.unlock_requested.emit(self.phrase.text())
        self.phrase.clear()
        self.phrase.conceal()
