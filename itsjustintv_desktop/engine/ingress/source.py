"""Twitch as an EventSource: whatever way a message came, it goes through here into the ledger."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from itsjustintv_desktop.engine.core.errors import LedgerError, LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.sources import Incoming

COMMIT_SECONDS = 8.0
"""How long Twitch waits for our word at most; it gives up on us at about 10 s."""


class _Waiting:
    __slots__ = ("event", "until", "word")

    def __init__(self, event: StreamEvent, word: asyncio.Future[bool | LedgerError], until: float) -> None:
        self.event = event
        self.word = word
        self.until = until

    def settle(self, outcome: bool | LedgerError) -> None:
        if not self.word.done():
            self.word.set_result(outcome)


class TwitchSource:
    """Implements core.sources.EventSource."""

    name = "twitch"

    def __init__(self) -> None:
        self._queue: deque[_Waiting] = deque()
        self._unheard: deque[_Waiting] = deque()
        """Who may still wait for our word, the longest first."""
        self._alarm: asyncio.TimerHandle | None = None
        self._arrived = asyncio.Event()
        self._stopped = False

    async def start(self) -> None:
        self._stopped = False

    async def stop(self) -> None:
        self._stopped = True
        self._arrived.set()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._queue:
            self._queue.popleft().settle(LedgerUnavailableError("The program is stopping."))

    async def submit(self, event: StreamEvent) -> bool:
        """Hand an event in and wait until it is durable. True new, False known. Raises LedgerError: not stored."""
        if self._stopped:
            raise LedgerUnavailableError("The program is stopping.")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(event, loop.create_future(), loop.time() + COMMIT_SECONDS)
        self._queue.append(waiting)
        self._arrived.set()
        self._watch(loop, waiting)
        outcome = await waiting.word
        if isinstance(outcome, LedgerError):
            raise outcome
        return outcome

    def _watch(self, loop: asyncio.AbstractEventLoop, waiting: _Waiting) -> None:
        """One alarm for all: a timer each would be the dearest part of the hottest path."""
        unheard = self._unheard
        while unheard and unheard[0].word.done():
            unheard.popleft()
        unheard.append(waiting)
        if self._alarm is None:
            self._alarm = loop.call_at(waiting.until, self._too_late, loop)

    def _too_late(self, loop: asyncio.AbstractEventLoop) -> None:
        unheard = self._unheard
        now = loop.time()
        while unheard and (unheard[0].word.done() or unheard[0].until <= now):
            unheard.popleft().settle(LedgerUnavailableError("The ledger did not answer in time."))
        self._alarm = loop.call_at(unheard[0].until, self._too_late, loop) if unheard else None

    async def events(self) -> AsyncIterator[Incoming]:
        while not self._stopped:
            while self._queue:
                yield self._queue.popleft()
            self._arrived.clear()
            if not self._stopped:
                await self._arrived.wait()
