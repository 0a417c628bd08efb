"""The extension seam: where stream events come from, and who knows more about a stream.

A new platform (YouTube, Kick) is one class of each. Twitch is the first (`twitch/`, `ingress/`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import msgspec

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import Enrichment, StreamEvent

Submit = Callable[[StreamEvent], Awaitable[bool]]
"""Store an event. Returns after the commit: True new, False known. Raises LedgerError: not stored, try again.

Only after it returned may the sender be told that we have the event (promise 1: never lost).
"""


class Doubtful(msgspec.Struct, frozen=True):
    """A stream is not seen now, which proves nothing yet: ask again after so many seconds."""

    seconds: float


class WatchedStreamer(Protocol):
    """What an enricher reads of a streamer in the config."""

    @property
    def key(self) -> str: ...

    @property
    def login(self) -> str: ...

    @property
    def user_id(self) -> str: ...

    @property
    def additional_tags(self) -> tuple[str, ...]: ...


class EventSource(Protocol):
    """Brings stream events in."""

    name: str
    """Stands in `StreamEvent.source` of all its events and picks the enricher."""

    async def run(self, submit: Submit) -> None:
        """Submit every event as it comes, until cancelled. If it raises, it is started again after a pause."""
        ...


class Incoming(Protocol):
    """An event of an IteratedSource, with its sender waiting for the outcome."""

    @property
    def event(self) -> StreamEvent: ...

    def settle(self, outcome: bool | LedgerError) -> None:
        """True: stored; False: known already; an error: not stored, the sender should try again."""
        ...


class IteratedSource(Protocol):
    """A source that yields its events instead of submitting them."""

    name: str

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def events(self) -> AsyncIterator[Incoming]: ...


def from_iterator(source: IteratedSource) -> EventSource:
    """The EventSource for a source that yields its events: the next one is asked for when one is stored."""
    return _Iterated(source)


class _Iterated:
    def __init__(self, source: IteratedSource) -> None:
        self.name = source.name
        self._source = source

    async def run(self, submit: Submit) -> None:
        await self._source.start()
        try:
            async for incoming in self._source.events():
                try:
                    incoming.settle(await submit(incoming.event))
                except LedgerError as error:
                    incoming.settle(error)
        finally:
            await self._source.stop()


class Enricher(Protocol):
    """Finds out more about a stream that began."""

    async def enrich(self, event: StreamEvent, streamer: WatchedStreamer, *, timeout: float) -> Enrichment:
        """All that can be had within `timeout` seconds. Never raises for what it cannot get: `missing` says so."""
        ...

    async def is_live(self, broadcaster_id: str, stream_id: str, *, timeout: float) -> bool | Doubtful | None:
        """Whether that very stream still runs. None = could not be found out, False = it is over for certain."""
        ...
