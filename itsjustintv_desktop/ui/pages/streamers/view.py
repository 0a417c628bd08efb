"""The page: the table at the left, the chosen streamer's settings at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from itsjustintv_desktop.engine import FoundChannel, Saved, Snapshot, StreamerDraft, errors
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages.list_detail import ListDetailPage
from itsjustintv_desktop.ui.pages.streamers.add import AddDialog
from itsjustintv_desktop.ui.pages.streamers.form import BulkCard, StreamerForm
from itsjustintv_desktop.ui.pages.streamers.paste import PasteDialog
from itsjustintv_desktop.ui.pages.streamers.preview import SendTestCard
from itsjustintv_desktop.ui.pages.streamers.table import StreamerTable
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import button, column, fill, later
from itsjustintv_desktop.ui.widgets.chips import half_typed, take_words
from itsjustintv_desktop.ui.widgets.dialog import open_once
from itsjustintv_desktop.ui.widgets.field import SearchField
from itsjustintv_desktop.ui.widgets.states import EmptyState

PREVIEW_MS = 400
_OURS = ("save", "remove")
"""While one of these runs, a missing name is this page's own doing."""


class Streamers(ListDetailPage[StreamerDraft]):
    """Who is watched, and how each is announced."""

    name = "streamers"
    side_by_side_from = 960

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self._there: frozenset[str] = frozenset()
        self._wanted: list[str] = []
        """Keys to select once they appear: just added, renamed or restored."""
        self.pictures = Pictures(self.bridge, self)
        self.filter = SearchField(self.tr("Filter"), self.tr("Filter the streamers"), widest=200)
        self.paste = button(self.tr("&Paste many"), self.open_paste)
        self.add = button(self.tr("A&dd streamer"), self.open_add, role="primary")
        fill(self.head, self.filter, self.paste, self.add)
        self.table = StreamerTable(self.tr("Streamers"), self.pictures)
        self.form = StreamerForm(self.pictures)
        self.trial = SendTestCard(self)
        self.many = BulkCard()
        self._preview_soon = later(self, PREVIEW_MS, lambda: self.do("preview", self._preview(), replace=True))
        self._lay_out()
        self.filter.textChanged.connect(self._filter)
        self.table.chosen_changed.connect(self._chosen)
        self.form.edited.connect(self._edited)
        self.form.save.clicked.connect(self._save_requested)
        self.form.discard_requested.connect(self._discard)
        self.form.test.clicked.connect(lambda: self.trial.send(self.form.shown_key, self.form.name.accessibleName()))
        self.form.duplicate.clicked.connect(lambda: self.do("duplicate", self._duplicate(self.form.shown_key)))
        self.form.remove_requested.connect(self._remove)
        self.form.preview.chosen.connect(lambda _: self._preview_soon.start())
        for switch, on in ((self.many.enable, True), (self.many.disable, False)):
            switch.clicked.connect(lambda _, on=on: self.do("switch", self._switch(self.table.keys, on)))
        self.many.remove_requested.connect(self._remove)
        self.many.save.clicked.connect(lambda: self.do("save many", self._save_many(self.table.keys)))
        self.pictures.arrived.connect(lambda _: self._show_row())
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self).activated.connect(self.filter.setFocus)

    def activate(self, what: object = None) -> None:
        """`what`: "add", a streamer's key, or a check of the doctor that names one ("streamer alice")."""
        super().activate(what)
        if what == "add":
            self.open_add()
        elif isinstance(what, str) and what:
            self.show_streamer(what.removeprefix("streamer ").strip())

    @property
    def unsaved(self) -> tuple[str, ...]:
        names = self._drafts.names | ({self.form.shown_key} if half_typed(self.form) else set())
        more = (self.tr("several streamers"),) if self.many.is_changed or half_typed(self.many) else ()
        return (*sorted(names), *more)

    def show_streamer(self, key: str) -> None:
        """Select one, by key or login, whatever is filtered."""
        views = self.store.snapshot.streamers if self.store.snapshot is not None else ()
        key = next((view.key for view in views if view.login == key and key not in {one.key for one in views}), key)
        self._select([key])

    def _select(self, keys: list[str]) -> None:
        """Those that are not there yet come with a later snapshot."""
        there = all(self.table.all.place(key) >= 0 for key in keys)
        if there and not self.table.choose_keys(keys):
            self.filter.clear()
            self.table.choose_keys(keys)
        self._wanted = [] if there else keys

    def refresh(self, snapshot: Snapshot) -> None:
        self._there = keys = frozenset(view.key for view in snapshot.streamers)
        if self.form.shown_key not in keys:
            take_words(self.form)  # what is half typed is not lost with its row
        before = self.table.keys
        self.table.all.show(snapshot)
        self._stack.setCurrentIndex(0 if self.table.all.rows else 1)
        for part in (self.filter, self.paste, self.add):  # without streamers the empty state offers them
            part.setVisible(bool(snapshot.streamers))
        if self._wanted:
            self._select(self._wanted)
        elif any(self.table.all.place(key) < 0 for key in before):
            self._leave_form()
        self.table.choose_near()
        self._show_row()
        self.many.keep_only(keys)
        self._show_many()
        self._mark()
        if self.form.shown_key in keys | self._drafts.names:
            self.do("draft", self._read(self.form.shown_key))

    # What is shown

    def _filter(self, text: str) -> None:
        self.table.shown.look_for(text)
        if not self.table.chosen() and self.table.shown.rowCount():
            self.table.choose(0)

    def _chosen(self) -> None:
        keys = self.table.keys
        self._right.setCurrentIndex(min(len(keys), 2))
        if len(keys) == 1 and keys[0] != self.form.shown_key:
            self.trial.hide()
            self.do("draft", self._read(keys[0]), replace=True)
            if keys[0] in self._there:
                self.do("tags", self._suggest(keys[0]), replace=True)
        elif len(keys) == 1:
            self._show_row()  # back at once: another one's name may be above its form
        self._show_many()

    def _show_many(self) -> None:
        views = [self.table.row(number).view for number in self.table.chosen()]
        if len(views) > 1:
            self.many.show_streamers(views, self._destinations())

    def _show_row(self) -> None:
        chosen = self.table.chosen()
        if len(chosen) == 1 and self.store.snapshot is not None:
            names = tuple(each.name for each in self.store.snapshot.destinations)
            self.form.show_row(self.table.row(chosen[0]), names)

    async def _read(self, key: str) -> None:
        gone, base = key not in self._there, self._drafts.base(key)
        if gone and any(map(self.tasks.is_running, _OURS)):
            return
        if not gone:
            base = await self.bridge.call(lambda engine: engine.api.settings.streamers.draft(key))
        if base is None or self.table.keys != [key]:
            return
        is_new = self.form.shown_key != key
        unsaved = self._typed(key, None if gone else base)
        self._show_row()
        self.form.show_draft(base, unsaved)
        self._mark()
        if is_new or unsaved is None:
            self._preview_soon.start()

    async def _suggest(self, key: str) -> None:
        self.form.suggest(())
        tags = await self.bridge.call(lambda engine: engine.api.settings.streamers.suggest_tags(key))
        if self.form.shown_key == key or self.table.keys == [key]:
            self.form.suggest(tags)

    async def _preview(self) -> None:
        draft, name = self.form.draft, self.form.preview.which.currentText()
        if not name:
            return
        try:
            preview = await self.bridge.call(lambda engine: engine.api.settings.preview.render(draft, name))
        except errors.AppError as error:
            self.form.preview.show_error(error)
            return
        self.form.preview.show_preview(preview)

    # What is done

    def _edited(self) -> None:
        self._keep(self.form.base, self.form.draft)
        self._preview_soon.start()

    @property
    def _form_key(self) -> str:
        return self.form.shown_key

    def _show_again(self) -> None:
        self.do("draft", self._read(self.form.shown_key), replace=True)

    def _discard(self) -> None:
        gone = self._gone
        if gone:
            self.table.setFocus()
        self._drop(self.form.shown_key)
        if not gone:
            self._show_again()
        elif self.store.snapshot is not None:
            self.refresh(self.store.snapshot)

    def _save_requested(self) -> None:
        self.do("save", self._save())

    def _save_key(self) -> None:
        shown = self.many if len(self.table.keys) > 1 else self.form
        take_words(shown)
        shown.save.click()

    def _state(self) -> None:
        self.form.hold(self._held, gone=self._gone)

    async def _save(self) -> None:
        key, draft, base = self.form.shown_key, self.form.draft, self.form.base
        old = "" if self._gone else key
        self.form.busy(True)
        try:
            saved = await self.bridge.call(lambda engine: engine.api.settings.streamers.update(old, draft, base))
        finally:
            self.form.busy(False)
        self._drop(key)
        if self.form.shown_key == key:
            self.form.show_draft(draft)
        if draft.key != key:
            self._wanted = [draft.key]
        self._done(saved, self.tr("Saved {}.").format(draft.key), [key])

    async def _save_many(self, keys: list[str]) -> None:
        added, removed = self.many.added, self.many.removed
        saved = await self.bridge.call(lambda engine: engine.api.settings.streamers.change_many(keys, added, removed))
        self.many.forget()
        self._done(saved, self.tr("Saved %n streamers.", "", len(keys)), keys)

    def _remove(self) -> None:
        keys = self.table.keys
        if keys:
            self.do("remove", self._removed(keys))

    async def _removed(self, keys: list[str]) -> None:
        saved = await self.bridge.call(lambda engine: engine.api.settings.streamers.remove(keys))
        for key in keys:
            self._drop(key)
        what = keys[0] if len(keys) == 1 else self.tr("%n streamers", "", len(keys))
        self.table.setFocus()
        self._done(saved, self.tr("Removed {}.").format(what), keys)

    async def _switch(self, keys: list[str], enabled: bool) -> None:
        saved = await self.bridge.call(lambda engine: engine.api.settings.streamers.set_enabled(keys, enabled))
        said = self.tr("Switched on %n streamers.", "", len(keys)) if enabled else ""
        self._done(saved, said or self.tr("Switched off %n streamers.", "", len(keys)), keys)

    def open_add(self) -> None:
        """Ask for one more channel."""
        self._open_dialog(None)

    async def _duplicate(self, key: str) -> None:
        self._open_dialog(await self.bridge.call(lambda engine: engine.api.settings.streamers.duplicate(key)))

    def _open_dialog(self, model: StreamerDraft | None) -> None:
        dialog = AddDialog(self, self.bridge, self.pictures, self._destinations(), model)
        dialog.added.connect(self._added)
        open_once(dialog)

    def open_paste(self) -> None:
        """Ask for many."""
        dialog = PasteDialog(self, self.bridge, self._destinations())
        dialog.added.connect(lambda saved, n: self._done(saved, self.tr("Added %n streamers.", "", n)))
        open_once(dialog)

    def _added(self, channel: FoundChannel, saved: Saved) -> None:
        self._wanted = [channel.login]
        self._done(saved, self.tr("Added {}.").format(channel.display_name or channel.login))

    def _destinations(self) -> tuple[str, ...]:
        snapshot = self.store.snapshot
        return tuple(each.name for each in snapshot.destinations) if snapshot is not None else ()

    def _done(self, saved: Saved, done: str, keys: Sequence[str] = ()) -> None:
        self._after(saved, done, lambda: self._select(list(keys)))

    def _lay_out(self) -> None:
        single = QWidget()
        column(self.theirs, (self.form, 1), self.trial, inside=single)
        self._empty = EmptyState(
            "people",
            self.tr("No streamer is watched yet"),
            self.tr("Add the channels whose streams should be announced: one by name, or many from a list."),
            self.tr("Add streamer"),
            self.open_add,
        )
        self.paste_first = button(self.tr("Paste many"), self.open_paste, role="link")
        self._empty.layout().insertWidget(5, self.paste_first, alignment=Qt.AlignmentFlag.AlignCenter)  # type: ignore[union-attr]
        nobody = EmptyState("people", self.tr("Nobody chosen"), self.tr("Choose a streamer at the left."))
        self._lay_out_list(self.table, self.table.all, (single, self.many), nobody, self._empty, (610, 380))
