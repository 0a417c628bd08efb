"""The page: four tabs, one document, and a bar that says what is not saved yet."""

from __future__ import annotations

from pathlib import Path as FilePath

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QTabWidget

from itsjustintv_desktop.engine import Document, Saved, Snapshot, errors, events
from itsjustintv_desktop.ui.formatting import clock, translate
from itsjustintv_desktop.ui.pages.base import Page, save_feedback
from itsjustintv_desktop.ui.pages.differences import of_keys
from itsjustintv_desktop.ui.pages.settings.app import AppTab
from itsjustintv_desktop.ui.pages.settings.controls import name_of
from itsjustintv_desktop.ui.pages.settings.document import ConfigDocument, ConflictCard, ImportDialog, SaveBar
from itsjustintv_desktop.ui.pages.settings.form import FormTab
from itsjustintv_desktop.ui.pages.settings.raw import RawTab
from itsjustintv_desktop.ui.pages.settings.secrets import SecretsTab
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import button, fill, later
from itsjustintv_desktop.ui.widgets.dialog import choose_file, open_once, read_file

CHECK_MS = 400
MOST_BYTES = 4 * 1024 * 1024
FORM, RAW, SECRETS, APP = range(4)
_TABS = {"config": RAW, "secrets": SECRETS, "client": SECRETS, "token": SECRETS, "keyring": SECRETS, "app": APP}
Path = tuple[str, ...]


