"""What all pages show alike: the latest snapshot of the engine, renewed when something happened that changes it."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal

from itsjustintv_desktop.engine import Snapshot, events
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.preferences import Preferences

SOON_MS = 200
"""Events that come together make one question."""
PACE = 4
"""Between two snapshots passes at least so many times as long as the last one took: those of a thousand streamers are
rare while the engine has its hands full."""
LONGEST_MS = 2000
EVERY_MS = 15_000
"""Ages, viewers and the like change without an event."""


class Store(QObject):
    """`changed` after each new snapshot; None before the first. `preferences` are this person's own."""

    changed = Signal()

    def __init__(self, bridge: Bridge, preferences: Preferences, *, demo: bool = False) -> None:
        """`demo`: everything is simulated, and shown as such."""
        super().__init__(bridge)
        self.bridge = bridge
        self.preferences = preferences
        self.demo = demo
        self.snapshot: Snapshot | None = None
        self._tasks = PageTasks(self, lambda _: None)
        self._again = False
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self._regular = QTimer(self, interval=EVERY_MS)
        self._regular.timeout.connect(self.refresh)
        bridge.events.connect(self._happened)
        bridge.lost.connect(self.refresh)
        bridge.state_changed.connect(self._state_changed)

    def refresh(self) -> None:
        """Take a snapshot now."""
        if self.bridge.state == "running" and not self._tasks.start("snapshot", self._take()):
            self._again = True

    def _happened(self, batch: list[events.EngineEvent]) -> None:
        if batch and not self._soon.isActive():
            self._soon.start()

    def _state_changed(self, state: str) -> None:
        if state == "running":
            self.refresh()
            self._regular.start()
        else:
            self._regular.stop()

    async def _take(self) -> None:
        began = time.monotonic()
        self.snapshot = await self.bridge.call(lambda engine: engine.snapshot())
        took = 1000 * (time.monotonic() - began)
        self._soon.setInterval(round(min(max(SOON_MS, PACE * took), LONGEST_MS)))
        self.changed.emit()
        if self._again:
            self._again = False
            self._soon.start()
