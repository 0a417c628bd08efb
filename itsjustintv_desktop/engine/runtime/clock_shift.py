"""A clock that is set makes nothing older or younger: the times of all that waits are set along with it.

Set is what moves the wall clock against the seconds since the machine was started, those it slept included. What that
cannot tell (a restart of the machine, a virtual one that stood still) is told by Twitch's time, before and after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.shifting import Frame
from itsjustintv_desktop.engine.twitch.http import NOTEWORTHY, ClockSkew

LEAST = 1.0
"""Seconds. Smaller steps are put together until they are as much."""
LATE = 600.0
"""A shift beyond this hides that something is late, should it have been no shift."""
_WORTH_KEEPING = 5.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_log = structlog.get_logger(__name__)


def boot_id() -> str:
    """Which start of the machine this is; "" where the system does not tell."""
    try:
        return files.read(_BOOT_ID, 64).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class ClockShift:
    """`on_shift` is awaited with the seconds of each shift, after the ledger's times."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        skew: ClockSkew,
        on_shift: Callable[[float], Awaitable[None]],
        *,
        boot: str | None = None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._skew = skew
        self._on_shift = on_shift
        self._boot = boot_id() if boot is None else boot
        self._frame: Frame | None = None
        self._counted = skew.measured
        self._turn = asyncio.Lock()
        self.at_start = 0.0
        """Seconds by which the clock was set since the run before, as far as the machine tells."""
        self.unsure = False
        """Whether time that passed may have been taken for a clock that was set: nobody knows then what is late."""

    async def load(self) -> None:
        """Take up what an earlier run left, and what was done to the clock since. Raises LedgerError."""
        kept = await self._ledger.clock_frame()
        if kept is not None and self._boot and kept.boot == self._boot:
            self._frame = kept
            await self.follow()
            self.at_start = self._frame.offset - kept.offset
            return
        before = None if kept is None else kept.skew
        self._frame = await self._ledger.next_boot(Frame(boot=self._boot, offset=self._offset(), before=before))

    async def follow(self) -> None:
        """Shift what is to be shifted; costs nothing while the clock is left alone. Raises LedgerError: not done."""
        if self._frame is None:
            return
        async with self._turn:
            moved = self._offset() - self._frame.offset
            if abs(moved) >= LEAST:
                await self._moved(moved, self._frame)
            elif self._skew.measured != self._counted and not self._skew.unconfirmed:
                await self._compare(self._frame)

    def _offset(self) -> float:
        return self._clock.now() - self._clock.boottime()

    async def _moved(self, by: float, frame: Frame) -> None:
        skew = None if frame.skew is None else frame.skew - by
        await self._shift(by, msgspec.structs.replace(frame, offset=frame.offset + by, skew=skew))
        self.unsure = self.unsure or abs(by) > LATE
        self._counted = self._skew.measured  # what was measured so far was before

    async def _compare(self, frame: Frame) -> None:
        """With Twitch's time: by how much our clock is another than the one that the times were written down by."""
        measured = self._skew.seconds
        if frame.events or frame.deliveries:
            await self._settle_earlier(frame, 0.0 if frame.before is None else frame.before - measured)
            frame = self._frame or frame
        by = 0.0 if frame.skew is None else frame.skew - measured
        now = msgspec.structs.replace(frame, skew=measured)
        if abs(by) >= NOTEWORTHY:
            await self._shift(by, now)
        elif frame.skew is None or abs(by) >= _WORTH_KEEPING:
            await self._ledger.keep_clock_frame(now)
            self._frame = now
        self._counted = self._skew.measured
        self.unsure = False

    async def _settle_earlier(self, frame: Frame, by: float) -> None:
        """From now on the times from before the machine was started are as the later ones."""
        if abs(by) >= NOTEWORTHY:
            await self._ledger.shift_times(by, frame, earlier=True)
            _log.info("the clock was wrong before the machine was started; what waits is dated anew", seconds=round(by))
        self._frame = msgspec.structs.replace(frame, before=None, events=0, deliveries=0)
        await self._ledger.keep_clock_frame(self._frame)

    async def _shift(self, by: float, frame: Frame) -> None:
        await self._ledger.shift_times(by, frame)
        self._frame = frame
        _log.info("the clock was set; the times of what waits are set along with it", seconds=round(by, 1))
        try:
            await self._on_shift(by)
        except LedgerError as error:
            _log.warning("a pause could not be set along with the clock", reason=error.message)
