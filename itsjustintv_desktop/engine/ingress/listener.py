"""The listening socket of a port: opened, moved to another address while it is used, closed."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from itsjustintv_desktop.engine.core.errors import AddressInUseError, os_sentence

_GOODBYE_SECONDS = 2.0
"""How long the other side may take to answer the end of TLS."""
_BACKLOG = 1024
"""Connections that may wait for us in the system."""
_AT_ONCE = 32
"""So many of them are accepted in one turn of the loop, before one too many can be closed again."""


class Accepted(Protocol):
    """A connection that is counted while its socket is open. Without TLS its `connection_made` is the accept."""

    def accepted(self, transport: asyncio.BaseTransport, /) -> None:
        """TLS begins; `transport` is the one below it."""

    def lost(self) -> None:
        """The socket is closed. `connection_lost` comes as well, if TLS was begun."""


Factory = Callable[[], Any]
"""Makes an asyncio.Protocol that is `Accepted`."""


class Listener:
    """Makes a connection of `factory` for whoever comes. Closing or moving it cuts off no connection."""

    def __init__(self, factory: Factory, handshake_seconds: float) -> None:
        """`handshake_seconds`: how long TLS may take."""
        self._factory = factory
        self._handshake_seconds = handshake_seconds
        self._server: asyncio.Server | None = None
        self._asked: tuple[str, int] = ("", 0)
        self._tls: ssl.SSLContext | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port in use."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> tuple[str, int]:
        """Listen, and return the address bound (port 0 picks a free one). Raises AddressInUseError."""
        self._server = await self._bind(host, port, tls)
        self._asked, self._tls = (host, port), tls
        return self.address

    async def move(self, host: str, port: int, tls: ssl.SSLContext | None) -> tuple[str, int]:
        """Listen there instead, from the moment this returns. Raises AddressInUseError: it listens where it did.

        The new socket is bound before the old one is closed, wherever the system allows both.
        """
        old = self._server
        assert old is not None
        if not old.sockets:  # another program was quicker when it had to go: it listens nowhere
            self._server = await self._bind(host, port, tls)
        elif (host, port) == self._asked:
            if tls is self._tls:
                return self.address
            if len(old.sockets) == 1:
                # The same socket, spoken to in another way: who waits in its queue waits on.
                self._server = await self._with(tls, sock=_copy(old))
            else:
                await self._squeeze(old, self.address, (host, port), tls)
        else:
            bound = self.address
            try:
                self._server = await self._bind(host, port, tls)
            except AddressInUseError as error:
                if port != bound[1] or not _is_taken(error):
                    raise
                await self._squeeze(old, bound, (host, port), tls)
        old.close()
        self._asked, self._tls = (host, port), tls
        return self.address

    def close(self) -> None:
        """Take no new connections."""
        if self._server is not None:
            self._server.close()

    async def _squeeze(
        self, old: asyncio.Server, bound: tuple[str, int], wanted: tuple[str, int], tls: ssl.SSLContext | None
    ) -> None:
        """Our own socket holds that port at another address of this machine: it has to go first."""
        old.close()
        try:
            self._server = await self._bind(*wanted, tls)
        except AddressInUseError:
            self._server = await self._bind(*bound, self._tls)
            raise

    async def _bind(self, host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        try:
            return await self._with(tls, host=host, port=port)
        except OSError as error:
            # From Python 3.13 on asyncio says nothing but "could not bind" here.
            why = os_sentence(error) if error.errno else "this machine has no such address"
            raise AddressInUseError(
                f"Cannot listen on {host} port {port}: {why}. "
                "Choose another [server] listen_addr or port in config.toml, or close the program that holds it."
            ) from error

    async def _with(self, tls: ssl.SSLContext | None, **where: Any) -> asyncio.Server:
        factory = self._factory if tls is None else partial(_Tls, self._factory, tls, self._handshake_seconds)
        return await listen(factory, **where)


async def listen(factory: Callable[[], asyncio.BaseProtocol], **where: Any) -> asyncio.Server:
    """`create_server` with room for many who wait, of whom only some are accepted in one turn. Raises OSError."""
    server = await asyncio.get_running_loop().create_server(factory, backlog=_AT_ONCE, **where)
    for each in server.sockets:
        with each.dup() as same:  # asyncio knows one number for both
            same.listen(_BACKLOG)
    return server


class _Tls(SSLProtocol):
    """TLS in front of a connection. asyncio's own way tells of no connection before the handshake is over."""

    max_size = 32_768  # bytes read at once, and held by every connection

    def __init__(self, factory: Factory, tls: ssl.SSLContext, handshake_seconds: float) -> None:
        self._connection: Accepted = factory()
        super().__init__(
            asyncio.get_running_loop(),
            self._connection,
            tls,
            None,  # type: ignore[arg-type]
            server_side=True,
            ssl_handshake_timeout=handshake_seconds,  # type: ignore[arg-type]
            ssl_shutdown_timeout=_GOODBYE_SECONDS,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection.accepted(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._connection.lost()


def _copy(server: asyncio.Server) -> socket.socket:
    copy = server.sockets[0].dup()
    copy.setblocking(False)
    return copy


def _is_taken(error: AddressInUseError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in {errno.EADDRINUSE, errno.EACCES}
