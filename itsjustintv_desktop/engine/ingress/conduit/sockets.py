"""The WebSockets to Twitch: opened, read to their end, and two for a moment when Twitch moves us to another server.

What a socket says is kept here; what to do about it is decided in transport.py.

Source: Twitch documentation, "Getting Events Using WebSockets".
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import SplitResult, urlsplit

import aiohttp
import structlog
from yarl import URL

from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import EventSocketError, MessageMalformedError
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.net.address_guard import Connector
from itsjustintv_desktop.engine.core.net.client import USER_AGENT, Outbound
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.conduit import frames
from itsjustintv_desktop.engine.ingress.conduit.frames import LARGEST

_log = structlog.get_logger(__name__)

DIAL_SECONDS = 10.0
WELCOME_SECONDS = 10.0
_LINGER_SECONDS = 1.0
"""A socket we left is read that much longer: what Twitch sent before it knew is in there."""
GRACE_SECONDS = 5.0
"""Twitch's silence may be that much longer than it announced."""
_FIRST_KEEPALIVE = 10.0
"""Seconds of silence taken for granted until a welcome says better; Twitch's own default."""
KEEPALIVE_SECONDS = 30
"""How long Twitch may be silent; it sends a keepalive then. 10 to 600 can be asked for."""
_CLOSE_SECONDS = 2.0
Socket = aiohttp.ClientWebSocketResponse
"""Pings are answered while it is read; nothing else is ever sent over it."""
_CODES = {
    1000: "Twitch closed the connection",
    1001: "Twitch's server went away",
    1002: "a message could not be understood",
    1006: "the connection broke off",
    1007: "a message could not be understood",
    1009: "a message was far too long",
    4000: "Twitch's server had an error",
    4001: "Twitch says we sent something, which is not allowed",
    4002: "Twitch missed our answers to its pings",
    4003: "Twitch says the connection was not used in time",
    4004: "we did not move to another server in the time Twitch gave us",
    4005: "Twitch's network was too slow",
    4006: "Twitch's network failed",
    4007: "Twitch did not accept the address it sent us to",
}
"""WebSocket close codes: RFC 6455, section 7.4.1, and Twitch documentation, "Close message"."""
_OFFLINE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})


class Sockets:
    """Opens sessions in `tasks` and closes them all with `cut`."""

    def __init__(
        self,
        dialler: Dialler,
        tasks: Tasks,
        *,
        clock: Clock,
        on_event: Callable[[StreamEvent], None],
        stir: Callable[[], None],
        noise: LogThrottle,
    ) -> None:
        self._dialler = dialler
        self._tasks = tasks
        self._clock = clock
        self._on_event = on_event
        self._stir = stir
        self._noise = noise
        self._open: dict[ConduitSession, asyncio.Task[None]] = {}

    async def open(self, url: str = "", *, keepalive: float | None = None) -> ConduitSession:
        """A session that was welcomed, at `url` or where a new one begins. Raises EventSocketError."""
        session = ConduitSession(
            url or self._dialler.address,
            self._dialler,
            clock=self._clock,
            on_event=self._on_event,
            stir=self._stir,
            noise=self._noise,
            keepalive=keepalive,
        )
        self._open[session] = self._tasks.start("conduit.socket", session.run())
        late = ""
        if not await self._clock.wait(session.connected, DIAL_SECONDS):
            late = f"did not answer within {DIAL_SECONDS:.0f} seconds"
        elif not await self._clock.wait(session.settled, WELCOME_SECONDS):
            late = f"took the connection but did not welcome us within {WELCOME_SECONDS:.0f} seconds"
        if late:
            self._close(session)
            raise EventSocketError(f"Twitch's event server {late}.")
        if session.ended is not None:
            self._close(session)
            raise session.ended
        return session

    def retire(self, session: ConduitSession) -> None:
        """Close it after reading what is still on its way."""
        self._tasks.start("conduit.linger", self._linger(session))

    def cut(self) -> None:
        """Close all at once."""
        for session in list(self._open):
            self._close(session)

    async def _linger(self, session: ConduitSession) -> None:
        await self._clock.wait(session.over, _LINGER_SECONDS)
        self._close(session)

    def _close(self, session: ConduitSession) -> None:
        task = self._open.pop(session, None)
        if task is not None:
            task.cancel()


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


class Dialler:
    """The HTTP session that sockets are opened with. `address` is wss://, or ws:// on this machine."""

    def __init__(self, address: str, outbound: Outbound) -> None:
        self.address = f"{address}?keepalive_timeout_seconds={KEEPALIVE_SECONDS}"
        self._outbound = outbound
        self._home = urlsplit(address)
        self._session: aiohttp.ClientSession | None = None

    async def dial(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """A socket to `url`, taken as it stands, to be entered. Entering raises aiohttp's errors and OSError."""
        proxy = self._outbound.proxies.for_url(url)
        secure = url.startswith("wss:") or (proxy is not None and proxy.url.startswith("https:"))
        tls = await self._outbound.trust.context() if secure else True
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Connector(limit=4),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT},
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session.ws_connect(
            URL(url, encoded=True),
            ssl=tls,
            proxy=proxy.url if proxy is not None else None,
            proxy_headers=proxy.headers if proxy is not None else None,
            max_msg_size=LARGEST,
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
        )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def may_follow(self, url: str) -> bool:
        """Whether a reconnect address is one of theirs: wss to the same domain; on this machine a plain one too."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if not host or parts.username is not None:
            return False
        if is_loopback(self._home.hostname):
            return is_loopback(host) and parts.scheme in {"ws", "wss"}
        return parts.scheme == "wss" and _domain(parts) == _domain(self._home)


def _domain(parts: SplitResult) -> str:
    """The last two labels, which is what Twitch's names have in common."""
    return ".".join((parts.hostname or "").rstrip(".").split(".")[-2:])


def closed(code: int | None) -> EventSocketError:
    """What a closed socket means."""
    why = _CODES.get(code or 1006, f"Twitch closed the connection ({code})")
    return EventSocketError(f"The connection to Twitch ended: {why}.", code=code)


def failed(error: BaseException) -> EventSocketError:
    """What a socket that could not be opened, or broke, means. Holds no address."""
    if isinstance(error, aiohttp.WebSocketError):
        return closed(error.code)
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return EventSocketError(f"Twitch's event server refused the connection ({error.status}).")
    return EventSocketError(f"Twitch's event server cannot be reached: {network_sentence(error)}.")


def is_offline(error: BaseException | None) -> bool:
    """Whether this machine has no network rather than Twitch no server."""
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return True
    return isinstance(error, OSError) and (isinstance(error, TimeoutError) or error.errno in _OFFLINE)
