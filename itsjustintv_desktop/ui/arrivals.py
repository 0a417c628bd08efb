"""Which channels went live, reported once it is known where their announcements arrived."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer

from itsjustintv_desktop.engine import events
from itsjustintv_desktop.engine.core.models import DeliveryState

WAIT_SECONDS = 8.0
"""How long to wait for a first response from each destination before reporting the current state."""
LOOK_MS = 500
_MOST = 2_000
"""Events whose outcomes are kept; further ones are reported when the time is over."""


class Arrival(NamedTuple):
    """An event, and how the delivery to each of its destinations stood after its last attempt."""

    event: events.EventSettled
    outcomes: dict[str, DeliveryState]

    def of(self, *states: DeliveryState) -> list[str]:
        """Destinations of these states."""
        return [name for name in self.event.destinations if self.outcomes.get(name) in states]

    @property
    def open(self) -> list[str]:
        """Destinations that may still get it."""
        waiting = (None, DeliveryState.PENDING, DeliveryState.SENDING)
        return [name for name in self.event.destinations if self.outcomes.get(name) in waiting]


class Arrivals(QObject):
    """`tell` gets events as each of their destinations has answered, or the time is over."""

    def __init__(self, tell: Callable[[list[Arrival]], None], parent: QObject) -> None:
        super().__init__(parent)
        self._tell = tell
        self._outcomes: OrderedDict[int, dict[str, DeliveryState]] = OrderedDict()
        self._held: dict[int, tuple[events.EventSettled, float]] = {}
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self._release)

    def happened(self, batch: list[events.EngineEvent]) -> None:
        until = time.monotonic() + WAIT_SECONDS
        for event in batch:
            if isinstance(event, events.DeliveryChanged):
                self._outcomes.setdefault(event.event_id, {})[event.destination] = event.state
                self._outcomes.move_to_end(event.event_id)
                while len(self._outcomes) > _MOST:
                    self._outcomes.popitem(last=False)
            elif isinstance(event, events.EventSettled) and event.state == "announced" and not event.test:
                self._held[event.event_id] = (event, until)
        self._release()

    def _release(self) -> None:
        now = time.monotonic()
        ready = []
        for event, until in list(self._held.values()):
            outcomes = self._outcomes.get(event.event_id, {})
            if now >= until or all(name in outcomes for name in event.destinations):
                del self._held[event.event_id]
                self._outcomes.pop(event.event_id, None)
                ready.append(Arrival(event, outcomes))
        if self._held and not self._look.isActive():
            self._look.start()
        elif not self._held:
            self._look.stop()
        if ready:
            self._tell(ready)