class Settings(Page):
    """`activate` takes the name of a tab or of a check of the doctor."""

    name = "settings"

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self.document = ConfigDocument(self)
        self._typed: dict[Path, str] = {}
        """Typed into the form and not in the text yet."""
        self._values: dict[Path, str] = {}
        """Typed into the form since the text was last as on disk."""
        self._text_edited = False
        self.export = button(self.tr("&Export…"), self._choose_export)
        self.import_ = button(self.tr("&Import…"), self._choose_import)
        fill(self.head, self.export, self.import_)
        self.form, self.raw = FormTab(), RawTab(self.document)
        self.secrets, self.app = SecretsTab(self), AppTab(self)
        self.conflict, self.bar = ConflictCard(), SaveBar()
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName(readable(title))
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for tab, name in (
            (self.form, self.tr("Form")), (self.raw, self.tr("config.toml")), (self.secrets, self.tr("Secrets")),
            (self.app, self.tr("This program")),
        ):  # fmt: skip
            self.tabs.addTab(tab, name)
        for part in (self.conflict, self.tabs, self.bar):
            self.body.addWidget(part, 1 if part is self.tabs else 0)
        self._check_soon = later(self, CHECK_MS, lambda: self.do("check", self._check(), replace=True))
        self._show_bar()
        self._connect()

    def _connect(self) -> None:
        self.document.changed.connect(self._document_changed)
        self.form.typed.connect(self._form_typed)
        self.form.text_requested.connect(self._edit_text)
        self.form.back_requested.connect(lambda: self.do("back", self._go_back()))
        self.form.log_requested.connect(lambda: self.go.emit("log", None))
        self.form.secrets_requested.connect(lambda: self.tabs.setCurrentIndex(SECRETS))
        self.bar.save.clicked.connect(self.save)
        self.bar.discard_requested.connect(self.discard)
        self.raw.edited.connect(self._raw_edited)
        self.conflict.reload_requested.connect(self._reload)
        self.conflict.overwrite_requested.connect(lambda: self.do("save", self._overwrite()))
        self.tabs.currentChanged.connect(self._tab_changed)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self).activated.connect(self.save)

    def activate(self, what: object = None) -> None:
        super().activate(what)
        if isinstance(what, str) and what in _TABS:
            self.tabs.setCurrentIndex(_TABS[what])
        elif isinstance(what, str) and what in {"server", "twitch", "tunnel"}:
            self.tabs.setCurrentIndex(FORM)
            self.form.open_section((what,))
        self.do("read", self._read())
        self.secrets.read()
        self.app.read()

    @property
    def unsaved(self) -> tuple[str, ...]:
        settings = (self.tr("the settings"),) if self.document.is_changed or self._typed else ()
        return (*settings, *self.secrets.unsaved)

    def refresh(self, snapshot: Snapshot) -> None:
        self.secrets.refresh(snapshot)

    def happened(self, batch: list[events.EngineEvent]) -> None:
        if self.document.loaded and any(isinstance(event, events.ConfigChanged) for event in batch):
            self.do("read", self._read())
            self.secrets.read()

    def hideEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Revealed secrets are hidden again."""
        del event
        self.raw.conceal()
        self.secrets.conceal()

    # The document

    async def _make_form(self, text: str) -> None:
        """Created with the values of the file, so that no default is shown in their place first."""
        fields = await self.bridge.call(lambda engine: engine.api.settings.form.fields())
        try:
            self.form.make(fields, await self.bridge.call(lambda engine: engine.api.settings.form.written(text)))
        except errors.AppError as error:
            self.form.make(fields, {})
            await self._show_broken(error)

    async def _read(self) -> None:
        document = await self.bridge.call(lambda engine: engine.api.settings.documents.document())
        if not self.form.is_made:
            await self._make_form(document.text)
        self.raw.where.setText(document.path)
        if self.tasks.is_running("save"):
            return  # that is our own; saving looks again
        if not self.document.loaded or (not self.document.is_changed and document.digest != self.document.digest):
            self.document.take(document)
            self._show_bar()
        elif document.digest != self.document.digest:
            self._differs(document)
        else:
            self._settled()

    def _differs(self, document: Document) -> None:
        """Somebody else changed the file while there is something here that is not saved."""
        if document.text == self.document.text:
            self.document.take(document)
            self._settled()
            return
        self.conflict.show_theirs(document, only_values=self._only_values)
        self.bar.hold(True)
        self.do("compare", self._compare(document.text, self.document.text), replace=True)

    async def _compare(self, in_file: str, here: str) -> None:
        try:
            theirs = await self.bridge.call(lambda engine: engine.api.settings.form.written(in_file))
            mine = await self.bridge.call(lambda engine: engine.api.settings.form.written(here))
        except errors.ConfigError:
            return  # one of them is no TOML: its text says what is wrong
        if self.conflict.theirs is not None and self.conflict.theirs.text == in_file:
            self.conflict.show_differences(of_keys(theirs, mine, name_of))

    @property
    def _only_values(self) -> bool:
        """What is unsaved was typed into the form alone."""
        return bool(self._values) and not self._text_edited

    def _raw_edited(self) -> None:
        self._text_edited = self.document.is_changed
        if self.conflict.theirs is not None:
            self.conflict.show_theirs(self.conflict.theirs, only_values=self._only_values)

    def _document_changed(self) -> None:
        if not self.document.is_changed:
            self._values.clear()
            self._text_edited = False
        self.bar.show_changed(self.document.is_changed)
        self._check_soon.start()

    async def _check(self) -> None:
        text = self.document.text
        checked = await self.bridge.call(lambda engine: engine.api.settings.documents.check(text))
        if text == self.document.text:
            self.raw.show_checked(checked)
            self.bar.show_checked(checked, self.form.problems)
            await self._show_form()

    async def _show_form(self) -> None:
        text = self.document.text
        try:
            written = await self.bridge.call(lambda engine: engine.api.settings.form.written(text))
        except errors.AppError as error:
            await self._show_broken(error)
            return
        if text == self.document.text and not self._typed:
            self.form.show_written(written)

    async def _show_broken(self, error: errors.AppError) -> None:
        good = await self.bridge.call(lambda engine: engine.api.settings.repair.last_good())
        self.form.show_broken(translate(error.message), good.since if good is not None else None)

    def _edit_text(self) -> None:
        self.tabs.setCurrentIndex(RAW)
        self.raw.go_to_problem()

    async def _go_back(self) -> None:
        """Put the last good version in the place of a file that cannot be used."""
        good = await self.bridge.call(lambda engine: engine.api.settings.repair.go_back())
        self.document.take(await self.bridge.call(lambda engine: engine.api.settings.documents.document()))
        self._show_bar()
        words = self.tr("The config of {} is in use again. The other one is kept as config.toml.broken.")
        self.tell(words.format(clock(good.since)))

    def _form_typed(self, path: Path, text: str) -> None:
        self._typed[path] = text
        self.do("typed", self._take_typed())

    async def _take_typed(self) -> None:
        """Bring what was typed into the text, one change after the other."""
        while self._typed:
            path, typed = next(iter(self._typed.items()))
            problem = await self._problem(path, typed)
            self.form.complain(path, translate(problem or ""))
            if problem is None:
                text = self.document.text
                made = await self._with(text, {path: typed})
                if text != self.document.text:
                    continue  # the text changed in the meantime: repeat
                self._values[path] = typed
                self.document.edit(made)
            if self._typed.get(path) == typed:
                del self._typed[path]
        self.bar.show_problems(self.form.problems)

    async def _problem(self, path: Path, typed: str) -> str | None:
        return await self.bridge.call(lambda engine: engine.api.settings.form.check_value(path, typed))

    async def _with(self, text: str, values: dict[Path, str]) -> str:
        return await self.bridge.call(lambda engine: engine.api.settings.form.with_values(text, values))

    def save(self) -> None:
        """Save what both tabs made of it."""
        if self.document.is_changed and self.bar.can_save:
            self.do("save", self._save())

    async def _save(self) -> None:
        text, digest = self.document.text, self.document.digest
        self.bar.hold(True)
        try:
            saved = await self.bridge.call(lambda engine: engine.api.settings.documents.save_text(text, digest))
        except errors.ConfigChangedError:
            self._differs(await self.bridge.call(lambda engine: engine.api.settings.documents.document()))
            return
        finally:
            self.bar.hold(self.conflict.theirs is not None)
        self.document.saved(text, saved.digest)
        self.banner.hide()
        save_feedback(self, saved, self.tr("Saved the settings."))
        self.store.refresh()
        self.secrets.read()

    def discard(self) -> None:
        self._typed.clear()
        self.form.forget_problems()
        self.document.edit(self.document.base)
        self.form.show_written({})
        self._check_soon.start()

    # The file was changed in the meantime

    def _settled(self) -> None:
        self.conflict.done()
        self.bar.hold(False)

    def _reload(self) -> None:
        theirs = self.conflict.theirs
        if theirs is not None:
            self._typed.clear()
            self.form.forget_problems()
            self._settled()
            self.document.take(theirs)

    async def _overwrite(self) -> None:
        """Save the form's values into the file as it is now; a text that was edited replaces it."""
        theirs = self.conflict.theirs
        if theirs is None:
            return
        text = self.document.text
        if self._only_values:
            text = await self._with(theirs.text, dict(self._values))
        self._settled()
        self.document.keep_on_top_of(theirs, text)
        if not self.form.problems:
            await self._save()

    def _show_bar(self) -> None:
        """Hidden until the document was read."""
        self.bar.setVisible(self.document.loaded and self.tabs.currentIndex() in {FORM, RAW})

    def _tab_changed(self, number: int) -> None:
        self.raw.conceal()
        self.secrets.conceal()
        self._show_bar()
        if number == SECRETS:
            self.secrets.read()

    # Elsewhere

    def _choose_export(self) -> None:
        dialog = QFileDialog(self, self.tr("Export without secrets"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.selectFile("itsjustintv.toml")
        dialog.fileSelected.connect(lambda path: self.do("export", self._export(FilePath(path))))
        open_once(dialog)

    async def _export(self, path: FilePath) -> None:
        await self.bridge.call(lambda engine: engine.api.settings.transfer.export_to(path))
        self.tell(self.tr("Exported to {}, without secrets.").format(path.name))

    def _choose_import(self) -> None:
        def taken(path: str) -> None:
            self.do("import", self.import_file(path))

        choose_file(self, self.tr("Import settings"), self.tr("Settings (*.toml)"), taken)

    async def import_file(self, path: str) -> None:
        """Plan it, and ask for the secrets."""
        text = (await read_file(path, MOST_BYTES)).decode("utf-8-sig", "replace")
        plan = await self.bridge.call(lambda engine: engine.api.settings.transfer.plan(text))
        dialog = ImportDialog(self, self.bridge, plan)
        dialog.taken.connect(self._imported)
        open_once(dialog)

    def _imported(self, saved: Saved) -> None:
        save_feedback(self, saved, self.tr("Imported the settings."))
        self.document.loaded = False
        self.do("read", self._read())
        self.secrets.read()
        self.store.refresh()
