"""Whether the wall clock can be believed: what is given up or forgotten by a wrong clock is gone for good."""

from __future__ import annotations

from collections.abc import Callable

from itsjustintv_desktop.engine.core.clock import Clock

JUMP_SECONDS = 300.0
"""Wall and monotonic clock drifting apart by more than this between two looks is a jump (or a sleep)."""
STEADY_SECONDS = 3600.0
"""A clock that jumped is believed again after standing steady for this long, or when Twitch's time confirms it."""
UNCONFIRMED_SECONDS = 86400.0
"""A clock that was never compared with Twitch's is believed after standing steady for this long."""
WRONG_SECONDS = 600.0
"""Further than this from Twitch's time the clock is wrong, however steady."""


class WallClock:
    """Asked now and then. `skew` is Twitch's time minus ours in seconds, 0 while unknown."""

    def __init__(self, clock: Clock, skew: Callable[[], float], measured: Callable[[], int] | None = None) -> None:
        """`measured` counts how often Twitch's time was learnt. Without it the clock is believed at the start.

        A machine may start with a wrong clock, and cannot reach Twitch then: no certificate seems valid.
        """
        self._clock = clock
        self._skew = skew
        self._measured = measured
        self._counted = measured() if measured is not None else 0
        self._offset = clock.now() - clock.monotonic()
        self._steady_since = clock.monotonic()
        self._patience = 0.0 if measured is None else UNCONFIRMED_SECONDS
        self.jump: float | None = None
        """Seconds by which it jumped last, negative for back; None once it is believed again."""

    @property
    def doubtful(self) -> bool:
        """Nothing final shall be done because of an age: the clock jumped lately, or Twitch's differs."""
        self._look()
        return self._patience > 0 or abs(self._skew()) > WRONG_SECONDS

    def _look(self) -> None:
        now = self._clock.monotonic()
        offset = self._clock.now() - now
        moved, self._offset = offset - self._offset, offset
        counted = self._measured() if self._measured is not None else 0
        if abs(moved) > JUMP_SECONDS:
            self.jump = moved
            self._steady_since, self._patience, self._counted = now, STEADY_SECONDS, counted
        elif now - self._steady_since >= self._patience or counted > self._counted:
            self._patience, self.jump = 0.0, None
