"""A day in minutes: two clocks that a test moves, and the certainty that all real work is done before they move on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.support.clock import FakeClock

LEAST, MOST = 1.0, 15.0
"""Seconds of a step: to whatever is due next, within these."""
_LOOK = 0.0005
_PATIENCE = 20.0
"""Real seconds that the work of one moment may take."""


class Times:
    """`twitch` is the world's time; `machine` the program's, which stands still while the machine sleeps.

    Between two steps everything real (sockets, threads, the ledger) comes to rest, so that no deadline that is taken
    by these clocks depends on how busy this computer is.
    """

    def __init__(self) -> None:
        self.twitch = FakeClock()
        self.machine = FakeClock()
        self.began = self.twitch.now()
        self.asleep_since: float | None = None
        self.busy: Callable[[], bool] = lambda: False
        """Whether a thread of the program, or a timer of the real loop, still works."""
        self.steps = 0
        self._turns = 0
        self._selector: Any = None

    def __enter__(self) -> Times:
        loop: Any = asyncio.get_running_loop()
        self._selector = loop._selector
        select = self._selector.select

        def counted(timeout: float | None = None) -> list[Any]:
            found: list[Any] = select(timeout)
            self._turns += 1 + 100 * len(found)
            return found

        self._selector.select = counted
        return self

    def __exit__(self, *_: object) -> None:
        del self._selector.select

    @property
    def now(self) -> float:
        """Seconds since the day began."""
        return self.twitch.now() - self.began

    async def to(self, moment: float) -> None:
        """Go on to that second of the day."""
        await self.rest()
        while (left := moment - self.now) > 1e-6:
            dues = self.twitch.sleeping[:1]
            if self.asleep_since is None:
                dues += self.machine.sleeping[:1]
            step = min(max(min(dues, default=MOST), LEAST), MOST, left)
            self.twitch.advance(step)
            if self.asleep_since is None:
                self.machine.advance(step)
            self.steps += 1
            await self.rest()

    async def rest(self) -> None:
        """Until nothing moves any more with the clocks standing still."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            before = self._turns
            await asyncio.sleep(_LOOK)
            # The sleep itself takes two turns; whatever else happened may lead to more.
            if self._turns - before <= 2 and not _threads_work() and not self.busy():
                return
        raise AssertionError(f"no rest after {self.now:.0f} s of the day")

    def sleep(self) -> None:
        """The lid is closed: the program's clocks stand still, both."""
        self.asleep_since = self.twitch.now()

    def wake(self) -> None:
        """The wall clock is right again at once, the monotonic one goes on where it was."""
        assert self.asleep_since is not None
        self.machine.jump(self.twitch.now() - self.asleep_since)
        self.asleep_since = None


def _threads_work() -> bool:
    loop: Any = asyncio.get_running_loop()
    executor = loop._default_executor
    if executor is None:
        return False
    return bool(executor._work_queue.qsize() or executor._idle_semaphore._value < len(executor._threads))
