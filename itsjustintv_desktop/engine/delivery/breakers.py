"""The breakers of all destinations as the ledger keeps them, and what a person does to them."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.events import Bus, DeliveriesChanged, DestinationChanged, Notice
from itsjustintv_desktop.engine.delivery.breaker import Breaker
from itsjustintv_desktop.engine.delivery.destination_queues import DestinationQueues
from itsjustintv_desktop.engine.storage.ledger import Ledger

_log = structlog.get_logger(__name__)


class Breakers:
    """`wake` is called when one may try again earlier than known."""

    def __init__(
        self, queues: DestinationQueues, ledger: Ledger, bus: Bus, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self.queues = queues
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._wake = wake

    async def keep(self, name: str, was: str) -> None:
        """Write down the state of a breaker after a change, and tell of it if it was called `was` before."""
        breaker = self.queues.queue(name).breaker
        state = breaker.snapshot()
        if state.name != was:
            text = f"a destination is {state.name} now"
            if state.reason:
                _log.warning(text, destination=name, reason=state.reason)
            else:
                _log.info(text, destination=name)
            self._bus.publish(DestinationChanged(destination=name, state=state.name, reason=state.reason))
            if state.name == "paused":
                self._bus.publish(Notice(text=f"{name} is paused: {state.reason}"))
        try:
            await self._ledger.save_breaker(name, self.queues.encoded(name))
        except LedgerError as error:
            _log.warning("a breaker could not be kept", destination=name, reason=error.message)

    async def pause(self, name: str, reason: str) -> None:
        """Send nothing there until `resume`, because a person wants it so. Raises LedgerError: nothing changed."""
        queue = self.queues.queue(name)
        before = queue.breaker.snapshot()
        queue.breaker.pause(reason, before.fingerprint, self._clock.now(), by_hand=True)
        try:
            await self._ledger.save_breaker(name, self.queues.encoded(name))
        except LedgerError:
            queue.breaker = Breaker(before)
            raise
        _log.info("a destination was paused by hand", destination=name)
        self._bus.publish(DestinationChanged(destination=name, state="paused", reason=reason))

    async def take_over(self, old: str, new: str) -> None:
        """What is known of `old` holds for `new`, its other name: a pause above all. Raises LedgerError."""
        self.queues.take_over(old, new)
        await self._ledger.save_breaker(new, self.queues.encoded(new))

    async def resume(self, name: str, *, afresh: bool = False) -> None:
        """Let a paused or open destination try again at once. Raises LedgerError.

        `afresh`: a person resumes it, so with the picture, too, and all that waits for it is due.
        """
        count = await self._ledger.all_due_now(name) if afresh else 0
        queue = self.queues.queue(name)
        if afresh:
            queue.only_link = None
        queue.breaker.resume(self._clock.now())
        queue.held_until = 0.0
        queue.pace.forget()
        await self._ledger.save_breaker(name, self.queues.encoded(name))
        self._bus.publish(DestinationChanged(destination=name, state="closed", reason=""))
        if count:
            self._bus.publish(DeliveriesChanged(count=count))
        self._wake()
