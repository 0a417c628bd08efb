"""`GET /v1/stream`: everything that happens, one JSON object a line, for the tray and other local programs.

Lines and not server-sent events: no browser may ask here, and a line is what every other client reads most easily.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import msgspec
import structlog
from aiohttp import web

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.core.errors import ControlError, LedgerError
from itsjustintv_desktop.engine.core.events import Bus, EngineEvent, Subscription
from itsjustintv_desktop.engine.monitoring.health import Health
from itsjustintv_desktop.engine.storage.ledger import Counts, Ledger

HEARTBEAT = 15.0
"""Seconds without a line after which there is one all the same."""
QUEUE = 1000
"""Events that may wait for a reader; of more the oldest are lost, which the reader is told."""
MOST_READERS = 8
LEDGER_SECONDS = 2.0
"""How long the first line waits for the ledger at most: a disk that hangs must not make it hang, too."""
WRITE_SECONDS = 10.0
"""A reader that takes nothing in for so long is cut off."""

_TOGETHER = 50
"""Lines handed over at once: the loop belongs to the messages of Twitch."""

_log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """The first line: how all is at the moment after which every event follows. `counts` None: not known now."""

    version: str
    health: str
    counts: Counts | None


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """Nothing happened."""

    now: float
    """Unix seconds."""


class Lost(msgspec.Struct, frozen=True, kw_only=True, tag="lost"):
    """So many events were left out, since the reader was too slow: take a fresh snapshot of whatever counts."""

    count: int


StreamLine = EngineEvent | Hello | Heartbeat | Lost


class EventStream:
    """Serves readers. `close` ends them all at once, so that stopping does not wait for them."""

    def __init__(
        self, bus: Bus, health: Health, ledger: Ledger, *, queue: int = QUEUE, heartbeat: float = HEARTBEAT
    ) -> None:
        self._bus = bus
        self._health = health
        self._ledger = ledger
        self._queue = queue
        self._heartbeat = heartbeat
        self._readers: dict[Subscription, web.Request] = {}
        self._closed = False

    @property
    def readers(self) -> int:
        return len(self._readers)

    def close(self) -> None:
        self._closed = True
        for reader in list(self._readers):
            reader.close()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Until the reader goes, is too slow, or the program stops."""
        if self._closed or not self._has_room():
            raise ControlError(
                f"{MOST_READERS} programs follow the events already. Close one of them.", title="Too many readers"
            )
        events = self._bus.subscribe(self._queue)
        self._readers[events] = request
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        try:
            await response.prepare(request)
            hello = Hello(version=__version__, health=self._health.level(), counts=await self._counts())
            await _write(response, [hello])
            while not events.closed:
                await _write(response, await self._next(events))
        except TimeoutError:
            _log.warning("a reader of the events was too slow and is cut off")
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            _log.debug("a reader of the events is gone")
        finally:
            self._readers.pop(events, None)
            events.close()
        return response

    async def _counts(self) -> Counts | None:
        """What is queued; None when the ledger does not say so in time."""
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                return await self._ledger.counts()
        except (LedgerError, TimeoutError):
            return None

    async def _next(self, events: Subscription) -> list[StreamLine]:
        """What happened, or after a while that nothing did."""
        try:
            async with asyncio.timeout(self._heartbeat):
                await events.wait()
        except TimeoutError:
            return [Heartbeat(now=time.time())]
        lost, taken = events.take()
        return [Lost(count=lost), *taken] if lost else [*taken]

    def _has_room(self) -> bool:
        if len(self._readers) >= MOST_READERS:
            for reader, request in list(self._readers.items()):
                if request.transport is None or request.transport.is_closing():  # gone, which its next line will show
                    self._readers.pop(reader)
                    reader.close()
        return len(self._readers) < MOST_READERS


async def _write(response: web.StreamResponse, lines: Sequence[StreamLine]) -> None:
    """Raises TimeoutError when the reader takes nothing in, ConnectionError when it is gone."""
    for start in range(0, len(lines), _TOGETHER):
        some = lines[start : start + _TOGETHER]
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(_encoder.encode_lines(some))
