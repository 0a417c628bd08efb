"""Clocks of tests: one that only moves when a test says so, and one that hurries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from itsjustintv_desktop.engine.core.clock import SystemClock

START = 1_790_000_000.0
_HURRY = 4


class FakeClock:
    """Implements engine.clock.Clock. Sleepers wait by the monotonic clock; `jump` moves the wall clock alone."""

    def __init__(self, wall: float = START, mono: float = 1000.0) -> None:
        self._wall = wall
        self._mono = mono
        self._asleep = 0.0
        self._number = count()
        self._sleepers: dict[int, tuple[float, asyncio.Timeout]] = {}

    def now(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._mono

    def boottime(self) -> float:
        return self._mono + self._asleep

    async def sleep(self, seconds: float) -> None:
        await self.wait(asyncio.Event(), seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        if seconds <= 0:
            await asyncio.sleep(0)
            return event.is_set()
        mine = next(self._number)
        try:
            async with asyncio.timeout(None) as alarm:
                self._sleepers[mine] = (self._mono + seconds, alarm)
                return await event.wait()
        except TimeoutError:
            return False
        finally:
            self._sleepers.pop(mine, None)

    @property
    def sleepers(self) -> int:
        """How many sleep, those that are waking included."""
        return len(self._sleepers)

    @property
    def sleeping(self) -> list[float]:
        """Seconds each sleeper still has to sleep, the next to wake first. One that is waking does not count."""
        return sorted(due - self._mono for due, _ in self._sleepers.values() if due > self._mono)

    def advance(self, seconds: float) -> None:
        """Both clocks go on; whoever's time is over wakes at the next turn of the loop."""
        self._wall += seconds
        self._mono += seconds
        for due, alarm in list(self._sleepers.values()):
            if due <= self._mono and not alarm.expired():
                alarm.reschedule(asyncio.get_running_loop().time())

    def jump(self, seconds: float) -> None:
        """The wall clock is set to another time; the monotonic one does not notice."""
        self._wall += seconds

    def suspend(self, seconds: float) -> None:
        """The machine sleeps for so long: the monotonic clock does not notice."""
        self._wall += seconds
        self._asleep += seconds

    async def run_until(
        self, condition: Callable[[], Any | Awaitable[Any]], *, step: float = 1.0, most: float = 3600.0
    ) -> None:
        """Advance by `step` seconds at a time until `condition` (plain or async) holds, at most `most` seconds.

        Between two steps real work (threads, sockets) gets a few real milliseconds; when `most` is used up it gets
        twenty real seconds more before the test fails.
        """
        end = self._mono + most
        patience: float | None = None
        while True:
            found = condition()
            if await found if isinstance(found, Awaitable) else found:
                return
            if self._mono < end:
                self.advance(step)
            elif patience is None:
                patience = time.monotonic() + 20.0
            elif time.monotonic() > patience:
                raise AssertionError(f"not within {most:g} s of the clock")
            await asyncio.sleep(0.004)


class FastClock:
    """The machine's own clock, four times as fast: what waits by it takes a quarter of the time."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._wall, self._mono = self._real.now(), self._real.monotonic()

    def now(self) -> float:
        return self._wall + self.monotonic() - self._mono

    def monotonic(self) -> float:
        return self._mono + (self._real.monotonic() - self._mono) * _HURRY

    def boottime(self) -> float:
        return self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds / _HURRY)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        return await self._real.wait(event, seconds / _HURRY)
