"""Whether the wall clock can be believed: what is given up or forgotten by a wrong clock is gone for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.phrases import span
from itsjustintv_desktop.engine.core.status import Level, Status

JUMP_SECONDS = 300.0
"""Wall and monotonic clock drifting apart by more than this between two looks is a jump (or a sleep)."""
STEADY_SECONDS = 3600.0
"""A clock that jumped is believed again after standing steady for this long, or when Twitch's time confirms it."""
UNCONFIRMED_SECONDS = 86400.0
"""A clock that was never compared with Twitch's is believed after standing steady for this long."""
WRONG_SECONDS = 600.0
"""Further than this from Twitch's time the clock is wrong, however steady."""
REMEMBERED = 3600.0
"""Seconds for which health and doctor speak of what happened to the clock."""

_DOUBT = (
    "Until Twitch's time confirms it, or it has stood steady for an hour, nothing is given up or forgotten because of "
    "its age."
)

_log = structlog.get_logger(__name__)


class Skew(Protocol):
    """Twitch's time minus ours."""

    measured: int
    """How often Twitch's time was learnt."""

    @property
    def seconds(self) -> float:
        """0 while unknown."""
        ...

    def describe(self) -> str | None:
        """A sentence when the clock is noticeably wrong."""
        ...


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


class ClockTrust:
    """`notice` is called with a sentence when the clock jumped or the machine slept for minutes."""

    def __init__(self, clock: Clock, skew: Skew, notice: Callable[[str], None]) -> None:
        self._clock = clock
        self._skew = skew
        self._notice = notice
        self._wall = WallClock(clock, lambda: skew.seconds, lambda: skew.measured)
        self._last: tuple[str, float, float] | None = None

    def doubtful(self) -> bool:
        """Nothing final shall be done because of an age."""
        return self._wall.doubtful

    def woke(self, gap: float) -> None:
        """The wall clock went on by `gap` seconds more than expected, or was set back; 0 = the system says it woke."""
        self._wall.doubtful  # noqa: B018 - it looks
        _log.info("the machine slept, or its clock was set; everything is looked at again", seconds=round(gap))
        if abs(gap) >= JUMP_SECONDS:
            text = _sentence(gap)
            self._last = (text, self._clock.now(), self._clock.monotonic())
            self._notice(f"{text} What is due is sent now, bit by bit, and Twitch is asked who is live.")

    @property
    def lately(self) -> str | None:
        """What happened within the last hour, as a sentence."""
        doubted = self._wall.doubtful and self._wall.jump is not None
        if self._last is not None and self._clock.monotonic() - self._last[2] < REMEMBERED:
            return f"{self._last[0]} {_DOUBT}" if doubted else self._last[0]
        return f"{_sentence(self._wall.jump)} {_DOUBT}" if doubted and self._wall.jump is not None else None

    def health(self) -> Status:
        """For health: waiting while what hangs on an age is put off."""
        skew, lately = self._skew.describe(), self.lately
        since = self._last[1] if self._last is not None and lately is not None else None
        if skew is not None:
            return Status(Level.WAITING, skew)
        if lately is None:
            return Status()
        return Status(Level.WAITING if self._wall.doubtful else Level.OK, lately, since)


def _sentence(gap: float) -> str:
    if gap < 0:
        return f"The clock was set back by {span(round(-gap))}."
    return f"The machine slept for {span(round(gap))}, or its clock was set ahead by that."
