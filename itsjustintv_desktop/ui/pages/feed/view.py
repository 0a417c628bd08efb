"""The live feed: as cards, or as the entries of output.json."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from itsjustintv_desktop.engine import FeedDelivery, FeedItem, Snapshot, errors, events
from itsjustintv_desktop.engine.core.models import FINAL_STATES, DeliveryState
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.pages.feed.card import FeedCard
from itsjustintv_desktop.ui.pages.feed.cards import Cards, FeedWindow, Show
from itsjustintv_desktop.ui.plain import for_menu, open_address
from itsjustintv_desktop.ui.status import held_by
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import Card, button, fill, label, row, stacked
from itsjustintv_desktop.ui.widgets.field import SearchField, choice, text_box
from itsjustintv_desktop.ui.widgets.scroll import kept_out
from itsjustintv_desktop.ui.widgets.states import EmptyState, Loading


class Raw(Card):
    """Read only."""

    def __init__(self) -> None:
        super().__init__()
        self._sum = label("", "muted")
        self.copy = button(self.tr("&Copy all"), self._copy, icon_name="copy")
        self.text = text_box(self.tr("Entries of output.json"))
        fill(self.body, row(label(self.tr("Entries of output.json"), "heading"), self._sum, None, self.copy))
        fill(self.body, (self.text, 1))

    def show_entries(self, entries: list[str]) -> None:
        """Newest first; each is JSON with two spaces a level."""
        inner = ",\n".join("  " + entry.rstrip().replace("\n", "\n  ") for entry in entries)
        self._sum.setText(self.tr("%n entries, pictures shortened", "", len(entries)))
        self.text.setPlainText(f"[\n{inner}\n]" if entries else "[]")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())


_WAITING = frozenset({DeliveryState.PENDING, DeliveryState.DEAD, DeliveryState.EXPIRED, DeliveryState.DROPPED})


class FeedView(Page):
    """Shows the newest entries, and older ones on demand."""

    name = "feed"

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self._make_head()
        self.entries = FeedWindow(self.bridge, self.do, self)
        self.cards = Cards(Pictures(self.bridge, self), self._prepare, self._to_newest)
        self.raw = Raw()
        self._loading = Loading(self.tr("Reading the feed"))
        self._empty = EmptyState(
            "feed",
            self.tr("Nothing happened yet"),
            self.tr("As soon as somebody you watch goes live, it is shown here, announced or not."),
            self.tr("Add a streamer"),
            lambda: self.go.emit("streamers", "add"),
        )
        self._no_match = EmptyState(
            "search",
            self.tr("Nothing fits"),
            self.tr("No entry fits your search and filter."),
            self.tr("Show all"),
            self._show_all,
        )
        self._failed = EmptyState(
            "alert", self.tr("The feed cannot be read"), "", self.tr("Try again"), self.entries.reload
        )
        self._raw_in_place = kept_out(self.raw)
        self._stack = stacked(self._loading, self._empty, self._no_match, self._failed, self.cards, self._raw_in_place)
        self.scrolls()
        self.body.addWidget(self._stack, 1)
        self.entries.changed.connect(self._show)
        self.entries.fresh_changed.connect(self.cards.pill.show_count)
        self.cards.older.clicked.connect(self.entries.older)
        self.cards.reached_top.connect(self._reached_top)
        self.bridge.lost.connect(self.entries.again)
        self._to_top = False

    def _make_head(self) -> None:
        self.search = SearchField(self.tr("Search"), self.tr("Search for a name or a title"), least=110, widest=220)
        self.search.settled.connect(self._choose)
        self.filter = choice(
            ("all", self.tr("All")), ("announced", self.tr("Announced")),
            ("suppressed", self.tr("Not announced")), ("failed", self.tr("Failed")),
            name=self.tr("Which entries are shown"),
        )  # fmt: skip
        self.filter.currentIndexChanged.connect(self._choose)
        self.raw_button = button(self.tr("&Raw JSON"), self._toggle_raw)
        self.raw_button.setCheckable(True)
        fill(self.head, self.search, self.filter, self.raw_button)

    # The page

    def activate(self, what: object = None) -> None:
        super().activate(what)
        if not self.entries.loaded:
            self._stack.setCurrentWidget(self._loading)
            self.entries.reload()

    def refresh(self, snapshot: Snapshot) -> None:
        self.cards.hold(held_by(snapshot.destinations))

    def happened(self, batch: list[events.EngineEvent]) -> None:
        if self.entries.loaded:
            self.entries.happened(batch)

    def show_error(self, error: errors.AppError) -> None:
        if self.entries.loaded:
            super().show_error(error)
        else:
            self._failed.say(self.tr("The feed cannot be read"), error.message)
            self._stack.setCurrentWidget(self._failed)

    def _show(self) -> None:
        items = self.entries.items
        self.banner.hide()
        if self.raw_button.isChecked():
            self.do("raw", self._read_raw(), replace=True)
            return
        more = self.entries.before is not None
        if not items and not more:
            narrowed = bool(self.search.text().strip()) or self.filter.currentIndex() > 0
            self._stack.setCurrentWidget(self._no_match if narrowed else self._empty)
            return
        self._stack.setCurrentWidget(self.cards)
        self.cards.show_items(items, more=more, at_newest=self.entries.at_newest, to_top=self._to_top)
        self.cards.older.setEnabled(True)
        self._to_top = False

    def _reached_top(self, at_top: bool) -> None:
        self.entries.follows = at_top
        if at_top:
            self.entries.happened(())  # inserts the entries that were only counted so far

    def _to_newest(self) -> None:
        self._to_top = True
        self.entries.follows = True
        self.entries.reload()

    def _choose(self, *_: object) -> None:
        self._to_top = True
        self.entries.choose(cast("Show", self.filter.currentData()), self.search.text().strip())

    def _show_all(self) -> None:
        self.search.clear()
        self.filter.setCurrentIndex(0)
        self._choose()

    def _toggle_raw(self) -> None:
        if self.raw_button.isChecked():
            self._stack.setCurrentWidget(self._loading)
        self._show()

    async def _read_raw(self) -> None:
        ids = [item.event_id for item in self.entries.items if item.kind == "announced"]
        entries = await self.bridge.call(lambda engine: _payloads(engine, ids))
        if self.raw_button.isChecked():
            self.raw.show_entries(entries)
            self._stack.setCurrentWidget(self._raw_in_place)

    # One entry

    def _prepare(self, card: FeedCard) -> None:
        card.requested.connect(partial(self._requested, card))
        card.delivery_requested.connect(lambda delivery: self.go.emit("deliveries", delivery))
        card.fill_menu = partial(self._fill_menu, card)

    def _requested(self, card: FeedCard, what: str) -> None:
        item = card.item
        if item is None:
            return
        if what == "send_anyway":
            if self.do(f"send {item.event_id}", self._send_anyway(item)):
                card.busy(True)
        elif what == "edit_filter":
            self.go.emit("streamers", item.streamer)
        elif what == "channel":
            open_address(item.url)

    def _fill_menu(self, card: FeedCard, menu: QMenu) -> None:
        item = card.item
        if item is None:
            return
        if item.url:
            menu.addAction(self.tr("&Open the channel")).triggered.connect(lambda: self._requested(card, "channel"))
        if item.can_send_anyway:
            action = menu.addAction(self.tr("&Send anyway"))
            action.triggered.connect(lambda: self._requested(card, "send_anyway"))
        if item.kind == "announced":
            action = menu.addAction(self.tr("&Copy payload"))
            action.triggered.connect(lambda: self.do("copy", self._copy(item.event_id)))
        for each in {each.destination: each for each in item.deliveries}.values():
            menu.addSeparator()
            self._fill_destination(menu, each)

    def _fill_destination(self, menu: QMenu, each: FeedDelivery) -> None:
        """Each line names it: a heading would be drawn by some styles only, and not be heard."""
        name = each.destination
        if each.state in _WAITING:
            action = menu.addAction(for_menu(self.tr("Try {} now").format(name)))
            action.triggered.connect(lambda: self.do("retry", self._again("retry", each)))
        if each.state in FINAL_STATES:
            action = menu.addAction(for_menu(self.tr("Send again to {}").format(name)))
            action.triggered.connect(lambda: self.do("resend", self._again("resend", each)))
        action = menu.addAction(for_menu(self.tr("Look at the delivery to {}").format(name)))
        action.triggered.connect(lambda: self.go.emit("deliveries", each.id))

    async def _send_anyway(self, item: FeedItem) -> None:
        try:
            names = await self.bridge.call(lambda engine: engine.api.announcements.send_anyway(item.event_id))
        finally:
            card = self.cards.card(item.event_id)
            if card is not None:
                card.busy(False)
        to = ", ".join(names) or "output.json"
        self.tell(self.tr("The announcement of {} is on its way to {}").format(item.name or item.login, to))

    async def _copy(self, event_id: int) -> None:
        text = await self.bridge.call(lambda engine: engine.api.feed.payload(event_id))
        QGuiApplication.clipboard().setText(text)
        self.tell(self.tr("Payload copied, with the picture's data shortened"))

    async def _again(self, what: str, each: FeedDelivery) -> None:
        await self.bridge.call(lambda engine: getattr(engine.api.deliveries, what)(each.id))
        text = self.tr("{} is tried now") if what == "retry" else self.tr("Sent to {} once more")
        self.tell(text.format(each.destination))


async def _payloads(engine: Any, ids: list[int]) -> list[str]:
    found = []
    for event_id in ids:
        try:
            found.append(await engine.api.feed.payload(event_id))
        except errors.NotFoundError:
            continue  # it was removed in the meantime
    return found
