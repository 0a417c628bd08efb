"""The extension seam: where stream events come from, and who knows more about a stream.

A new platform (YouTube, Kick) is one class of each. Twitch is the first (`twitch/`, `ingress/`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import Enrichment, StreamEvent


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


class Incoming(Protocol):
    """A stream event on its way in, with the sender waiting for our word."""

    @property
    def event(self) -> StreamEvent: ...

    def settle(self, outcome: bool | LedgerError) -> None:
        """True: durably stored; False: known already; an error: not stored, the sender shall try again.

        Called once, on the event loop, and never raises. Only after True or False may the sender be told that
        we have it (promise 1: never lost).
        """
        ...


class EventSource(Protocol):
    """Brings stream events in until stopped."""

    name: str
    """Stands in `StreamEvent.source` of all its events and picks the enricher."""

    async def start(self) -> None:
        """Open what it needs. Raises AppError if it cannot."""
        ...

    async def stop(self) -> None:
        """Let go of everything; the iterator of `events()` ends."""
        ...

    def events(self) -> AsyncIterator[Incoming]:
        """Every event as it comes. Asked for once, after `start`."""
        ...


class Enricher(Protocol):
    """Finds out more about a stream that began."""

    async def enrich(self, event: StreamEvent, streamer: WatchedStreamer, *, timeout: float) -> Enrichment:
        """All that can be had within `timeout` seconds. Never raises for what it cannot get: `missing` says so."""
        ...

    async def is_live(self, broadcaster_id: str, stream_id: str, *, timeout: float) -> bool | Doubtful | None:
        """Whether that very stream still runs. None = could not be found out, False = it is over for certain."""
        ...
