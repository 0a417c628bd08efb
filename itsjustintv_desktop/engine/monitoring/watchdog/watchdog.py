"""The loop that looks after the others, and what it does when one stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.monitoring.watchdog.disk import DiskWatch
from itsjustintv_desktop.engine.monitoring.watchdog.loop import LoopWatch
from itsjustintv_desktop.engine.monitoring.watchdog.queue import SENDING, QueueWatch
from itsjustintv_desktop.engine.runtime import unlocking

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

EVERY = 10.0
"""Seconds between two looks."""
OBSERVE = 0.5
"""Seconds between two looks at what is in memory, so that whoever watches hears within a second of what changed."""
LOOK_SECONDS = 5.0
RESTART_EVERY = 300.0
"""Seconds between two restarts of a loop that stands still."""

_log = structlog.get_logger(__name__)


class Watchdog:
    """Started last, so that everything it looks at is there."""

    def __init__(self, engine: Engine, notice: Callable[[str], None]) -> None:
        """`notice` tells a person, by a sentence."""
        self._engine = engine
        self._notice = notice
        self._clock = engine.clock
        self.queue = QueueWatch(
            engine.ledger,
            engine.dispatcher,
            live=lambda: engine.live,
            clock=engine.clock,
            paused=lambda: engine.pause.active,
        )
        self.disk = DiskWatch(engine.paths.data, engine.clock)
        self.loop = LoopWatch(engine.clock, self._stood_still)
        self._restart_at: dict[str, float] = {}
        self._hung = False

    @property
    def stuck(self) -> bool:
        """Whether work that could be done is not done."""
        return bool(self.queue.overdue) or self.queue.unworked is not None

    async def run(self) -> None:
        """Until cancelled. Can be started again."""
        self.loop.start()
        try:
            while True:
                await self.look()
                for _ in range(max(round(EVERY / OBSERVE), 1)):
                    await self._clock.sleep(min(OBSERVE, EVERY))
                    await self._engine.health.observe()
        finally:
            self.loop.stop()

    async def look(self) -> None:
        """One look at everything."""
        self.disk.look()
        self._look_at_ledger()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self.queue.look()
        except (LedgerError, TimeoutError):
            self.queue.forget()
        await unlocking.look(self._engine)
        self._mend("delivery.dispatcher", self.deliveries())
        self._mend("announce.pipeline", self.announce())
        await self._engine.health.observe()

    def deliveries(self) -> Status | None:
        """For health: None while all that is due is being sent."""
        overdue = self.queue.overdue
        if not overdue:
            return None
        minutes = f"{max(overdue.values()) / 60:.0f} minutes"
        names = sorted(overdue.keys() - {SENDING})
        if not names:
            return Status(Level.FAILING, f"For {minutes} deliveries have been taken up and not sent.{_AGAIN}")
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        where = f"{', '.join(names[:3])}{more}"
        text = f"For {minutes} deliveries to {where} have been due and not sent, though nothing holds them back."
        return Status(Level.FAILING, text + _AGAIN)

    def announce(self) -> Status | None:
        """For health: None while events are worked on."""
        seconds = self.queue.unworked
        if seconds is None:
            return None
        return Status(Level.FAILING, f"For {seconds / 60:.0f} minutes an event has not been worked on.{_AGAIN}")

    def _mend(self, loop: str, trouble: Status | None) -> None:
        """Wake it first; if it has not moved by the next look, start it again."""
        engine, now = self._engine, self._clock.monotonic()
        if trouble is None:
            self._restart_at.pop(loop, None)
        elif loop not in self._restart_at:
            self._restart_at[loop] = now
            _log.error("work stands still", loop=loop, reason=trouble.reason)
            self._notice(trouble.reason)
            engine.dispatcher.wake()
            engine.pipeline.wake()
        elif now >= self._restart_at[loop]:
            self._restart_at[loop] = now + RESTART_EVERY
            engine.supervisor.restart(loop)

    def _look_at_ledger(self) -> None:
        hanging = self._engine.ledger.hanging
        if hanging is not None and not self._hung:
            _log.error("the ledger does not answer: the disk hangs", seconds=round(hanging))
            self._notice("The disk hangs: a write is not finished. Twitch is told to send again later.")
        elif hanging is None and self._hung:
            _log.info("the ledger answers again")
        self._hung = hanging is not None

    def _stood_still(self, seconds: float) -> None:
        _log.warning("the event loop goes on", stood_still=round(seconds, 1))
        self._notice(f"The program stood still for {seconds:.0f} s, and goes on now.")


_AGAIN = " What should do it is started again."
