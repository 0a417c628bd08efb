"""The page: destinations at the left, the chosen one's state and settings at the right."""

from __future__ import annotations

import msgspec

from itsjustintv_desktop.engine import (
    DestinationDraft,
    DestinationInfo,
    DestinationStatus,
    Saved,
    Snapshot,
    errors,
    events,
)
from itsjustintv_desktop.ui.formatting import ago, translate
from itsjustintv_desktop.ui.pages.destinations.assign import Result, ask_who
from itsjustintv_desktop.ui.pages.destinations.form import DestinationForm
from itsjustintv_desktop.ui.pages.destinations.table import DestinationTable, sentence_of, state_of
from itsjustintv_desktop.ui.pages.list_detail import ListDetailPage
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, Elided, button, fill, label, later, row
from itsjustintv_desktop.ui.widgets.dialog import ask
from itsjustintv_desktop.ui.widgets.field import SecretField
from itsjustintv_desktop.ui.widgets.states import EmptyState

GUESS_MS = 400
_OURS = ("save", "remove", "remove now")
"""While one of these runs, a missing name is this page's own doing."""
TEST_SECONDS = 150.0
"""Longer than the longest attempt."""


class Destinations(ListDetailPage[DestinationDraft]):
    """Where announcements are sent."""

    name = "destinations"
    side_by_side_from = 720

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self._infos: dict[str, DestinationInfo] = {}
        """With those that were removed and have something unsaved."""
        self._there: frozenset[str] = frozenset()
        self._shown: str | None = None
        self._wanted = ""
        self._busy = False
        self.add = button(self.tr("Add &destination"), self.open_new, role="primary")
        self.head.addWidget(self.add)
        self.table = DestinationTable(self.tr("Destinations"))
        self.form = DestinationForm()
        self.dot, self.heading_of = Dot(), Elided(role="heading")
        self.state, self.answer = label("", "muted", wrap=True, selectable=True), label("", "muted", wrap=True)
        self.resume = button(self.tr("Res&ume"), lambda: self.do("resume", self._resume(self._form_key)))
        self.assign = button(self.tr("Choose streamers…"), lambda: self._ask_who(self._shown or ""))
        self.result = Result()
        self.save = button(self.tr("&Save"), self._save_requested, role="primary")
        self.test = button(self.tr("Send &test"), self._test)
        self.discard = button(self.tr("D&iscard"), self._discard, role="link", destructive=True)
        self.remove = button(self.tr("&Remove"), self._remove, role="danger")
        self._guess_soon = later(self, GUESS_MS, lambda: self.do("guess", self._guess(), replace=True))
        self._lay_out()
        self.table.chosen_changed.connect(self._chosen)
        self.form.edited.connect(self._edited)
        self.form.reveal_requested.connect(lambda field: self.do("reveal", self._reveal(field), replace=True))

    def activate(self, what: object = None) -> None:
        """`what`: "test" (the first one, ready to be tried), "add", a name, or a check such as "destination chat"."""
        super().activate(what)
        self.do("answer", self._last_answer(), replace=True)
        if what == "test":
            if not self.table.key and self.table.rows.rows:
                self.table.choose(0)
            self.test.setFocus()
        elif what == "add":
            self.open_new()
        elif isinstance(what, str) and what:
            self.show_destination(what.removeprefix("destination ").strip())

    @property
    def unsaved(self) -> tuple[str, ...]:
        return tuple(sorted(name or self.tr("a new destination") for name in self._drafts.names))

    def show_destination(self, name: str) -> None:
        if not self.table.choose_key(name):
            self._wanted = name

    def refresh(self, snapshot: Snapshot) -> None:
        before = self.table.key
        self.table.rows.show_rows(snapshot.destinations)
        is_new = self._shown == ""
        self._stack.setCurrentIndex(0 if self.table.rows.rows or is_new else 1)
        self.add.setVisible(bool(snapshot.destinations))
        if self._wanted and self.table.choose_key(self._wanted):
            self._wanted = ""
        elif not is_new:
            if before and self.table.rows.place(before) < 0:
                self._leave_form()
            self.table.choose_near()
        self._show_state()
        self.do("list", self._read())

    def happened(self, batch: list[events.EngineEvent]) -> None:
        if self.isVisible() and any(
            isinstance(event, events.DeliveryChanged) and event.destination == self._shown for event in batch
        ):
            self.do("answer", self._last_answer(), replace=True)

    async def _read(self) -> None:
        infos = {info.draft.name: info for info in await self.bridge.call(lambda e: e.api.settings.destinations.list())}
        gone = {name: info for name, info in self._infos.items() if name in self._drafts.names}
        self._infos, self._there = {**gone, **infos}, frozenset(infos)
        if self._shown and self._shown in self._infos:
            self._show_form(self._shown)
        elif self._shown is None:
            self._chosen()
        self._state()

    # What is shown

    def _show_form(self, name: str) -> None:
        """What is saved, and what was typed on top of it."""
        info = self._infos[name]
        gone = name not in self._there and not any(map(self.tasks.is_running, _OURS))
        typed = self._typed(name, None if gone else info.draft)
        if typed is None or info.draft != self.form.base or typed != self.form.draft:
            self.form.show_destination(info, typed)
        self._mark()
        self._show_state()

    @property
    def _form_key(self) -> str:
        return self._shown or ""

    def _show_again(self) -> None:
        self._show_form(self._form_key)

    def _save_key(self) -> None:
        self.save.click()

    def open_new(self) -> None:
        """An empty form, or what was typed into it before."""
        self.table.clearSelection()
        self._shown = ""
        self._stack.setCurrentIndex(0)
        self._right.setCurrentIndex(1)
        self.heading_of.say(self.tr("A new destination"))
        self._theirs, self._gone = None, False
        self.form.show_destination(None, self._drafts.get(""))
        self._mark()
        self.result.hide()
        self._show_state()
        self._state()
        self.form.title.setFocus()

    def _chosen(self) -> None:
        name = self.table.key
        if not name:
            return
        info = self._infos.get(name)
        if name == self._shown and info is not None:
            return
        self._shown = name if info is not None else None
        self.heading_of.say(name)
        self.result.hide()
        self._show_state()
        self._right.setCurrentIndex(1 if info is not None else 0)
        if info is not None:
            self._show_form(name)
            self.do("answer", self._last_answer(), replace=True)
        else:
            self.do("list", self._read())
        self._state()

    def _status(self) -> DestinationStatus | None:
        rows = () if self._gone else self.table.rows.rows
        return next((row for row in rows if row.name == self._shown), None)

    def _show_state(self) -> None:
        status = self._status()
        if status is None:
            self.dot.show_state("off", self.tr("removed") if self._gone else self.tr("new"))
            self.state.setText("")
        else:
            tone, word = state_of(status)
            self.dot.show_state(tone, word)
            since = self.tr("since {}").format(ago(status.since)) if status.state != "closed" and tone != "ok" else ""
            parts = [f"{word} {since}".strip() + ".", sentence_of(status)]
            if status.waiting:
                parts.append(self.tr("%n deliveries wait.", "", status.waiting))
            self.state.setText(" ".join(part for part in parts if part))
        self.state.setVisible(bool(self.state.text()))
        held = status is not None and (status.state in {"paused", "open", "half-open"} or status.is_reduced)
        self.resume.setVisible(held)
        unused = status is not None and status.enabled and not status.users
        self.assign.setVisible(unused and bool(self.store.snapshot and self.store.snapshot.streamers))
        self.answer.setHidden(self.answer.isHidden() or status is None)

    async def _last_answer(self) -> None:
        name = self._shown
        if not name:
            return
        found = await self.bridge.call(lambda engine: engine.api.deliveries.list(destination=name, limit=20))
        tried = next((each for each in found if each.attempts and (each.last_status or each.last_error)), None)
        if name != self._shown:
            return
        if tried is not None:
            status = str(tried.last_status) if tried.last_status else ""
            error = translate(tried.last_error or "")
            self.answer.setText(self.tr("Last answer: {}").format(" · ".join(p for p in (status, error) if p)))
        self.answer.setVisible(tried is not None)

    def _edited(self) -> None:
        self._keep(self.form.base, self.form.draft)
        if self.form.draft.url:
            self._guess_soon.start()
        if self.form.headers.typed:
            self.do("headers", self._check_headers(), replace=True)
        else:
            self.form.headers_field.complain(None)

    async def _reveal(self, field: SecretField) -> None:
        """On purpose: the one place where an address or a secret that is stored comes to the screen."""
        name = self._shown
        if name:
            stored = await self.bridge.call(lambda engine: engine.api.settings.secrets.reveal_destination(name))
            if name == self._shown:
                field.show_stored(stored.url if field is self.form.url else stored.secret)

    async def _guess(self) -> None:
        draft = self.form.draft
        try:
            preview = await self.bridge.call(lambda engine: engine.api.settings.preview.render(None, draft))
        except errors.AppError:
            return  # an address half typed: saving or testing says what is wrong
        if self.form.draft == draft:
            self.form.show_guess(preview.format, preview.host)

    async def _check_headers(self) -> None:
        text = self.form.headers.typed
        path = ("destinations", "*", "headers")
        problem = await self.bridge.call(lambda engine: engine.api.settings.form.check_value(path, text))
        self.form.headers_field.complain(translate(problem or ""))
        self._state()

    def _state(self) -> None:
        changed, busy = self.form.is_changed, self._busy
        is_new = self._shown == ""
        ready = bool(self.form.draft.name) and (not is_new or bool(self.form.draft.url))
        held = self._held or bool(self.form.headers_field.problem)
        self.save.setEnabled(changed and ready and not busy and not held)
        self.test.setEnabled(bool(self._shown or self.form.draft.url) and not busy and not self._gone)
        self.discard.setVisible(changed or is_new)
        self.remove.setVisible(not is_new and not self._gone)

    # What is done

    def _discard(self) -> None:
        gone = self._gone
        if gone:
            self.table.setFocus()
        elif self._shown in self._infos:
            self.form.show_destination(self._infos[self._shown])
        self._drop(self._form_key)
        self._shown = None
        if gone and self.store.snapshot is not None:
            self.refresh(self.store.snapshot)
        if self.table.key:
            self._chosen()
        elif self.table.rows.rows:
            self.table.choose(0)
        else:
            self._stack.setCurrentIndex(1)

    def _save_requested(self) -> None:
        self._busy = self.do("save", self._save())
        self._state()

    async def _save(self) -> None:
        typed, draft, base = self._form_key, self.form.draft, self.form.base
        old = "" if self._gone else typed
        try:
            if old and draft.name != old:
                saved = await self.bridge.call(
                    lambda engine: engine.api.settings.rename.destination(old, draft.name), 180.0
                )
                self._shown = self._wanted = old = draft.name
                base = msgspec.structs.replace(base, name=draft.name)
                self._drafts.keep(old, base, draft)
                self._drop(typed)
                typed = old
            saved = await self.bridge.call(lambda engine: engine.api.settings.destinations.save(old, draft, base))
        finally:
            self._busy = False
            self._state()
        self._drop(typed)
        self._shown = None
        self._wanted = draft.name
        await self._done(saved, self.tr("Saved {}.").format(draft.name), typed)
        if not old:
            self._ask_who(draft.name)

    def _ask_who(self, name: str) -> None:
        info = self._infos.get(name)
        ask_who(self, name, info.streamers if info is not None else (), self._done)

    def _test(self) -> None:
        self.result.wait()
        self._busy = self.do("test", self._tested())
        self._state()

    async def _tested(self) -> None:
        draft = self.form.draft if self.form.is_changed or not self._shown else self._shown
        try:
            result = await self.bridge.call(lambda engine: engine.api.settings.preview.test(draft), TEST_SECONDS)
        except errors.AppError:
            self.result.hide()
            raise
        finally:
            self._busy = False
            self._state()
        self.result.show_result(result)

    async def _resume(self, name: str) -> None:
        await self.bridge.call(lambda engine: engine.api.destinations.resume(name))
        self.tell(self.tr("{} is tried again.").format(name))
        self.store.refresh()

    def _remove(self) -> None:
        if self._shown:
            self.do("remove", self._ask_and_remove(self._shown))

    async def _ask_and_remove(self, name: str) -> None:
        use = await self.bridge.call(lambda engine: engine.api.settings.destinations.use(name))
        if not use.waiting:
            await self._removed(name)
            return
        more = self.tr("They would be given up with {}. Undo brings the destination back, not them.").format(name)
        waiting = self.tr("%n deliveries wait for it.", "", use.waiting)
        words = (waiting, more, self.tr("Keep it"), self.tr("Remove it"))
        ask(self, *words, lambda: self.do("remove now", self._removed(name)))

    async def _removed(self, name: str) -> None:
        saved = await self.bridge.call(lambda engine: engine.api.settings.destinations.delete(name))
        self._drop(name)
        self._shown = None
        self.table.setFocus()
        await self._done(saved, self.tr("Removed {}.").format(name), name)

    async def _done(self, saved: Saved, done: str, name: str = "") -> None:
        """`name` is selected, once it was taken back."""
        self._after(saved, done, lambda: self.show_destination(name))
        await self._read()

    def _lay_out(self) -> None:
        right = Card()
        head = row(self.dot, (self.heading_of, 1), self.assign, self.resume, spacing=10)
        right.body.setSpacing(12)
        fill(right.body, head, self.state, self.answer, self.theirs, (self.form, 1), self.result)
        fill(right.body, row(self.save, self.test, None, self.discard, self.remove))
        for hidden in (self.answer, self.result, self.assign, self.resume, self.discard):
            hidden.hide()
        none_chosen = EmptyState("arrow", self.tr("None chosen"), self.tr("Choose a destination at the left."))
        words = self.tr("A destination is a webhook of Discord, Slack or a program of yours that announcements go to.")
        none = EmptyState(
            "arrow", self.tr("There is no destination yet"), words, self.tr("Add destination"), self.open_new
        )
        self._lay_out_list(self.table, self.table.rows, (right,), none_chosen, none, (500, 500))
