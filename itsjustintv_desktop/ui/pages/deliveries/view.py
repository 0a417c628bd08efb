"""The page of deliveries: the list at the left, what is chosen at the right."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox

from itsjustintv_desktop.engine import DeliveryFilter, DestinationStatus, Snapshot, errors, events
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.pages.deliveries.changing import BulkCard, Changing
from itsjustintv_desktop.ui.pages.deliveries.details import Details
from itsjustintv_desktop.ui.pages.deliveries.model import DeliveriesModel
from itsjustintv_desktop.ui.pages.deliveries.table import DeliveriesTable
from itsjustintv_desktop.ui.pages.list_detail import side_by_side
from itsjustintv_desktop.ui.plain import for_menu, readable
from itsjustintv_desktop.ui.status import held_by
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import Card, button, label, row, stacked
from itsjustintv_desktop.ui.widgets.dialog import ask
from itsjustintv_desktop.ui.widgets.field import SearchField, choice
from itsjustintv_desktop.ui.widgets.states import EmptyState, Loading

_SIDE_BY_SIDE = 960
"""A narrower page has the details below the list."""
_S = DeliveryState
_STATES: dict[str, tuple[DeliveryState, ...]] = {
    "all": (), "waiting": (_S.PENDING, _S.SENDING), "delivered": (_S.DELIVERED,), "given up": (_S.DEAD, _S.EXPIRED),
    "dropped": (_S.DROPPED,),
}  # fmt: skip


class DeliveriesView(Page):
    """Lists, filters and steers deliveries."""

    name = "deliveries"

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self.model = DeliveriesModel(self.bridge, self.do, self)
        self.changing = Changing(self, self.model)
        self._make_head()
        self._make_list()
        self._make_side()
        self.splitter = side_by_side(self._list, self._side, (640, 360))
        self.body.addWidget(self.splitter, 1)
        self._wanted_id: int | None = None
        self._about: int | None = None
        self._destinations: dict[str, DestinationStatus] = {}
        self.model.loaded.connect(self._loaded)
        self.model.rowsInserted.connect(self._loaded)
        self.table.picked.connect(self._picked)
        self.bridge.lost.connect(self.model.again)

    def _make_head(self) -> None:
        self.waiting, self.paused = label("", "chip"), label("", "chip")
        self.head.insertWidget(1, self.waiting)
        self.head.insertWidget(2, self.paused)
        name = self.tr("Filter by streamer or destination")
        self.search = SearchField(self.tr("Filter"), name, least=110, widest=220)
        self.search.settled.connect(self.choose)
        self.retry_all = button(self.tr("Retry &all due"), self.changing.retry_all)
        self.head.addWidget(self.retry_all)

    def _make_list(self) -> None:
        self._list = Card(margin=12)
        self.state = choice(
            ("all", self.tr("All states")), ("waiting", self.tr("Waiting")), ("delivered", self.tr("Delivered")),
            ("given up", self.tr("Given up")), ("dropped", self.tr("Dropped")), name=self.tr("State"),
        )  # fmt: skip
        self.destination = choice((None, self.tr("All destinations")), name=self.tr("Destination"))
        self.destination.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.destination.setMinimumContentsLength(14)
        self.pause = button(self.tr("Pause"), self._pause_chosen, role="small")
        self.pause.hide()
        for each in (self.state, self.destination):
            each.currentIndexChanged.connect(self.choose)
        self._list.body.addLayout(row(self.state, self.destination, self.pause, None, self.search))
        self.table = DeliveriesTable(self.model)
        self._loading = Loading(self.tr("Reading the deliveries"))
        self._empty = EmptyState(
            "box",
            self.tr("Nothing was sent yet"),
            self.tr("Each announcement to a destination is listed here, with every attempt."),
            self.tr("Send a test"),
            lambda: self.go.emit("destinations", "test"),
        )
        self._no_match = EmptyState(
            "search", self.tr("Nothing fits"), self.tr("No delivery fits the filter."), self.tr("Show all"),
            self.show_all,
        )  # fmt: skip
        self._failed = EmptyState(
            "alert", self.tr("The list cannot be read"), "", self.tr("Try again"), self.model.reload
        )
        self._stack = stacked(self._loading, self._empty, self._no_match, self._failed, self.table)
        self._list.body.addWidget(self._stack, 1)

    def _make_side(self) -> None:
        self._side = Card(margin=20)
        self._side.setMinimumWidth(300)
        self._side.setMinimumHeight(180)
        self.details, self.many = Details(), BulkCard()
        self._nothing = label(
            self.tr("Choose a delivery to see what was sent and what was answered."), "muted", wrap=True
        )
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._side_stack = stacked(self._nothing, self.details, self.many)
        self._side.body.addWidget(self._side_stack)
        self._side_stack.currentChanged.connect(lambda _: self._place_side())
        self.details.requested.connect(self._requested)
        self.details.due_requested.connect(self._due_requested)
        self.many.requested.connect(self._many_requested)

    # The page

    def activate(self, what: object = None) -> None:
        """`what`: the id of a delivery to look at, or the name of a destination to list."""
        super().activate(what)
        if isinstance(what, int):
            self.show_all()
            self.look_at(what)
            if self.model.is_loaded:
                self._loaded()
        elif isinstance(what, str) and (at := self.destination.findData(what)) >= 0:
            self.destination.setCurrentIndex(at)
        if not self.model.is_loaded:
            self._stack.setCurrentWidget(self._loading)
            self.choose()
        elif self._about is not None:
            self.do("details", self._read(self._about), replace=True)

    def refresh(self, snapshot: Snapshot) -> None:
        self._destinations = {each.name: each for each in snapshot.destinations}
        waits = snapshot.deliveries.of("pending") + snapshot.deliveries.of("sending")
        stopped = sum(each.state == "paused" for each in snapshot.destinations)
        self.waiting.setText(self.tr("%n waiting", "", waits))
        self.waiting.setVisible(waits > 0)
        self.paused.setText(self.tr("%n paused destinations", "", stopped))
        self.paused.setVisible(stopped > 0)
        self.retry_all.setEnabled(waits > 0)
        self.model.hold(held_by(snapshot.destinations))
        self._fill_destinations(list(self._destinations))
        self._show_pause()
        if self.details.details is not None:
            self.details.show_way(self._destinations.get(self.details.details.view.destination))
        self.table.viewport().update()

    def happened(self, batch: list[events.EngineEvent]) -> None:
        self.model.happened(batch)
        told = (events.DeliveryChanged, events.DeliveriesChanged)
        mine = [each for each in batch if isinstance(each, told) and getattr(each, "id", self._about) == self._about]
        if mine and self._about is not None and self.isVisible():
            self.do("details", self._read(self._about), replace=True)

    def show_error(self, error: errors.AppError) -> None:
        if self.model.is_loaded:
            super().show_error(error)
        else:
            self._failed.say(self.tr("The list cannot be read"), translate(error.message))
            self._stack.setCurrentWidget(self._failed)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        side_by_side = self.width() >= _SIDE_BY_SIDE
        self.splitter.setOrientation(Qt.Orientation.Horizontal if side_by_side else Qt.Orientation.Vertical)
        self._place_side()

    def _place_side(self) -> None:
        """Below the list the details take no room while there are none."""
        below = self.splitter.orientation() is Qt.Orientation.Vertical
        self._side.setHidden(below and self._side_stack.currentWidget() is self._nothing)

    # The list

    def choose(self, *_: object) -> None:
        """List what the filter says."""
        self._show_pause()
        self.model.choose(
            DeliveryFilter(
                states=_STATES[self.state.currentData()],
                destination=self.destination.currentData(),
                search=self.search.text().strip(),
            )
        )

    def show_all(self) -> None:
        """No filter at all."""
        self.search.clear()
        self.state.setCurrentIndex(0)
        self.destination.setCurrentIndex(0)
        self.choose()

    def _loaded(self, *_: object) -> None:
        self.banner.hide()
        if self.model.rowCount():
            self._stack.setCurrentWidget(self.table)
        else:
            narrowed = self.model.wanted != DeliveryFilter()
            self._stack.setCurrentWidget(self._no_match if narrowed else self._empty)
        if self._wanted_id is not None and self.table.select_id(self._wanted_id):
            self._wanted_id = None

    def _fill_destinations(self, names: list[str]) -> None:
        if names == [self.destination.itemData(at) for at in range(1, self.destination.count())]:
            return
        chosen = self.destination.currentData()
        self.destination.blockSignals(True)
        while self.destination.count() > 1:
            self.destination.removeItem(1)
        for name in names:
            self.destination.addItem(readable(name), name)
        self.destination.setCurrentIndex(max(self.destination.findData(chosen), 0))
        self.destination.blockSignals(False)
        if self.destination.currentData() != chosen:
            self.choose()

    def _show_pause(self) -> None:
        status = self._destinations.get(self.destination.currentData() or "")
        self.pause.setVisible(status is not None and status.enabled)
        if status is not None:
            words = self.tr("Resume {}") if status.state == "paused" else self.tr("Pause {}")
            self.pause.setText(words.format(for_menu(status.name)))

    def _pause_chosen(self) -> None:
        status = self._destinations.get(self.destination.currentData() or "")
        if status is not None:
            self.changing.pause(status.name, wanted=status.state != "paused")

    # What is chosen

    def look_at(self, delivery_id: int) -> None:
        """Show that one, whether it is in the list or not."""
        self._wanted_id = delivery_id
        self._show_one(delivery_id)

    def _picked(self) -> None:
        count = self.table.selected_count()
        if count > 1:
            self._about = None
            last = self.model.rowCount() - 1
            to_the_end = self.model.canFetchMore() and any(last in part for part in self.table.parts())
            self.many.show_count(count, to_the_end=to_the_end)
            self._side_stack.setCurrentWidget(self.many)
        elif (delivery_id := self.table.only()) is not None:
            self._show_one(delivery_id)

    def _show_one(self, delivery_id: int) -> None:
        if delivery_id != self._about:
            self._about = delivery_id
            self.do("details", self._read(delivery_id), replace=True)
        elif self.details.details is not None:
            self._side_stack.setCurrentWidget(self.details)

    async def _read(self, delivery_id: int) -> None:
        try:
            found = await self.bridge.call(lambda engine: engine.api.delivery_details.of(delivery_id))
        except errors.NotFoundError:
            self._about = None
            self._side_stack.setCurrentWidget(self._nothing)
            raise
        if delivery_id == self._about:
            self.details.show_details(found, self._destinations.get(found.view.destination))
            self._side_stack.setCurrentWidget(self.details)

    def _requested(self, what: str) -> None:
        details = self.details.details
        if details is None:
            return
        view = details.view
        if what == "copied":
            self.tell(self.tr("Request copied, without its secrets"))
        elif what in {"pause", "resume"}:
            self.changing.pause(view.destination, wanted=what == "pause")
        else:
            self.details.busy(True)
            self.changing.one(what, view, after=partial(self.details.busy, False))

    def _due_requested(self, at: float) -> None:
        if self.details.details is not None:
            self.changing.set_due(self.details.details.view, at)

    def _many_requested(self, what: str) -> None:
        if what == "cancel":
            self.changing.cancel()
        elif what == "resend":
            self._ask_first(self.tr("Send %n announcements once more?", "", self.table.selected_count()))
        else:
            self.changing.many(what, self.table.parts(), self.many.show_progress)

    def _ask_first(self, question: str) -> None:
        """What was sent cannot be taken back."""
        send = partial(self.changing.many, "resend", self.table.parts(), self.many.show_progress)
        ask(self, question, "", self.tr("&Cancel"), self.tr("&Send"), send)
