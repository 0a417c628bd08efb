"""One HTTP exchange with Twitch, and how wrong this computer's clock is by the `Date` header of each answer.

`Date` is the server's time cut to whole seconds (RFC 9110, 6.6.1), so one exchange only says that the skew lies
between `Date - received` and `Date + 1 - sent`. The median of the last few is good to about half a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from statistics import median
from typing import NamedTuple

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import TwitchUnreachableError
from itsjustintv_desktop.engine.core.net.client import Options, Outbound, Response, headers_of
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, network_sentence
from itsjustintv_desktop.engine.core.net.limits import read_at_most

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
        """Answers used so far, without those that disagree with the others and may be wrong."""

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


_MAX_ANSWER = 4 * 1024 * 1024
"""Bytes. A page of 100 users is about 100 KB."""
_CONNECTIONS = 10
_STOPPING = "Twitch is not asked any more: the program is stopping."


class TwitchResponse(NamedTuple):
    """A complete answer of whatever status. Header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TwitchHttp:
    """One long-lived client for all calls to Twitch. Every answer's `Date` goes into `skew`."""

    def __init__(self, *, clock: Clock, skew: ClockSkew, outbound: Outbound) -> None:
        self.skew = skew
        self._clock = clock
        self._client = outbound.client(Options(connections=_CONNECTIONS, guarded=False))
        self.closed = False
        """Whether no exchange can succeed any more."""

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float,
    ) -> TwitchResponse:
        """Ask once and read the whole answer within `timeout` seconds. Redirects are not followed.

        Raises TwitchUnreachableError.
        """
        if self.closed:
            raise TwitchUnreachableError(_STOPPING)
        try:
            async with asyncio.timeout(timeout):
                sent_at = self._clock.now()
                async with self._client.stream(
                    method, url, params=list(params), headers=headers, data=form, content=body
                ) as response:
                    self.skew.observe(response.headers.get("Date"), sent_at, self._clock.now())
                    return TwitchResponse(response.status_code, headers_of(response), await _read(response))
        except REQUEST_ERRORS as error:
            if self.closed:
                raise TwitchUnreachableError(_STOPPING) from error
            raise TwitchUnreachableError(f"Twitch cannot be reached: {network_sentence(error)}.") from error

    async def close(self) -> None:
        """Close all connections for good: exchanges under way break off, and later ones raise at once."""
        self.closed = True
        await self._client.aclose()


async def _read(response: Response) -> bytes:
    content = await read_at_most(response, _MAX_ANSWER + 1)
    if len(content) > _MAX_ANSWER:
        raise TwitchUnreachableError("Twitch's answer was far too long and was not read.")
    return content
