"""3: how Twitch reaches this program."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar

from itsjustintv_desktop.ui.assistant.step import SetupContext, Step
from itsjustintv_desktop.ui.pages.connection.form import TransportForm
from itsjustintv_desktop.ui.pages.connection.saving import save
from itsjustintv_desktop.ui.pages.connection.transport_choice import KINDS, Wanted
from itsjustintv_desktop.ui.widgets.basic import Card
from itsjustintv_desktop.ui.widgets.checklist import CheckList

CHECK_SECONDS = 90.0


class Reach(Step):
    """The conduit is looked at by itself; for the others something has to be typed first."""

    name = "reach"

    def __init__(self, course: SetupContext) -> None:
        super().__init__(
            course,
            self.tr("How Twitch reaches you"),
            self.tr("Stay with the conduit unless you know why not. It can be changed at any time."),
        )
        self.form = TransportForm(with_credentials=False)
        self.checks = CheckList()
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Looking whether it would work"))
        card = Card()
        card.body.addWidget(self.form)
        self.body.addWidget(card)
        self.body.addWidget(self._bar)
        self.body.addWidget(self.checks)
        self.body.addStretch(1)
        self._bar.hide()
        self._checked: Wanted | None = None
        self._red = self._loaded = False
        self.form.changed.connect(self._edited)

    @property
    def next_text(self) -> str:
        if self._checked is None:
            return self.tr("&Check")
        return self.tr("&Use it nevertheless") if self._red else self.tr("&Use this way")

    @property
    def insists(self) -> bool:
        return self._checked is not None and self._red

    def again(self) -> None:
        self._edited()

    @property
    def ready(self) -> bool:
        return self._bar.isHidden()

    def enter(self) -> None:
        self.form.choices[self.form.kind].setFocus()
        self.course.tasks.start("way", self._load())

    async def leave(self) -> bool:
        """The first time it only looks; what was looked at is saved."""
        wanted = self.form.wanted()
        if self._checked != wanted:
            await self._check(wanted)
            return False
        saved = await save(self.bridge, wanted)
        self.form.forget_secrets()
        self._checked = None
        return saved.state not in {"refused", "waiting"}

    async def _load(self) -> None:
        if not self._loaded:
            fields = await self.bridge.call(lambda engine: engine.api.settings.fields())
            kept = await self.bridge.call(lambda engine: engine.api.settings.secrets())
            snapshot = self.course.store.snapshot
            way = snapshot.way if snapshot is not None else None
            kind = way.kind if way is not None and way.kind in KINDS else "conduit"
            self.form.load(fields, kept, kind, way.address if way is not None else "")
            self._loaded = True
        if self.form.kind == "conduit" and self._checked is None:
            await self._check(self.form.wanted())

    async def _check(self, wanted: Wanted) -> None:
        self._bar.show()
        self.changed.emit()
        try:
            checks = await self.bridge.call(lambda engine: engine.api.settings.check_way(wanted.draft), CHECK_SECONDS)
        finally:
            self._bar.hide()
            self.changed.emit()
        if wanted == self.form.wanted():
            self.checks.show_checks(checks)
            self._red = any(check.state == "red" for check in checks)
            self._checked = wanted
            self.changed.emit()

    def _edited(self) -> None:
        self._checked = None
        self.checks.show_checks(())
        self.changed.emit()
