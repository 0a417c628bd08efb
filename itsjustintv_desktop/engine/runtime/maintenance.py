"""What has to happen now and then: giving up what is too old, forgetting what is past, correcting wild due times."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.clock_trust import JUMP_SECONDS
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.instrumentation import Instrumentation
from itsjustintv_desktop.engine.storage.ledger import Ledger

EVERY = 60.0
PURGE_EVERY = 3600.0

_log = structlog.get_logger(__name__)


class Maintenance:
    """Works in small bites, so that accepting messages never waits for it."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        *,
        config: ConfigHolder,
        clock: Clock,
        purge_images: Callable[[], Awaitable[None]],
        clock_doubtful: Callable[[], bool] = lambda: False,
        follow_clock: Callable[[], Awaitable[None]] | None = None,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        """While `clock_doubtful` says so, nothing is given up and nothing forgotten: both are for ever."""
        self._instrumentation = instrumentation or Instrumentation()
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._config = config
        self._clock = clock
        self._purge_images = purge_images
        self.changed: Signal[()] = Signal()
        """Deliveries were given up."""
        self._clock_doubtful = clock_doubtful
        self._follow_clock = follow_clock
        self._triggered = asyncio.Event()
        self._purge_at = 0.0
        self._doubted = False
        self._unknown: set[str] = set()
        """Destinations that were neither in the config nor waited for an hour ago."""

    def trigger(self) -> None:
        """A round now."""
        self._triggered.set()

    async def run(self) -> None:
        """Once a minute until cancelled."""
        while True:
            await self._clock.wait(self._triggered, EVERY)
            self._triggered.clear()
            try:
                await self.tidy()
            except LedgerError as error:
                _log.warning("housekeeping waits for the ledger", reason=error.message)

    async def tidy(self) -> None:
        """One round now. Raises LedgerError."""
        if self._follow_clock is not None:
            await self._follow_clock()
        await self._dispatcher.cap()
        doubtful = self._clock_doubtful()
        if doubtful != self._doubted:
            self._doubted = doubtful
            _log.info(
                "nothing is given up for its age: the clock is not confirmed" if doubtful else "the clock is believed"
            )
        if not doubtful:
            while await self._ledger.clamp_created_at(self._clock.now() + JUMP_SECONDS):
                pass
        given_up = await self._bury_removed() + (0 if doubtful else await self._give_up())
        if given_up:
            self.changed.emit()
        if not doubtful and self._clock.monotonic() >= self._purge_at:
            self._purge_at = self._clock.monotonic() + PURGE_EVERY
            await self._purge()
            await self._forget_breakers()
            await self._purge_images()

    async def _give_up(self) -> int:
        # Also reaches what waits for a destination that is paused or open: nothing else would ever end those.
        before = self._clock.now() - self._config.current.config.retry.max_age
        total = 0
        while given_up := await self._ledger.give_up(before, "Given up: older than [retry] max_age."):
            total += given_up
        if total:
            _log.warning("deliveries were given up because of their age", count=total)
            self._tell(None, total)
        return total

    async def _bury_removed(self) -> int:
        known = self._config.current.destinations
        total = 0
        for name, _ in await self._ledger.waiting_destinations():
            while name not in known and (
                buried := await self._ledger.fail_removed(name, "The destination was removed from the config.")
            ):
                total += buried
                self._tell(name, buried)
        return total

    async def _forget_breakers(self) -> None:
        """What is known of destinations that were removed or renamed.

        Not at the first look: one that is just being renamed has a pause to hand on, and a config may be put right.
        """
        queues = self._dispatcher.queues
        waiting = {name for name, _ in await self._ledger.waiting_destinations()}
        unknown = queues.idle - self._config.current.destinations.keys() - waiting
        for name in sorted(unknown & self._unknown):
            await self._ledger.save_breaker(name, None)
            queues.forget(name)
        self._unknown = unknown

    def _tell(self, destination: str | None, count: int) -> None:
        if (observer := self._instrumentation.observer) is not None:
            observer.given_up(destination, count)

    async def _purge(self) -> None:
        cache = self._config.current.config.cache
        now = self._clock.now()
        history = now - cache.history
        # Message ids are needed for the replay window only, streams for as long as dedup_ttl says at least.
        noted = now - min(cache.history, max(cache.dedup_ttl, PURGE_EVERY))
        total = 0
        while gone := await self._ledger.purge(history, noted, min(history, now - cache.dedup_ttl)):
            total += gone
        while gone := await self._ledger.forget_told():
            total += gone
        if total:
            _log.info("old history was forgotten", rows=total)
