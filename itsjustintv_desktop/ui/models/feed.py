"""A bounded window onto the live feed: its newest entries, or older ones a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from itsjustintv_desktop.engine import FeedItem, FeedPage, errors, events
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.bridge import Bridge

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
        """Where older ones go on; None = there are none."""
        self.at_newest = True
        self.follows = True
        """New entries are put in at once; else they are counted."""
        self.show: Show = "all"
        self.search = ""
        self._fresh: set[int] = set()
        self._stale: set[int] = set()
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self._catch_up)

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
        """Note what changed, and read it soon, together with what changes meanwhile."""
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
        """Something was missed: read everything shown anew."""
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
    """A destination was never told."""
    return any(each.state in _FAILED for each in item.deliveries)


async def _items(engine: Any, ids: list[int]) -> dict[int, FeedItem]:
    found = {}
    for event_id in ids:
        try:
            found[event_id] = await engine.api.feed.item(event_id)
        except errors.NotFoundError:
            continue  # it was thrown away meanwhile, and goes with the next page
    return found
