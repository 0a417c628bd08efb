"""The connections of the sender: they keep the first bytes of what comes back.

aiohttp's parser refuses responses that curl and browsers accept: a very long header, bytes after a 204, a wrong length,
bad chunks. Once a status line has arrived it decides, so where aiohttp gives up the bytes themselves are read, and
the connection is never used again.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp
import msgspec
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from multidict import CIMultiDict

from itsjustintv_desktop.engine.bounded import HEADS
from itsjustintv_desktop.engine.delivery import excerpt
from itsjustintv_desktop.engine.delivery.guard import Connector

_KEPT = HEADS["max_line_size"] + excerpt.LIMIT
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
        self._socket: Any = None

    def begin(self, exchange: object) -> None:
        """From here on bytes may go out, and what comes back belongs to `exchange`."""
        self._received.clear()
        self._exchange = exchange

    def end(self, exchange: object) -> None:
        """`exchange` is over. It may have lost the connection to the next one already."""
        if self._exchange is exchange:
            self._exchange = None

    def received(self) -> bytes:
        """The first bytes that came back, also those that nobody has read yet because writing failed before."""
        self._drain()
        return bytes(self._received)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if transport.get_extra_info("sslcontext") is None:
            self._socket = transport.get_extra_info("socket")

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            self.abort()  # nobody asked: the next response would be taken for another
            return
        self._received += data[: _KEPT - len(self._received)]
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._drain()
        super().connection_lost(exc)
        self._socket = None

    def _drain(self) -> None:
        """A receiver that answers and closes without reading everything makes writing fail: its response waits here."""
        if self._socket is None or self._exchange is None:
            return
        with suppress(OSError), self._socket.dup() as copy:
            copy.setblocking(False)
            while len(self._received) < _KEPT and (data := copy.recv(_KEPT - len(self._received))):
                self._received += data


TAKEN_BY: ContextVar[Any] = ContextVar("TAKEN_BY")
"""The exchange that asks for a connection; its `connected` is called with the Wire."""


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
        TAKEN_BY.get().connected(connection.protocol)
        return connection
