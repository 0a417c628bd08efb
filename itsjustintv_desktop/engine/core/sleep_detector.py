"""Notices that the machine slept: what happened meanwhile was told to nobody here."""

from __future__ import annotations

import asyncio

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.events import Signal

EVERY = 15.0
"""Seconds between two looks at the clocks."""
LEAST = 10.0
"""A smaller gap is a busy machine or a corrected clock, and no sleep."""
ONCE = 10.0
"""Seconds awake within which a signal of the system's without a gap of its own is about the wake-up told before."""


class SleepDetector:
    """Emits `woke_up` once a wake-up.

    On Linux the monotonic clock stands still while the machine sleeps, on Windows and macOS it may go on: so both
    count, a wall clock that is further than the monotonic one, and a wait that lasted far longer than asked for (a
    process that was stopped looks the same). A wall clock that is merely set to another time, forward or back, is
    taken for a wake-up too: that costs a few questions, and what hangs on time is looked at again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.woke_up: Signal[float] = Signal()
        """The machine slept for so many seconds (0 if unknown, less if set back)."""
        self._wall = clock.now()
        self._mono = clock.monotonic()
        self._told = float("-inf")
        self._signal = asyncio.Event()

    async def run(self) -> None:
        """Look every 15 s until cancelled. Can be started again: what was slept through between counts."""
        while True:
            self._signal.clear()
            await self._clock.wait(self._signal, EVERY)
            gap = self._gap()
            if abs(gap) >= LEAST:
                self._tell(gap)

    def woke(self) -> None:
        """The system itself says that the machine woke (desktop/ feeds this). Called on the engine's loop."""
        self._tell(self._gap())
        self._signal.set()  # the next look is a whole wait away

    def _gap(self) -> float:
        """Seconds that passed unnoticed since the last look, negative if the wall clock was set back."""
        wall, mono = self._clock.now(), self._clock.monotonic()
        went, waited = wall - self._wall, mono - self._mono
        self._wall, self._mono = wall, mono
        overslept = waited - EVERY
        drift = went - waited
        return drift if abs(drift) >= LEAST else max(overslept, 0.0)

    def _tell(self, gap: float) -> None:
        now = self._clock.monotonic()
        # A gap is told whenever it is: a machine that woke for some seconds may have slept for hours again.
        if abs(gap) >= LEAST or now - self._told >= ONCE:
            self._told = now
            self.woke_up.emit(gap)
