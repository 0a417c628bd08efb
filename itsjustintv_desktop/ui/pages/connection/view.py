"""How Twitch reaches the program: the current state, what to do if it does not, and the form for another transport."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout

from itsjustintv_desktop.engine import Snapshot, events
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.pages.connection.cards import Guidance, LastMessageCard, Subscriptions, TransportCard
from itsjustintv_desktop.ui.pages.connection.switch import Switch
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme.tokens import GAP
from itsjustintv_desktop.ui.widgets.basic import button, column, fill, stacked
from itsjustintv_desktop.ui.widgets.scroll import Scroll

NARROW = 760
"""Pixels; a narrower page has one column of cards."""
ROUND_SECONDS = 900.0
"""A round for a thousand channels takes minutes."""
DOWNLOAD_SECONDS = 660.0


class Connection(Page):
    """The current transport, subscriptions, last message and guidance; and the form for another transport."""

    name = "connection"
    _downloaded = Signal(int, int)

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self.set_up = button(self.tr("Set-up &assistant"), lambda: self.go.emit("assistant", None))
        self.change = button(self.tr("C&hange the way"), self._change, role="primary")
        self.head.addWidget(self.set_up)
        self.set_up.setHidden(store.demo)
        self.head.addWidget(self.change)
        self.way, self.subscriptions = TransportCard(), Subscriptions()
        self.arriving, self.guidance = LastMessageCard(), Guidance()
        self.switch = Switch(self.bridge, self.tasks)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(GAP)
        fill(self._columns, (column(self.way, self.guidance, None), 3))
        fill(self._columns, (column(self.subscriptions, self.arriving, None), 2))
        self._scroll = Scroll(self._columns)
        self.stack = stacked(self._scroll, self.switch)
        self.scrolls()
        self.body.addWidget(self.stack, 1)
        self.way.again.clicked.connect(lambda: self.do("again", self._again()))
        self.subscriptions.repair.clicked.connect(self._repair)
        self.subscriptions.stop.clicked.connect(lambda: self.tasks.stop("repair"))
        self.guidance.install.clicked.connect(self._install)
        self.guidance.stop.clicked.connect(lambda: self.tasks.stop("install"))
        self.switch.closed.connect(self._changed_way)
        self._downloaded.connect(self.guidance.show_bytes)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self).activated.connect(self.switch.go_on)

    def activate(self, what: object = None) -> None:
        """`what` "change": with the form open."""
        super().activate(what)
        self.do("last", self._read_last())
        if what == "change":
            self._change()

    @property
    def unsaved(self) -> tuple[str, ...]:
        return (self.tr("the connection"),) if self.switch.is_changed else ()

    def refresh(self, snapshot: Snapshot) -> None:
        self.way.show_way(snapshot.way)
        self.subscriptions.show_status(snapshot)
        self.arriving.show_snapshot(snapshot)
        self.guidance.show_snapshot(snapshot)
        self.switch.refresh(snapshot)

    def happened(self, batch: list[events.EngineEvent]) -> None:
        rounds = [event for event in batch if isinstance(event, events.SubscriptionsChanged)]
        if rounds:
            self.subscriptions.show_progress(rounds[-1])
        if any(isinstance(event, events.ConfigChanged) for event in batch):
            self.switch.look_again()
        if self.isVisible() and any(isinstance(event, events.EventSettled) for event in batch):
            self.do("last", self._read_last())

    def show_error(self, error: Any) -> None:
        super().show_error(error)
        self.switch.failed()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        one, two = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._columns.setDirection(one if narrow else two)

    def _change(self) -> None:
        if self.store.snapshot is not None:
            self.change.hide()
            self.switch.begin(self.store.snapshot)
            self.stack.setCurrentWidget(self.switch)
            self.switch.form.choices[self.switch.form.kind].setFocus()

    def _changed_way(self) -> None:
        self.change.show()
        self.stack.setCurrentWidget(self._scroll)
        self.store.refresh()

    async def _again(self) -> None:
        await self.bridge.call(lambda engine: engine.api.connection.trigger())
        self.way.asked()
        self.store.refresh()

    def _repair(self) -> None:
        self.subscriptions.repairing(True)
        self.do("repair", self._do_repair())

    async def _do_repair(self) -> None:
        try:
            report = await self.bridge.call(lambda engine: engine.api.subscriptions.sync(), timeout=ROUND_SECONDS)
        finally:
            self.subscriptions.repairing(False)
        text = self.tr("Subscriptions: {} made, {} taken away, {} were right already.")
        self.tell(text.format(report.created, report.deleted, report.kept))
        self.store.refresh()

    def _install(self) -> None:
        self.guidance.downloading(True)
        self.do("install", self._do_install())

    async def _do_install(self) -> None:
        def progress(done: int, whole: int | None) -> None:
            self._downloaded.emit(done, whole or 0)  # on the engine's thread; Qt brings it here

        try:
            version = await self.bridge.call(
                lambda engine: engine.api.connection.install_ngrok(progress), DOWNLOAD_SECONDS
            )
        finally:
            self.guidance.downloading(False)
        self.tell(self.tr("ngrok {} is installed.").format(version))
        self.store.refresh()

    async def _read_last(self) -> None:
        self.arriving.show_last(await self.bridge.call(lambda engine: engine.api.connection.last_message()))
