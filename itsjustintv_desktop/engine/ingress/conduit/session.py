"""One socket to Twitch, from dialling to its end. What it says is kept here; what to do about it is the way's business.

Source: Twitch documentation, "Getting Events Using WebSockets".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import EventSocketError, MessageMalformedError
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.ingress.conduit import frames
from itsjustintv_desktop.engine.ingress.conduit.dial import Dialler, Socket, closed, failed

GRACE_SECONDS = 5.0
"""Twitch's silence may be that much longer than it announced."""
_FIRST_KEEPALIVE = 10.0
"""Seconds of silence taken for granted until a welcome says better; Twitch's own default."""

_log = structlog.get_logger(__name__)


class ConduitSession:
    """Reads until the socket ends or `run` is cancelled. Events go to `on_event`; `stir` is called for all else."""

    def __init__(
        self,
        url: str,
        dialler: Dialler,
        *,
        clock: Clock,
        on_event: Callable[[StreamEvent], None],
        stir: Callable[[], None],
        noise: LogThrottle,
        keepalive: float | None = None,
    ) -> None:
        """`noise` spares the log from broken messages, `keepalive` is what holds until this socket says its own."""
        self.connected = asyncio.Event()
        """The socket is open, or never will be."""
        self.settled = asyncio.Event()
        """Twitch welcomed us, or the socket ended."""
        self.ended: EventSocketError | None = None
        self.over = asyncio.Event()
        self.id = ""
        """As Twitch names this session; "" before the welcome."""
        self.since = 0.0
        """When we were welcomed, Unix seconds."""
        self.keepalive = keepalive or _FIRST_KEEPALIVE
        self.reconnect_url = ""
        """Where Twitch wants us to go; "" while it wants nothing."""
        self._url = url
        self._dialler = dialler
        self._clock = clock
        self._on_event = on_event
        self._stir = stir
        self._noise = noise
        self._heard = (clock.monotonic(), clock.now())

    async def run(self) -> None:
        """Dial and read to the end; `ended` says why. Leaves the socket closed."""
        try:
            async with await self._dialler.dial(self._url) as socket:
                self._hear()
                self.connected.set()
                await self._read(socket)
                self.ended = closed(socket.close_code)
        except (aiohttp.ClientError, aiohttp.WebSocketError, OSError) as error:
            self.ended = failed(error)
            self.ended.__cause__ = error
        finally:
            if self.ended is None:
                self.ended = EventSocketError("We closed the connection to Twitch.")
            for event in (self.connected, self.settled, self.over):
                event.set()
            self._stir()

    @property
    def patience(self) -> float:
        """Seconds until Twitch has been silent for too long; 0 or less = it has.

        By both clocks: the monotonic one may stand still while the machine sleeps, the wall clock does not.
        """
        quiet = max(self._clock.monotonic() - self._heard[0], self._clock.now() - self._heard[1])
        return self.keepalive + GRACE_SECONDS - quiet

    async def _read(self, socket: Socket) -> None:
        async for message in socket:
            self._hear()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._take(message.data)
            elif message.type is aiohttp.WSMsgType.ERROR:
                raise message.data
            else:
                self._say_broken("It is not text.")

    def _take(self, text: str) -> None:
        try:
            frame = frames.read(text, self._clock.now())
        except MessageMalformedError as error:
            self._say_broken(error.message)
            return
        if isinstance(frame, StreamEvent):
            self._on_event(frame)
        elif isinstance(frame, frames.Welcome):
            self.id = frame.session_id
            self.since = self._clock.now()
            self.keepalive = frame.keepalive or self.keepalive
            self.settled.set()
            self._stir()
        elif isinstance(frame, frames.Reconnect):
            self.reconnect_url = frame.url
            self._stir()
        elif isinstance(frame, frames.Unknown):
            _log.debug("Twitch sent a message of an unknown type", type=frame.kind)

    def _hear(self) -> None:
        self._heard = (self._clock.monotonic(), self._clock.now())

    def _say_broken(self, why: str) -> None:
        left_out = self._noise.due()
        if left_out is not None:
            more = {"more_since_last": left_out} if left_out else {}
            _log.warning("a message of Twitch's could not be read", reason=why, **more)
