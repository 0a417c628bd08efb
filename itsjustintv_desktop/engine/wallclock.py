"""Whether the wall clock can be believed: what is given up or forgotten by a wrong clock is gone for good."""

from __future__ import annotations

from collections.abc import Callable

from itsjustintv_desktop.engine.clock import Clock

JUMP_SECONDS = 300.0
"""Wall and monotonic clock drifting apart by more than this between two looks is a jump (or a sleep)."""
STEADY_SECONDS = 3600.0
"""A clock that jumped is believed again after standing steady for this long."""
WRONG_SECONDS = 600.0
"""Further than this from Twitch's time the clock is wrong, however steady."""


class WallClock:
    """Asked now and then. `skew` is Twitch's time minus ours in seconds, 0 while unknown."""

    def __init__(self, clock: Clock, skew: Callable[[], float]) -> None:
        self._clock = clock
        self._skew = skew
        self._offset = clock.now() - clock.monotonic()
        self._steady_since = float("-inf")

    @property
    def doubtful(self) -> bool:
        """Nothing final shall be done because of an age: the clock jumped lately, or Twitch's differs."""
        now = self._clock.monotonic()
        offset = self._clock.now() - now
        if abs(offset - self._offset) > JUMP_SECONDS:
            self._steady_since = now
        self._offset = offset
        return now - self._steady_since < STEADY_SECONDS or abs(self._skew()) > WRONG_SECONDS
