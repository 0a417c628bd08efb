"""Time as the engine sees it, injectable so that tests never wait for luck; and RFC 3339 as Twitch writes it.

Due times are wall clock (they must survive a restart), waiting uses the monotonic clock.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

_SHAPE = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):(\d\d)(\.\d{1,32})?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
_START = datetime(1970, 1, 1)  # noqa: DTZ001 (UTC by definition; naive, so that isoformat adds no offset)


class Clock(Protocol):
    """Where the engine gets time from. Seconds everywhere."""

    def now(self) -> float:
        """Wall clock, Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        ...

    def boottime(self) -> float:
        """Seconds since the machine was started, those it slept included; setting the wall clock changes nothing."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long by the monotonic clock."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until `event` is set (True), at most that long (False)."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        # Linux counts sleep by CLOCK_BOOTTIME alone; macOS by its CLOCK_MONOTONIC, which is not time.monotonic();
        # Windows by what time.monotonic() is.
        kind = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
        return time.monotonic() if kind is None else time.clock_gettime(kind)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await event.wait()
        except TimeoutError:
            return False


def parse_rfc3339(text: str) -> float:
    """Unix seconds of an RFC 3339 date-time (section 5.6).

    A leap second counts as the first second of the next minute. Raises ValueError for anything else, a time
    without a zone included: what it means would be a guess.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 timestamp with a zone")
    minute, second, fraction, sign, zone_hour, zone_minute = match.groups()
    seconds = int(second)
    if seconds > 60:
        raise ValueError("no such time of day")
    whole = _minute(minute) + seconds
    if sign:
        if int(zone_hour) > 23 or int(zone_minute) > 59:
            raise ValueError("no such time zone")
        offset = int(zone_hour) * 3600 + int(zone_minute) * 60
        whole += offset if sign == "-" else -offset
    return whole + float(fraction) if fraction else float(whole)


@lru_cache(64)  # nearly all that come are of the same few minutes
def _minute(text: str) -> int:
    """Unix seconds of `YYYY-MM-DDTHH:MM` in UTC. Raises ValueError."""
    hours, minutes = int(text[11:13]), int(text[14:16])
    if hours > 23 or minutes > 59:
        raise ValueError("no such time of day")
    days = date(int(text[:4]), int(text[5:7]), int(text[8:10])).toordinal() - _EPOCH
    return days * 86400 + hours * 3600 + minutes * 60


def format_rfc3339(unix: float) -> str:
    """A time in Unix seconds as RFC 3339 in UTC, to the millisecond; whole seconds carry no fraction.

    Raises ValueError for what is no time of the years 1 to 9999.
    """
    if not math.isfinite(unix):
        raise ValueError("not a finite number of seconds")
    seconds, milliseconds = divmod(round(unix * 1000), 1000)
    try:
        text = (_START + timedelta(seconds=seconds)).isoformat()
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"
