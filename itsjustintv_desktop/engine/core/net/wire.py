"""Connections that keep the first bytes of what comes back, and know whether any of a request may have gone out.

aiohttp's parser refuses responses that curl and browsers accept: a very long header, bytes after a 204, a wrong length,
bad chunks. Once a status line has arrived it decides, so where aiohttp gives up the bytes themselves are read, and
the connection is never used again.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp
import msgspec
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from multidict import CIMultiDict

from itsjustintv_desktop.engine.core.net.address_guard import Connector
from itsjustintv_desktop.engine.core.net.limits import HEADS

_KEPT = HEADS["max_line_size"] + 16 * 1024
_STATUS = re.compile(rb"HTTP/\d{1,2}(?:\.\d{1,2})?[ \t]+([1-9]\d\d)(?=[ \t\r\n]|\Z)")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"\r?\n")


class Raw(msgspec.Struct, frozen=True):
    """A response as its bytes say; `body` as it came, and perhaps only the beginning of it."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


def read(data: bytes) -> Raw | None:
    """The final response at the beginning of `data`, read as leniently as can be; None: no status line of one."""
    while True:
        data = data.lstrip(b"\r\n\t ")
        found = _STATUS.match(data)
        if found is None:
            return None
        status = int(found[1])
        head, body = data, b""
        if (end := _BLANK_LINE.search(data)) is not None:
            head, body = data[: end.start()], data[end.end() :]
        if status >= 200 or status == 101:
            return Raw(status, _headers(head), body)
        if end is None:
            return None
        data = body  # 1xx: the response itself is still to come


def _headers(head: bytes) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    for line in _LINE.split(head)[1:]:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon and name.strip():
            headers.add(name.strip(), value.strip())
    return headers


class Wire(ResponseHandler):
    """One connection. It serves one exchange at a time: the one that `begin` was last called with."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._received = bytearray()
        self._exchange: object = None
        self._copy: socket.socket | None = None
        self._asks_proxy = False

    def ask_proxy(self) -> None:
        """What comes back now is the answer of a proxy to CONNECT."""
        self._asks_proxy = True

    def begin(self, exchange: object, *, large: bool) -> None:
        """From here on bytes may go out, and what comes back belongs to `exchange`.

        `large`: what is sent goes out in pieces. A receiver that answers and closes without reading everything makes
        writing fail, and the transport closes with the response unread: it is read from a copy of the socket then.
        """
        self.end(self._exchange)
        self._received.clear()
        self._exchange, self._asks_proxy = exchange, False
        if large and self.transport is not None:
            with suppress(OSError):
                self._copy = self.transport.get_extra_info("socket").dup()
                self._copy.setblocking(False)

    def end(self, exchange: object) -> None:
        """`exchange` is over. It may have lost the connection to the next one already."""
        if self._exchange is exchange:
            self._exchange = None
            if self._copy is not None:
                self._copy.close()
                self._copy = None

    def received(self) -> bytes:
        """The first bytes that came back, also those that the transport did not read any more."""
        if self._copy is not None:
            with suppress(OSError):
                while len(self._received) < _KEPT and (data := self._copy.recv(_KEPT)):
                    self._received += self._clear(data)
        return bytes(self._received)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        # asyncio has no public way to the bytes that TLS still has to read.
        self._unread: ssl.MemoryBIO | None = getattr(getattr(transport, "_ssl_protocol", None), "_incoming", None)

    def _clear(self, data: bytes) -> bytes:
        if self._tls is None:
            return data
        clear = bytearray()
        if self._unread is not None:
            self._unread.write(data)
            with suppress(ssl.SSLError):
                while part := self._tls.read(_KEPT):
                    clear += part
        return bytes(clear)

    def data_received(self, data: bytes) -> None:
        if self._asks_proxy:
            super().data_received(data)
            return
        if self._exchange is None:
            self.abort()  # nobody asked: the next response would be taken for another
            return
        self._received += data[: _KEPT - len(self._received)]
        super().data_received(data)


class Exchange:
    """One request: the connection it was given, and what came back over it.

    `large`: the body goes out in pieces, so some of it may still be on its way when the server answers.
    """

    def __init__(self, *, large: bool = False) -> None:
        self._large = large
        self._wire: Wire | None = None

    @property
    def sent(self) -> bool:
        """Whether any of the request may have reached the server."""
        return self._wire is not None

    def connected(self, made: Wire) -> None:
        """From here on bytes may go out."""
        self._wire = made
        made.begin(self, large=self._large)

    def end(self) -> Raw | None:
        """It is over. What came back as its bytes say, for where aiohttp saw no response in them."""
        if self._wire is None:
            return None
        raw = read(self._wire.received())
        self._wire.end(self)
        return raw


CURRENT: ContextVar[Exchange | None] = ContextVar("CURRENT", default=None)
"""The exchange that asks for a connection."""


class Wires(Connector):
    """A connector whose connections are Wires, and which hands out none with anything left over in it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        factory: Any = partial(Wire, loop=self._loop)
        self._factory = factory

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                break
            connection.close()
        if req.proxy is not None and not req.is_ssl() and connection.protocol is not None:
            # Some proxies close after one response without saying so (tinyproxy): a next request would seem lost.
            connection.protocol.force_close()
        exchange = CURRENT.get()
        if exchange is not None and isinstance(connection.protocol, Wire):
            exchange.connected(connection.protocol)
        return connection

    async def _create_direct_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,
        *,
        client_error: type[Exception] = aiohttp.ClientConnectorError,
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        transport, made = await super()._create_direct_connection(req, traces, timeout, client_error=client_error)
        if client_error is aiohttp.ClientProxyConnectionError and isinstance(made, Wire):
            made.ask_proxy()
        return transport, made
