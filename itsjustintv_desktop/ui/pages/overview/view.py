"""The start page: the answer, the checks behind it, who is live, and the last days."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout

from itsjustintv_desktop.engine import Level, Report, RunningEngine, Snapshot, errors, events
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.pages.overview.cards import Answer, Days, LiveNow
from itsjustintv_desktop.ui.pages.overview.chain import Chain
from itsjustintv_desktop.ui.status import StreamerRow, state_of
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme.tokens import GAP
from itsjustintv_desktop.ui.widgets.basic import button, every, fill, later
from itsjustintv_desktop.ui.widgets.scroll import Scroll, kept_out

AGAIN_MS = 60_000
"""How often the checks run while the page is open, besides after each event."""
SOON_MS = 250
"""Events within this time cause one check."""
PACE = 4
"""The pause between two checks is at least this many times the duration of the last one."""
LONGEST_MS = 2000
SETTLING_MS = (2_000, 15_000)
"""First and longest delay between checks just after a start, while not everything is known yet."""
NARROW = 880
"""Pixels; a narrower page puts its cards below each other."""
DAYS = 14
DAYS_MS = 500
"""Announcements within this time cause one count of the days."""


class Overview(Page):
    """Answers "will my next stream be announced?", with each link of the chain."""

    name = "overview"

    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self.check_now = button(self.tr("&Check now"), self.check)
        self.send_test = button(self.tr("Send &test"), lambda: self.go.emit("destinations", "test"))
        fill(self.head, self.send_test, self.check_now)
        self.answer, self.chain, self.live_now, self.days = (
            Answer(),
            Chain(),
            LiveNow(Pictures(self.bridge, self)),
            Days(),
        )
        self.chain.fix_requested.connect(lambda page, what: self.go.emit(page, what))
        self._beside = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._beside.setSpacing(GAP)
        fill(self._beside, self.live_now, (self.days, 1))
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._cards.setSpacing(GAP)
        self._cards.setContentsMargins(0, 0, 0, 0)
        fill(self._cards, (self.chain, 8), (self._beside, 5))
        self.scrolls()
        fill(self.body, kept_out(self.answer), (Scroll(self._cards), 1))
        self._days_soon = later(self, DAYS_MS, self._count_days)
        self._looks_soon = later(self, SOON_MS, self._catch_up)
        self._is_stale = self._days_are_stale = False
        """Something happened since the last check."""
        self._checked_at = 0.0
        self._settle_ms = SETTLING_MS[0]
        self._is_settled = True
        self._settling = QTimer(self, singleShot=True)
        self._settling.timeout.connect(self._look_again)
        self._timer = every(self, AGAIN_MS, self._regular)
        self.bridge.lost.connect(self._outdated)
        store.changed.connect(self._compare)
        self._known: tuple[object, ...] = ()

    def activate(self, what: object = None) -> None:
        super().activate(what)
        if time.time() - self._checked_at > AGAIN_MS / 1000:
            self.check()
        elif self._is_stale or self._days_are_stale:
            self._catch_up()
        elif not self._is_settled and not self._settling.isActive():
            self._look_again()  # that was due while another page was in front

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        narrow = self.width() < NARROW
        self._cards.setDirection(down if narrow else across)
        self._beside.setDirection(across if narrow else down)
        self._beside.setStretch(0, 1 if narrow else 0)
        self._beside.setAlignment(self.days, Qt.AlignmentFlag(0) if narrow else Qt.AlignmentFlag.AlignTop)

    def check(self) -> None:
        """Run all checks now."""
        self.check_now.setEnabled(False)
        self.do("check", self._check())
        self._count_days()

    def refresh(self, snapshot: Snapshot) -> None:
        pictures = {view.user_id: view.picture for view in snapshot.streamers if view.picture}
        rows = ((view.user_id, state_of(StreamerRow(view, None))) for view in snapshot.streamers if view.live)
        problems = {channel: word for channel, (tone, word) in rows if tone != "live"}
        self.live_now.show_streams(snapshot.live, pictures, problems, known=snapshot.live_known)
        self.answer.show_snapshot(snapshot)

    def happened(self, batch: list[events.EngineEvent]) -> None:
        self._outdated()
        counted = (events.EventSettled, events.DeliveryChanged, events.DeliveriesChanged)
        if any(isinstance(event, counted) for event in batch):
            self._days_are_stale = True
            if self.isVisible() and not self._days_soon.isActive():
                self._days_soon.start()

    def _compare(self) -> None:
        """Check what changed without an event."""
        snapshot = self.store.snapshot
        if snapshot is not None:
            status = snapshot.status
            known = (snapshot.config, snapshot.secrets, snapshot.paused, snapshot.update, status.level, status.headline)
            before, self._known = self._known, known
            if before and known != before:
                self._outdated()

    def _outdated(self) -> None:
        """What is shown may be outdated: check again at once, or when the page is shown."""
        self._is_stale = True
        if self.isVisible() and not self._looks_soon.isActive():
            self._looks_soon.start()

    def _catch_up(self) -> None:
        if self.isVisible() and self._is_stale:
            self.do("recent", self._check(recent=True))
        if self.isVisible() and self._days_are_stale:
            self._count_days()

    def _count_days(self) -> None:
        if self.do("days", self._read_days()):
            self._days_are_stale = False

    def _regular(self) -> None:
        if self.isVisible():
            self.check()

    def _look_again(self) -> None:
        if self.isVisible():
            self.do("check", self._check())

    def _settle(self, report: Report) -> None:
        """Check again soon while the program is starting."""
        before, self._is_settled = self._is_settled, all(check.level is not Level.STARTING for check in report.checks)
        if self._is_settled or not report.ok:
            self._settling.stop()
            return
        self._settle_ms = SETTLING_MS[0] if before else min(self._settle_ms * 3 // 2, SETTLING_MS[1])
        self._settling.start(self._settle_ms)

    async def _check(self, *, recent: bool = False) -> None:
        """`recent`: reuse Twitch's recent answers."""
        began, self._is_stale = time.monotonic(), False
        try:
            report = await self.bridge.call(_recent if recent else _fresh, timeout=60.0)
        except errors.AppError:
            self._is_stale = True
            raise
        finally:
            if not recent:
                self.check_now.setEnabled(True)
        if recent:
            took = 1000 * (time.monotonic() - began)
            self._looks_soon.setInterval(round(min(max(SOON_MS, PACE * took), LONGEST_MS)))
        else:
            self._checked_at = time.time()
        if self._is_stale:
            self._outdated()
        self._settle(report)
        self.chain.show_report(report)
        snapshot = self.store.snapshot
        if snapshot is not None and report.summary is not None and snapshot.status.headline != report.summary.headline:
            self.store.refresh()  # the checks know something newer

    async def _read_days(self) -> None:
        numbers = await self.bridge.call(lambda engine: engine.api.statistics.days(DAYS))
        self.days.show_days(numbers.days)
        if self._days_are_stale and self.isVisible():
            self._days_soon.start()


async def _fresh(engine: RunningEngine) -> Report:
    return await engine.api.diagnostics.doctor()


async def _recent(engine: RunningEngine) -> Report:
    return await engine.api.diagnostics.doctor(recent=True)
