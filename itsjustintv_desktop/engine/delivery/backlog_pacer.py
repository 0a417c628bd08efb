"""After a sleep, or a stop of hours, much is due at once: each destination gets it in a trickle with jitter.

Due times stay as they are, so that nothing of this has to survive a kill, and it ends by itself: nothing waits longer
for it than LONGEST seconds. The first few go out at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.delivery.destination_queues import FIRST_WIDTH

OVERDUE = 60.0
"""A destination whose first delivery should have been sent this long ago has a backlog."""
BURST = 8
"""Deliveries that go out at once."""
MEAN_PAUSE = 0.2
"""Seconds between two after that, on average; each pause is drawn between 0 and twice as much."""
SHORTEST, LONGEST = 20.0, 40.0
"""Seconds after which a destination is let go. Drawn for each, so that not all are let go at the same moment."""


class _Trickle:
    def __init__(self, now: float, dice: Callable[[], float]) -> None:
        self.left = BURST
        self.next_at = now + 2 * MEAN_PAUSE * dice()
        self.until = now + SHORTEST + (LONGEST - SHORTEST) * dice()


class BacklogPacer:
    """Asked before each claim. Times are monotonic; `dice` gives floats in [0, 1)."""

    def __init__(self, clock: Clock, dice: Callable[[], float]) -> None:
        self._clock = clock
        self._dice = dice
        self._trickles: dict[str, _Trickle] = {}

    @property
    def names(self) -> Collection[str]:
        """Destinations that get a trickle now."""
        return self._trickles.keys()

    def begin(self, due: dict[str, float], now: float) -> list[str]:
        """A gap ended at `now`; `due` says when the first delivery of each destination is. Those with a backlog."""
        late = [name for name, at in due.items() if at < now - OVERDUE]
        mono = self._clock.monotonic()
        for name in late:
            self._trickles[name] = _Trickle(mono, self._dice)
        return late

    def limit(self, slots: dict[str, int]) -> float | None:
        """Lower `slots` to what may go now; seconds until more may, None = nothing is held back."""
        if not self._trickles:
            return None
        now = self._clock.monotonic()
        soonest: float | None = None
        for name, trickle in list(self._trickles.items()):
            if now >= trickle.until:
                del self._trickles[name]
                continue
            while trickle.next_at <= now and trickle.left < BURST:
                trickle.left += 1
                trickle.next_at += 2 * MEAN_PAUSE * self._dice()
            slots[name] = min(slots.get(name, FIRST_WIDTH), trickle.left)
            if not trickle.left:
                wait = trickle.next_at - now
                soonest = wait if soonest is None else min(soonest, wait)
        return soonest

    def sent(self, name: str) -> None:
        """One was taken for an attempt."""
        trickle = self._trickles.get(name)
        if trickle is not None:
            # Whoever was idle for a while has no pauses saved up.
            if trickle.left == BURST:
                trickle.next_at = self._clock.monotonic() + 2 * MEAN_PAUSE * self._dice()
            trickle.left -= 1
