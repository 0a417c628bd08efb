"""This machine's time: whether it can be believed, and what happened to it lately, told to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.clock_trust import JUMP_SECONDS, WallClock
from itsjustintv_desktop.engine.doctor.words import span
from itsjustintv_desktop.engine.health.part import Part
from itsjustintv_desktop.engine.twitch.clock_skew import ClockSkew

REMEMBERED = 3600.0
"""Seconds for which health and doctor speak of what happened to the clock."""

_DOUBT = (
    "Until Twitch's time confirms it, or it has stood steady for an hour, nothing is given up or forgotten because of "
    "its age."
)

_log = structlog.get_logger(__name__)


class Clocks:
    """`notice` is called with a sentence when the clock jumped or the machine slept for minutes."""

    def __init__(self, clock: Clock, skew: ClockSkew, notice: Callable[[str], None]) -> None:
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

    def part(self) -> Part:
        """For health: waiting while what hangs on an age is put off."""
        skew, lately = self._skew.describe(), self.lately
        since = self._last[1] if self._last is not None and lately is not None else None
        if skew is not None:
            return Part("waiting", skew)
        if lately is None:
            return Part()
        return Part("waiting" if self._wall.doubtful else "ok", lately, since)


def _sentence(gap: float) -> str:
    if gap < 0:
        return f"The clock was set back by {span(round(-gap))}."
    return f"The machine slept for {span(round(gap))}, or its clock was set ahead by that."
