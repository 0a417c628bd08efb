"""How wrong this computer's clock is, measured from the `Date` header of every answer of Twitch's API.

`Date` is the server's time cut to whole seconds (RFC 9110, 6.6.1), so one exchange only says that the skew lies
between `Date - received` and `Date + 1 - sent`. The median of the last few is good to about half a second.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC
from email.utils import parsedate_to_datetime
from statistics import median

_SAMPLES = 15
_SLOWEST = 10.0
_TOLERANCE = 2.0
NOTEWORTHY = 30.0
"""Seconds. A smaller skew hurts nothing and isn't worth a word."""


class ClockSkew:
    """Twitch's time minus ours, in seconds. A clock that is a year off is measured like any other."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)
        self._odd: tuple[float, float] | None = None
        self.measured = 0
        """Answers that told the time so far, without those that disagree with the others and may be wrong."""

    @property
    def known(self) -> bool:
        """Whether there was anything to measure yet."""
        return bool(self._samples)

    @property
    def unconfirmed(self) -> bool:
        """Whether the last exchange disagreed with the ones before: the next one decides."""
        return self._odd is not None

    @property
    def seconds(self) -> float:
        """What must be added to our wall clock to get Twitch's. 0.0 while nothing was measured."""
        if not self._samples:
            return 0.0
        return median((low + high) / 2 for low, high in self._samples)

    def observe(self, date_header: str | None, sent_at: float, received_at: float) -> None:
        """Learn from one exchange. Times are our wall clock, Unix seconds. Never raises.

        An exchange that was slow, or during which our clock was set back, says too little and is left out. One
        that disagrees with the others is held back; when the next one confirms it, our clock was set, and
        everything older is forgotten.
        """
        date = _unix(date_header)
        if date is None or not 0 <= received_at - sent_at <= _SLOWEST:
            return
        sample = (date - received_at, date + 1 - sent_at)
        if not self._samples or _near(sample, self.seconds):
            self._samples.append(sample)
            self._odd = None
            self.measured += 1
        elif self._odd is not None and _near(sample, sum(self._odd) / 2):
            self._samples.clear()
            self._samples.extend((self._odd, sample))
            self._odd = None
            self.measured += 1
        else:
            self._odd = sample

    def describe(self) -> str | None:
        """A sentence for the person at the screen when the clock is noticeably wrong, else None."""
        seconds = self.seconds
        if abs(seconds) < NOTEWORTHY:
            return None
        amount = _amount(abs(seconds))
        behind, ahead = (
            f"This computer's clock is {amount} behind Twitch's.",
            f"This computer's clock is {amount} ahead of Twitch's.",
        )
        return (
            f"{behind if seconds > 0 else ahead} Messages are checked against "
            "Twitch's time, so nothing is lost; turn on automatic time in the system's settings."
        )


def _near(sample: tuple[float, float], seconds: float) -> bool:
    return sample[0] - _TOLERANCE <= seconds <= sample[1] + _TOLERANCE


def _unix(header: str | None) -> float | None:
    if not header:
        return None
    try:
        moment = parsedate_to_datetime(header)
        # "-0000" comes without a zone; it is UTC, not whatever this machine's zone is.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _amount(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size * 2:
            return f"{seconds / size:.0f} {unit}s"
    return f"{seconds:.0f} seconds"
