"""Notifications of the desktop: who went live, what was given up, trouble, a new version. Silent while on air."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

from itsjustintv_desktop.engine import Level, events
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.arrivals import Arrival, Arrivals
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.preferences import NotificationKind, Preferences
from itsjustintv_desktop.ui.status import detail_of
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import later

Show = Callable[[str, str, Callable[[], object] | None], None]
TOGETHER = 4
"""More of a kind at once become one notification."""
WINDOW_MS = 5000
"""The first few of a kind are shown at once; those that follow within this time are shown together at its end. Each
notification costs the screen up to 10 ms."""

SETTLE_MS = 1500
"""How long a failure must be over before that is reported; one that is back by then was never over."""

E = TypeVar("E")


class Gathering(QObject, Generic[E]):
    """`tell` gets what came, at once while it is little, else at most once a WINDOW_MS."""

    def __init__(self, tell: Callable[[list[E]], None], parent: QObject) -> None:
        super().__init__(parent)
        self._tell_them = tell
        self._waiting: list[E] = []
        self._told = 0
        """In this window."""
        self._window = QTimer(self, singleShot=True, interval=WINDOW_MS)
        self._window.timeout.connect(self._over)

    def add(self, some: list[E]) -> None:
        self._waiting += some
        if not self._window.isActive() or self._told + len(self._waiting) <= TOGETHER:
            self._tell()

    def _over(self) -> None:
        self._told = 0
        self._tell()

    def _tell(self) -> None:
        if self._waiting:
            some, self._waiting = self._waiting, []
            self._told += len(some)
            self._tell_them(some)
            if not self._window.isActive():
                self._window.start()


class Notifier(QObject):
    """`show` puts one up: title, text, and what a click does. `open_page` shows a page of the window."""

    def __init__(self, store: Store, preferences: Preferences, show: Show, open_page: Callable[[str], object]) -> None:
        super().__init__(store)
        self._store, self._preferences = store, preferences
        self._show, self._open_page = show, open_page
        self._failing: dict[str, str] = {}
        """Parts of the engine that fail, and why."""
        self._told: set[str] = set()
        """The reasons among them that were shown in a notification."""
        self._end = later(self, SETTLE_MS, self._tell_end)
        self._live = Gathering(self._tell_live, self)
        self._arrivals = Arrivals(self._live.add, self)
        self._given_up = Gathering(self._tell_given_up, self)
        store.bridge.events.connect(self._happened)
        store.bridge.state_changed.connect(self._state_changed)

    def _happened(self, batch: list[events.EngineEvent]) -> None:
        given_up, notices = [], []
        for event in batch:
            if isinstance(event, events.DeliveryChanged) and event.state is DeliveryState.DEAD:
                given_up.append(event)
            elif isinstance(event, events.Notice):
                notices.append(translate(event.text))
            elif isinstance(event, events.UpdateChanged) and event.is_new:
                title = self.tr("Version {} is there").format(event.version)
                self._tell("update", title, self.tr("Nothing is installed by itself."), "overview")
        self._health([event for event in batch if isinstance(event, events.HealthChanged)])
        self._arrivals.happened(batch)
        self._given_up.add(given_up)
        for text in notices[:TOGETHER]:
            self._tell("trouble", self.tr("Needs attention"), text, "overview")

    def _tell_live(self, live: list[Arrival]) -> None:
        if len(live) > TOGETHER:
            self._tell("live", self.tr("%n channels went live", "", len(live)), "", "feed")
            return
        for each in live:
            self._tell("live", self.tr("{} went live").format(each.event.login), self._where(each), "feed")

    def _where(self, each: Arrival) -> str:
        """How far the announcement came: only what arrived was announced."""
        if not each.event.destinations:
            return self.tr("Written to output.json")
        failed = each.of(DeliveryState.DEAD, DeliveryState.EXPIRED, DeliveryState.DROPPED)
        parts = (
            (self.tr("Announced to {}"), each.of(DeliveryState.DELIVERED)),
            (self.tr("Still on its way to {}"), each.open),
            (self.tr("Not delivered to {}"), failed),
        )
        return "\n".join(words.format(", ".join(names)) for words, names in parts if names)

    def _tell_given_up(self, given_up: list[events.DeliveryChanged]) -> None:
        if len(given_up) > TOGETHER:
            self._tell("given_up", self.tr("%n deliveries were given up", "", len(given_up)), "", "deliveries")
            return
        for event in given_up:
            title = self.tr("{} was not told of {}").format(event.destination, event.streamer)
            self._tell("given_up", title, translate(event.error or ""), "deliveries")

    def _health(self, changes: list[events.HealthChanged]) -> None:
        """Report each failure once, and its end: several parts may fail for one reason (a full disk)."""
        for change in changes:
            if change.status == "failing":
                self._failing.setdefault(change.part, change.reason or change.part)
            elif change.status == "ok":
                self._failing.pop(change.part, None)
        standing = set(self._failing.values())
        for reason in sorted(standing - self._told)[:TOGETHER]:
            if self._tell("trouble", self.tr("Needs attention"), translate(reason), "overview"):
                self._told.add(reason)
        if self._told - standing and not self._end.isActive():
            self._end.start()

    def _tell_end(self) -> None:
        """The snapshot has followed by now: whether anything else is wrong is what it says."""
        standing = set(self._failing.values())
        over = sorted(self._told - standing)
        self._told.difference_update(over)
        more = [translate(reason) for reason in sorted(standing)[:TOGETHER]]
        status = self._store.snapshot.status if self._store.snapshot is not None else None
        if not more and status is not None and any(each.level is Level.FAILING for each in status.problems):
            more = [detail_of(status)]
        title = self.tr("One problem is fixed") if more else self.tr("Working again")
        lines = [self.tr("Still a problem: {}").format(each) for each in more]
        for reason in over:
            text = self.tr("This is over: {}").format(translate(reason))
            self._tell("trouble", title, "\n".join((text, *lines)), "overview")

    def _state_changed(self, state: str) -> None:
        error = self._store.bridge.error
        if state == "failed" and error is not None:
            self._tell("trouble", translate(error.title), translate(error.message), "overview")

    def _tell(self, kind: NotificationKind, title: str, text: str, page: str) -> bool:
        wanted = self._preferences.notify(kind) and not self._is_on_air()
        if wanted:
            self._show(title, text, lambda: self._open_page(page))
        return wanted

    def _is_on_air(self) -> bool:
        own, snapshot = self._preferences.own_login.lower(), self._store.snapshot
        if not own or snapshot is None or not self._preferences.quiet_while_live:
            return False
        return any(stream.login.lower() == own for stream in snapshot.live)
