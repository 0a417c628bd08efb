"""The entries of the live feed, a page at a time; and their cards, kept in place while entries come and go above."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Literal

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from itsjustintv_desktop.engine import FeedItem, FeedPage, errors, events
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages.feed.card import FeedCard, Holding
from itsjustintv_desktop.ui.theme.tokens import GAP
from itsjustintv_desktop.ui.widgets.basic import button, every, fill, later, row
from itsjustintv_desktop.ui.widgets.scroll import keep_width

Show = Literal["all", "announced", "suppressed", "failed"]

PAGE = 20
MOST = 40
"""Entries at a time; beyond that those at the other end are let go."""
SOON_MS = 400
_PAGES = 8
"""Most pages read to fill one with what failed."""
_KINDS: dict[Show, tuple[Any, ...]] = {
    "all": (), "announced": ("announced",), "suppressed": ("suppressed", "missed"), "failed": ("announced",),
}  # fmt: skip
_FAILED = frozenset({DeliveryState.DEAD, DeliveryState.EXPIRED})

Start = Callable[[str, Coroutine[Any, Any, Any]], bool]


class FeedWindow(QObject):
    """`changed`: other entries, or the same in another state. `fresh_changed`: so many came that are not shown yet.

    `start` runs a coroutine and shows its errors; see Page.do.
    """

    changed = Signal()
    fresh_changed = Signal(int)

    def __init__(self, bridge: Bridge, start: Callable[..., bool], parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._start = bridge, start
        self.items: list[FeedItem] = []
        """Newest first."""
        self.loaded = False
        self.before: int | None = None
        """Id before which older entries continue; None if there are none."""
        self.at_newest = True
        self.follows = True
        """New entries are put in at once; else they are counted."""
        self.show: Show = "all"
        self.search = ""
        self._fresh: set[int] = set()
        self._stale: set[int] = set()
        self._soon = later(self, SOON_MS, self._catch_up)

    def choose(self, show: Show, search: str) -> None:
        """Show others."""
        if (show, search) != (self.show, self.search):
            self.show, self.search = show, search
            self.reload()

    def reload(self) -> None:
        """From the newest on."""
        self._start("feed", self._reload(), replace=True)

    def older(self) -> None:
        if self.before is not None:
            self._start("feed", self._older())

    def happened(self, batch: Iterable[events.EngineEvent]) -> None:
        """Note what changed, and read all of it soon."""
        shown = {item.event_id for item in self.items}
        for event in batch:
            if isinstance(event, events.EventSettled) and event.event_id not in shown:
                newest = self.items[0].event_id if self.items else 0
                if event.state != "noted" and event.event_id > newest:
                    self._fresh.add(event.event_id)
            elif isinstance(event, events.EventSettled | events.DeliveryChanged) and event.event_id in shown:
                self._stale.add(event.event_id)
            elif isinstance(event, events.DeliveriesChanged):
                self._stale |= shown
        if (self._fresh or self._stale) and not self._soon.isActive():
            self._soon.start()

    def again(self) -> None:
        """Events were missed: read everything shown again."""
        self._stale |= {item.event_id for item in self.items}
        self._fresh.add(-1)
        self._soon.start()

    def _catch_up(self) -> None:
        if not self.loaded:
            return
        if not self._start("feed", self._read_changes()):
            self._soon.start()  # a page is being read: after that

    async def _read_changes(self) -> None:
        stale = [each for each in self._stale if any(item.event_id == each for item in self.items)]
        self._stale.clear()
        if stale:
            await self._update(stale)
        if self._fresh and self.at_newest and self.follows:
            await self._newest()
        self.fresh_changed.emit(len(self._fresh))

    async def _reload(self) -> None:
        self._fresh.clear()
        page = await self._page(None)
        self.items, self.before = list(page.items), page.before
        self.loaded, self.at_newest = True, True
        self.fresh_changed.emit(0)
        self.changed.emit()

    async def _older(self) -> None:
        page = await self._page(self.before)
        known = {item.event_id for item in self.items}
        self.items += [item for item in page.items if item.event_id not in known]
        self.before = page.before
        if len(self.items) > MOST:
            self.items = self.items[-MOST:]
            self.at_newest = False
        self.changed.emit()

    async def _newest(self) -> None:
        self._fresh.clear()
        page = await self._page(None)
        top = self.items[0].event_id if self.items else 0
        new = [item for item in page.items if item.event_id > top]
        if len(new) == len(page.items) and page.before is not None:
            self.items, self.before = new, page.before  # more came than a page holds: what is between is older
        elif new:
            self.items = new + self.items
        if len(self.items) > MOST:
            self.items = self.items[:MOST]
            self.before = self.items[-1].event_id
        self.changed.emit()

    async def _update(self, ids: list[int]) -> None:
        found = await self._bridge.call(lambda engine: _items(engine, ids))
        self.items = [found.get(item.event_id, item) for item in self.items]
        self.changed.emit()

    async def _page(self, before: int | None) -> FeedPage:
        items: list[FeedItem] = []
        for _ in range(_PAGES):
            kinds, search, start = _KINDS[self.show], self.search, before
            page = await self._bridge.call(
                lambda engine: engine.api.feed.page(start, PAGE, kinds=kinds, search=search)  # noqa: B023 - awaited here
            )
            fit = page.items if self.show != "failed" else tuple(item for item in page.items if has_failed(item))
            items += fit
            before = page.before
            if before is None or len(items) >= PAGE or (self.show != "failed" and items):
                break
        return FeedPage(items=tuple(items), before=before)


def has_failed(item: FeedItem) -> bool:
    """Whether a delivery was given up."""
    return any(each.state in _FAILED for each in item.deliveries)


async def _items(engine: Any, ids: list[int]) -> dict[int, FeedItem]:
    found = {}
    for event_id in ids:
        try:
            found[event_id] = await engine.api.feed.item(event_id)
        except errors.NotFoundError:
            continue  # it was removed in the meantime, and goes with the next page
    return found


SLOWLY = 20
"""Seconds after which ages are repainted."""


class Cards(QScrollArea):
    """`reached_top(bool)`: whether the newest entry is in sight."""

    reached_top = Signal(bool)

    def __init__(
        self, pictures: Pictures, prepare: Callable[[FeedCard], None], to_newest: Callable[[], object]
    ) -> None:
        """`prepare` is called once with each card that is made; `to_newest` begins with the newest entries again."""
        super().__init__()
        self._pictures, self._prepare = pictures, prepare
        self._shown: dict[int, FeedCard] = {}
        self._spare: list[FeedCard] = []
        self._making = later(self, 0, self._make_ahead)
        self._held: Holding = {}
        self._at_top = True
        self._seconds = 0
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inner = QWidget()
        self._layout = QVBoxLayout(self._inner)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP)
        self._list = QVBoxLayout()
        self._list.setSpacing(GAP)
        self.back = button(self.tr("Back to the &newest"), to_newest, icon_name="feed")
        self.older = button(self.tr("Show &older"))
        fill(self._layout, row(None, self.back, None), self._list, row(None, self.older, None), None)
        self.setWidget(self._inner)
        keep_width(self, self._layout)
        self.pill = _Pill(self, to_newest)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        pictures.arrived.connect(self._picture_arrived)
        self._tick = every(self, 1000, self._second)

    @property
    def is_at_top(self) -> bool:
        return self.verticalScrollBar().value() <= 4

    def card(self, event_id: int) -> FeedCard | None:
        return self._shown.get(event_id)

    def show_items(self, items: list[FeedItem], *, more: bool, at_newest: bool, to_top: bool = False) -> None:
        """Have exactly these, in this order; what a person looks at stays where it is on the screen."""
        anchor = None if to_top or self.is_at_top else self._anchor({item.event_id for item in items})
        wanted = {item.event_id: item for item in items}
        for event_id in [each for each in self._shown if each not in wanted]:
            card = self._shown.pop(event_id)
            self._list.removeWidget(card)
            card.hide()
            self._spare.append(card)
        for place, item in enumerate(items):
            held = self._shown.get(item.event_id)
            card = held or (self._spare.pop() if self._spare else self._make())
            self._shown[item.event_id] = card
            if self._list.indexOf(card) != place:
                self._list.removeWidget(card)
                self._list.insertWidget(place, card)
            card.show_item(item, self._pictures.get(item.picture), self._held)
            card.show()
        self.older.setVisible(more)
        self.back.setVisible(not at_newest)
        self._keep(anchor, to_top=to_top)
        self._order_focus(items)
        self._making.start()

    def hold(self, held: Holding) -> None:
        """Destinations whose deliveries wait for something else than their time."""
        if held != self._held:
            self._held = held
            for card in self._shown.values():
                if card.item is not None:
                    card.show_item(card.item, self._pictures.get(card.item.picture), held)

    def to_top(self) -> None:
        self.verticalScrollBar().setValue(0)

    def _make(self) -> FeedCard:
        card = FeedCard()
        card.setParent(self._inner)
        card.hide()  # else Qt shows it, wherever it lies, as soon as this list is shown again
        self._prepare(card)
        return card

    def _make_ahead(self) -> None:
        """One a turn: twenty that are made when a thousand channels go live would hold up the screen."""
        if len(self._shown) + len(self._spare) < MOST:
            card = self._make()
            for each in (card, *card.findChildren(QWidget)):
                each.ensurePolished()
            self._spare.append(card)
            self._making.start()

    def _anchor(self, staying: set[int]) -> tuple[FeedCard, int] | None:
        """The first card in sight that stays, and how far below the upper edge it is."""
        value = self.verticalScrollBar().value()
        for event_id, card in sorted(self._shown.items(), reverse=True):
            if event_id in staying and card.geometry().bottom() >= value:
                return card, card.y() - value
        return None

    def _keep(self, anchor: tuple[FeedCard, int] | None, *, to_top: bool) -> None:
        width = self.viewport().width()
        self._layout.invalidate()
        self._inner.resize(width, max(self._layout.totalHeightForWidth(width), self.viewport().height()))
        self._layout.activate()
        if anchor is not None:
            card, offset = anchor
            self.verticalScrollBar().setValue(card.y() - offset)
        elif to_top or self._at_top:
            self.to_top()

    def _order_focus(self, items: list[FeedItem]) -> None:
        """Tab goes down the list, also after cards were put in between."""
        before: QWidget = self.back
        for item in items:
            card = self._shown[item.event_id]
            for each in (card.send_anyway, card.edit_filter, card.channel, card.more):
                QWidget.setTabOrder(before, each)
                before = each
        QWidget.setTabOrder(before, self.older)

    def _scrolled(self) -> None:
        if self.is_at_top is not self._at_top:
            self._at_top = self.is_at_top
            self.reached_top.emit(self._at_top)

    def _picture_arrived(self, sha256: str) -> None:
        for card in self._shown.values():
            if card.item is not None and card.item.picture == sha256:
                card.show_item(card.item, self._pictures.get(sha256), self._held)

    def _second(self) -> None:
        if self.isVisible():
            self._seconds += 1
            for card in self._shown.values():
                card.tick(slow=self._seconds % SLOWLY == 0)


class _Pill(QWidget):
    """The number of new entries, above the list; a click shows them."""

    def __init__(self, parent: QScrollArea, do: Callable[[], object]) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.button = button("", do, role="primary")
        layout.addWidget(self.button)
        parent.installEventFilter(self)
        self.hide()

    def show_count(self, count: int) -> None:
        self.button.setText(self.tr("%n new", "", count))
        self.setVisible(count > 0)
        self._place()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.adjustSize()
        parent = self.parentWidget()
        if parent is not None:
            self.move((parent.width() - self.width()) // 2, 8)
