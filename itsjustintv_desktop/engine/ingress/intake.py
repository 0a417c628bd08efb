"""The one way in for events: each is on disk before its sender is told that we have it."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

import structlog

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, LedgerUnavailableError
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.instrumentation import Instrumentation, taken
from itsjustintv_desktop.engine.storage.ledger import Ledger

COMMIT_SECONDS = 8.0
"""How long a sender waits for the commit at most; Twitch gives up on us at about 10 s."""

_log = structlog.get_logger(__name__)


class _Waiting:
    """A sender that waits for the commit of its event."""

    __slots__ = ("by_post", "event", "outcome", "until")

    def __init__(self, event: StreamEvent, by_post: bool, loop: asyncio.AbstractEventLoop) -> None:
        self.event = event
        self.by_post = by_post
        self.outcome: asyncio.Future[bool | LedgerError] = loop.create_future()
        self.until = loop.time() + COMMIT_SECONDS

    def settle(self, outcome: bool | LedgerError) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class EventIntake:
    """`submit` is the core.sources.Submit that every source gets."""

    def __init__(self, ledger: Ledger, clock: Clock, instrumentation: Instrumentation | None = None) -> None:
        self.stored: Signal[()] = Signal()
        """Something new is in the ledger."""
        self._ledger = ledger
        self._clock = clock
        self._instrumentation = instrumentation or Instrumentation()
        self._waiting: deque[_Waiting] = deque()
        """Those that may still wait, the longest first."""
        self._fresh: list[_Waiting] = []
        """Those that the ledger does not have yet."""
        self._alarm: asyncio.TimerHandle | None = None

    async def submit(self, event: StreamEvent, *, by_post: bool = False) -> bool:
        """Store an event and return after the commit: True new, False known. Raises LedgerError: not stored.

        `by_post`: the public port reports it to the instrumentation, with the response it gave.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(event, by_post, loop)
        self._fresh.append(waiting)
        if len(self._fresh) == 1:
            loop.call_soon(self._hand_over)
        self._watch(loop, waiting)
        outcome = await waiting.outcome
        if isinstance(outcome, LedgerError):
            raise outcome
        return outcome

    def _hand_over(self) -> None:
        """All of one turn of the loop at once: the ledger's thread is woken once, and commits them together."""
        fresh, self._fresh = self._fresh, []
        for waiting in fresh:
            self._ledger.accept(waiting.event, partial(self._accepted, waiting))

    def _accepted(self, waiting: _Waiting, outcome: bool | LedgerError) -> None:
        """The ledger has committed, or failed to; the sender may have given up meanwhile."""
        if outcome is True:
            self.stored.emit()
        if not waiting.by_post and (observer := self._instrumentation.observer) is not None:
            now = self._clock.now()
            observer.received(waiting.event, taken(outcome), ended=now, seconds=now - waiting.event.received_at)
        if logs.tells_debug():
            _log.debug("taken in", notification=waiting.event.message_id, new=outcome is True)
        waiting.settle(outcome)

    def _watch(self, loop: asyncio.AbstractEventLoop, waiting: _Waiting) -> None:
        """One alarm for all: a timer each would be the dearest part of the hottest path."""
        others = self._waiting
        while others and others[0].outcome.done():
            others.popleft()
        others.append(waiting)
        if self._alarm is None:
            self._alarm = loop.call_at(waiting.until, self._too_late, loop)

    def _too_late(self, loop: asyncio.AbstractEventLoop) -> None:
        others = self._waiting
        now = loop.time()
        while others and (others[0].outcome.done() or others[0].until <= now):
            others.popleft().settle(LedgerUnavailableError("The ledger did not answer in time."))
        self._alarm = loop.call_at(others[0].until, self._too_late, loop) if others else None
