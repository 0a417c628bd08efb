"""Switching to another transport: chosen, checked, and only then saved; then its start is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import FieldInfo, Remove, Set, Snapshot, errors
from itsjustintv_desktop.engine.core.fingerprints import differs, fits
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.connection.form import TransportForm, Wanted, changes_of, save, title
from itsjustintv_desktop.ui.pages.differences import MASK, Difference, of_keys, sentence_of
from itsjustintv_desktop.ui.pages.settings.controls import name_of
from itsjustintv_desktop.ui.widgets.basic import Card, Dot, button, column, fill, label, row
from itsjustintv_desktop.ui.widgets.scroll import keep_width
from itsjustintv_desktop.ui.widgets.states import CheckList, Theirs, progress_bar

if TYPE_CHECKING:
    from itsjustintv_desktop.engine import SecretView
    from itsjustintv_desktop.ui.bridge import PageTasks

CHECK_SECONDS = 90.0
Values = dict[tuple[str, ...], str | None]
Stands = tuple[Values, dict[str, str]]
"""What the config says, and the fingerprints of the secrets."""


class Switch(QWidget):
    """`closed` when the person is done with it, or gave up."""

    closed = Signal()

    def __init__(self, bridge: Bridge, tasks: PageTasks) -> None:
        super().__init__()
        self._bridge, self._tasks = bridge, tasks
        self._checked: Wanted | None = None
        self._saved: Wanted | None = None
        self._loaded: Wanted | None = None
        """What the form was filled with; None while it is not open."""
        self._snapshot: Snapshot | None = None
        self._base: Stands = ({}, {})
        self._digest: str | None = None
        """Of the file that the form was compared with."""
        """The config when the form was filled, and the current one where it differs."""
        self._now: Stands = ({}, {})
        self._saves = False
        """Saving waits for the choice between the two."""
        self.form = TransportForm(with_credentials=True)
        self.form.changed.connect(self._edited)
        self.checks = CheckList()
        self._hint = label(
            self.tr("Nothing is changed before you have seen whether it would work."), "muted", wrap=True
        )
        self._bar = progress_bar(self.tr("Looking whether it would work"), busy=True)
        self._dot, self._state = Dot(), label("", wrap=True, selectable=True)
        self.check = button(self.tr("&Check"), self._check, role="primary")
        self.save = button(self.tr("&Save and switch"), self._save)
        self.cancel = button(self.tr("&Back"), self._close)
        result = Card(self.tr("Would it work?"))
        for part in (self._hint, self._bar, self.checks):
            result.body.addWidget(part)
        fill(result.body, row(self._dot, self._state), row(self.cancel, None, self.check, self.save))
        self.theirs = Theirs()
        self.theirs.mine_requested.connect(self._insist)
        self.theirs.theirs_requested.connect(self._take_theirs)
        form = Card()
        fill(form.body, self.theirs, self.form)
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setSpacing(16)
        fill(layout, form, result, None)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(inner)
        keep_width(self._scroll, layout)
        column(self._scroll, inside=self)
        self._quiet()

    @property
    def is_changed(self) -> bool:
        """Something was typed or chosen that is not saved."""
        return self._loaded is not None and self.form.wanted() != self._loaded

    def begin(self, snapshot: Snapshot) -> None:
        """Show what is in force."""
        self._snapshot = snapshot
        self._tasks.start("load", self._load(snapshot), replace=True)

    def refresh(self, snapshot: Snapshot) -> None:
        """The current transport changed: after a save, show how the new one starts."""
        self._snapshot = snapshot
        if self._saved is None:
            return
        way = snapshot.way
        is_new = way.kind == self._saved.kind
        tone = {"ready": "ok", "failing": "failed"}.get(way.state, "attention") if is_new else "attention"
        text = (
            f"{title(way.kind)}: {translate(way.message)} {translate(way.fix)}".strip()
            if is_new
            else self.tr("The way before ends.")
        )
        self._dot.show_state(tone, text)  # type: ignore[arg-type]
        self._state.setText(text)
        if is_new and way.state == "ready":
            self.cancel.setText(self.tr("&Done"))

    def go_on(self) -> None:
        """By a key: what was looked at is saved, else it is looked at."""
        if self.isVisible():
            (self.save if self.save.isEnabled() else self.check).click()

    def failed(self) -> None:
        """Something asked for went wrong, and the page says what."""
        self._working(False)

    async def _load(self, snapshot: Snapshot) -> None:
        fields, secrets = await self._ask()
        self.form.load(fields, secrets, snapshot.way.kind, snapshot.way.address)
        self._loaded = self.form.wanted()
        self._base = _stands(fields, secrets)
        self.theirs.hide()
        self._saved = None
        self._edited()

    def look_again(self) -> None:
        """The config is another one."""
        if self._loaded is not None and not any(map(self._tasks.is_running, ("load", "save way"))):
            self._tasks.start("look again", self._look_again(), replace=True)

    async def _look_again(self) -> None:
        if not self.is_changed and self._saved is None:
            self._take_theirs()
        elif self.is_changed:
            self._saves = False
            self.save.setEnabled(await self._is_same() and self._checked is not None)

    async def _ask(self) -> tuple[tuple[FieldInfo, ...], tuple[SecretView, ...]]:
        secrets = await self._bridge.call(lambda engine: engine.api.settings.secrets.list())
        return await self._bridge.call(lambda engine: engine.api.settings.form.fields()), secrets

    async def _is_same(self) -> bool:
        """As when the form was filled. Else a person is asked, and nothing is saved before."""
        document = await self._bridge.call(lambda engine: engine.api.settings.documents.document())
        self._digest = document.digest
        (base, before), (now, after) = self._base, _stands(*await self._ask())
        if now == base and fits(before, after):
            self.theirs.hide()
            return True
        self._now = now, after
        changed = {path for path in (*now, *base) if now.get(path, "") != base.get(path, "")}
        typed = dict(_typed(each) for each in changes_of(self.form.wanted()) if isinstance(each, Set | Remove))
        here = {path: typed.get(path, base.get(path, "")) for path in changed}
        keys = of_keys({path: now.get(path, "") for path in here}, here, name_of)
        names = {name.partition(" ")[0] for name in {*before, *after} if differs(before, after, name)}
        secrets = [Difference(f"{name_of(tuple(name.split('.')))} ({name})", MASK, MASK) for name in sorted(names)]
        self.theirs.show_for(self.tr("The connection"), sentence_of([*keys, *secrets]))
        self._scroll.ensureWidgetVisible(self.theirs)
        return False

    def _edited(self) -> None:
        self._tasks.stop("check way")  # its answer would be about other input
        self._checked = self._saved = None
        self._quiet()

    def _quiet(self) -> None:
        self._working(False)
        self.checks.show_checks(())
        self.checks.hide()
        self._hint.show()
        self._dot.hide()
        self._state.setText("")
        self.save.setEnabled(False)
        self.save.setText(self.tr("&Save and switch"))
        self.cancel.setText(self.tr("&Back"))

    def _working(self, on: bool) -> None:
        self._bar.setVisible(on)
        self.check.setEnabled(not on)

    def _check(self) -> None:
        self._working(True)
        self.save.setEnabled(False)
        self._tasks.start("check way", self._do_check(self.form.wanted()), replace=True)

    async def _do_check(self, wanted: Wanted) -> None:
        checks = await self._bridge.call(
            lambda engine: engine.api.settings.connection_check.check(wanted.draft), timeout=CHECK_SECONDS
        )
        self._working(False)
        self._hint.hide()
        self.checks.show()
        self.checks.show_checks(checks)
        self._checked = wanted
        red = any(check.state == "red" for check in checks)
        self.save.setText(self.tr("&Save it nevertheless") if red else self.tr("&Save and switch"))
        self.save.setEnabled(True)

    def _save(self) -> None:
        if self._checked is not None and self._checked == self.form.wanted():
            self.save.setEnabled(False)
            self._tasks.start("save way", self._do_save(self._checked))

    async def _do_save(self, wanted: Wanted) -> None:
        self._saves = not await self._is_same()
        if self._saves:
            return
        try:
            saved = await save(self._bridge, wanted, self._digest)
        except errors.ConfigChangedError:
            await self._do_save(wanted)  # it was changed after it was compared: once more
            return
        except BaseException:
            self.save.setEnabled(True)
            raise
        self._base = _stands(*await self._ask())
        self.form.forget_secrets()
        self._loaded = self.form.wanted()
        self._saved = wanted
        self._dot.show()
        well = saved.state in {"in_force", "unchanged"}
        sentence = saved.sentence or self.tr("It is saved. The new way comes up.")
        self._dot.show_state("accent" if well else "attention", sentence)
        self._state.setText(sentence)
        if not well:
            self._saved = None

    def _insist(self) -> None:
        """Save the content of the form over the changed file."""
        self._base = self._now
        self.theirs.hide()
        self.save.setEnabled(self._checked is not None)
        if self._saves:
            self._save()

    def _take_theirs(self) -> None:
        if self._snapshot is not None:
            self.form.forget_secrets()
            self.begin(self._snapshot)

    def _close(self) -> None:
        self._tasks.stop("check way")
        self.form.forget_secrets()
        self._loaded = self._saved = None
        self.closed.emit()


def _typed(change: Set | Remove) -> tuple[tuple[str, ...], str]:
    """A key, and what the config would say of it."""
    value = change.value if isinstance(change, Set) else ""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return tuple(change.path), text.lower() if isinstance(value, bool) else text


def _stands(fields: Iterable[FieldInfo], secrets: Iterable[SecretView]) -> Stands:
    """Of all that the form may write."""
    values = {each.path: each.value for each in fields if each.path[0] in {"twitch", "tunnel", "server"}}
    prints = {f"{each.name} {part}": one for each in secrets for part, one in each.fingerprints.items()}
    return values, prints
