"""How many a day, for a small chart. Counted in small bites, and remembered for days that are over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from functools import partial

import msgspec

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.counting import Border, Kind, Streams

MOST_DAYS = 90
FRESH = 300.0
"""Seconds for which a day that is over is not counted again: a retry may still change it."""
_BORDERS = 8
"""Days whose borders one job of the ledger looks for."""


class DayNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """A day by this machine's calendar, without tests. A delivery counts for the day it was made on."""

    day: str
    """2026-11-24."""
    start: float
    """Its first moment, Unix seconds."""
    announced: int = 0
    """Streams that were announced: it arrived at one destination at least, or in output.json where there is none."""
    suppressed: int = 0
    """Streams that were not announced, missed ones included."""
    delivered: int = 0
    given_up: int = 0
    """Dead, or expired because the stream was over."""


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first; the last one is today."""

    days: tuple[DayNumbers, ...]

    @property
    def today(self) -> DayNumbers:
        return self.days[-1]


class Counter:
    """Remembers the days that are over for a while."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._known: dict[str, tuple[float, DayNumbers]] = {}

    async def days(self, days: int = 14) -> Statistics:
        """How many were announced, delivered, given up and suppressed on each of the last days (1 to 90).

        Days that are over are counted anew every five minutes at most. Raises UsageError, LedgerError.
        """
        if not 1 <= days <= MOST_DAYS:
            raise UsageError(f"Between 1 and {MOST_DAYS} days can be shown.")
        today = datetime.fromtimestamp(self._clock.now()).astimezone().date()
        wanted = [today - timedelta(days=back) for back in reversed(range(days))]
        fresh = self._clock.monotonic() - FRESH
        self._known = {
            key: known
            for key, known in self._known.items()
            if known[0] > fresh and key != today.isoformat() and known[1].start == _start(date.fromisoformat(key))
        }
        missing = [day for day in wanted if day.isoformat() not in self._known]
        for start in range(0, len(missing), _BORDERS):
            await self._count(missing[start : start + _BORDERS])
        return Statistics(days=tuple(self._known[day.isoformat()][1] for day in wanted))

    async def _count(self, days: list[date]) -> None:
        moments = [moment for day in days for moment in (_start(day), _start(day + timedelta(days=1)))]
        borders = await self._ledger.day_borders(moments)
        for day, low, high in zip(days, borders[::2], borders[1::2], strict=True):
            numbers = await self._day(day, low, high)
            self._known[day.isoformat()] = (self._clock.monotonic(), numbers)

    async def _day(self, day: date, low: Border, high: Border) -> DayNumbers:
        start = _start(day)
        if low.event >= high.event and low.delivery >= high.delivery:
            return DayNumbers(day=day.isoformat(), start=start)
        ledger = self._ledger
        tests = await ledger.tests_between(low.event, high.event)

        async def streams(kind: Streams) -> int:
            return await _all(partial(ledger.streams_between, kind), low.event, high.event)

        async def deliveries(kind: Kind) -> int:
            found = await _all(partial(ledger.counted_between, kind), low.delivery, high.delivery)
            return max(found - tests.get(kind, 0), 0)

        return DayNumbers(
            day=day.isoformat(),
            start=start,
            announced=await streams("announced"),
            suppressed=await streams("suppressed"),
            delivered=await deliveries("delivered"),
            given_up=await deliveries("dead") + await deliveries("expired"),
        )


async def _all(count: Callable[[int, int], Awaitable[tuple[int, int | None]]], low: int, high: int) -> int:
    """What `count` finds between two ids, one bite after the other."""
    total, after = 0, low if low < high else None
    while after is not None:
        some, after = await count(after, high)
        total += some
    return total


def _start(day: date) -> float:
    return datetime.combine(day, time.min).astimezone().timestamp()
