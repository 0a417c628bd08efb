"""Whether what is due is worked on. Ages are counted by the monotonic clock, look by look: no jump makes an alarm."""

from __future__ import annotations

from collections.abc import Callable

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.delivery.destination_queues import TOTAL
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.storage.ledger import Ledger

STUCK_SECONDS = 120.0
"""What nothing holds back, and nobody touched for this long, stands still."""
GRANTED = 60.0
"""Seconds that a POST may take within that; the rest is for what an attempt does beside it."""
LONGEST_LOOK = 30.0
"""Seconds that one look may add to an age: a machine that slept did not stand still."""
SENDING = "@sending"
"""Stands for deliveries that are `sending` in the ledger while no attempt is made; no destination is named so."""


class QueueWatch:
    """`look` every few seconds; `overdue` then says which destinations stand still, `unworked` whether events do."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        *,
        live: Callable[[], ActiveConfig],
        clock: Clock,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        """While `paused`, nothing has to be sent."""
        self._paused = paused
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._live = live
        self._clock = clock
        self._looked = clock.monotonic()
        self._moves: dict[str, int] = {}
        self._ages: dict[str, float] = {}
        self._event: int | None = None
        self._event_age = 0.0

    @property
    def overdue(self) -> dict[str, float]:
        """Destinations (or SENDING) that nothing is sent to though it could be, and for how many seconds so far."""
        limit = self._patience()
        return {name: age for name, age in self._ages.items() if age >= limit}

    @property
    def unworked(self) -> float | None:
        """Seconds for which the oldest unfinished event is the same one, when that is too long."""
        return self._event_age if self._event_age >= STUCK_SECONDS else None

    async def look(self) -> None:
        """Raises LedgerError: nothing is known then, and no age counts on."""
        now = self._clock.monotonic()
        passed, self._looked = min(now - self._looked, LONGEST_LOOK), now
        pulse = await self._ledger.progress()
        free = {name for name, due in pulse.due.items() if due <= self._clock.now() and self._is_free(name)}
        if pulse.sending and not self._dispatcher.under_way:
            free.add(SENDING)
        moves = {name: self._moves_of(name) for name in free}
        self._ages = {
            name: self._ages.get(name, 0.0) + passed if self._moves.get(name) == moves[name] else 0.0 for name in free
        }
        self._moves = moves
        same = pulse.unfinished is not None and pulse.unfinished == self._event
        self._event, self._event_age = pulse.unfinished, self._event_age + passed if same else 0.0

    def forget(self) -> None:
        """The ledger fails, so nothing can be worked on, and that is told elsewhere."""
        self._looked = self._clock.monotonic()
        self._ages, self._moves, self._event, self._event_age = {}, {}, None, 0.0

    def _is_free(self, name: str) -> bool:
        """Whether nothing speaks against sending there. What waits for a removed destination is to be buried."""
        if self._paused():
            return False
        destination = self._live().destinations.get(name)
        if destination is None:
            return True
        now, queue = self._clock.now(), self._dispatcher.queues.queue(name)
        return destination.enabled and queue.held_until <= now and queue.breaker.name(now) in {"closed", "half-open"}

    def _patience(self) -> float:
        """Seconds without a move that are too many: a receiver that hangs may take as long as its config grants it."""
        longest = max((each.timeout for each in self._live().destinations.values()), default=0.0)
        return STUCK_SECONDS + max(0.0, longest - GRANTED)

    def _moves_of(self, name: str) -> int:
        """A number that changes while it gets on: its own attempts, or those of all where it waits for its turn."""
        queues = self._dispatcher.queues
        if name == SENDING:
            return 0
        crowded = queues.in_flight >= TOTAL or (queues.queue(name).failing and queues.failing()[1] <= 0)
        return queues.turns if crowded else queues.queue(name).turns
