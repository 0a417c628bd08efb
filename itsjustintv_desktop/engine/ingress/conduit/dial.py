"""Opening WebSockets to Twitch: where to, with whose certificate, and what each failure means."""

from __future__ import annotations

import errno
import socket
from contextlib import AbstractAsyncContextManager
from urllib.parse import SplitResult, urlsplit

import aiohttp
from yarl import URL

from itsjustintv_desktop.engine.config.addresses import is_loopback
from itsjustintv_desktop.engine.core.errors import EventSocketError
from itsjustintv_desktop.engine.core.net.address_guard import Connector
from itsjustintv_desktop.engine.core.net.client import USER_AGENT, Outbound
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.ingress.conduit.frames import LARGEST

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
