"""The HTTP server under the public port, with the deadlines and the cap that aiohttp does not have.

aiohttp leaves a silent or dripping connection open for minutes and idle ones for an hour (measured). Here every
connection always has a deadline, and one sweep a second closes those that missed theirs; a request pays nothing for
it. When all places are taken, the one nearest to its deadline makes room: strangers that never asked for anything
go before Twitch's own connection, idle between two messages, and a request being handled never does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

_log = structlog.get_logger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines in seconds, sizes in bytes."""

    connections: int = 512
    headers: float = 10.0
    """From the first byte (or the connection) to the end of the headers."""
    body: float = 10.0
    idle: float = 60.0
    answer: float = 20.0
    """From the whole request to the end of our answer."""
    body_bytes: int = 65536
    sweep: float = 1.0


class Connection(RequestHandler):
    """One connection, which knows by when it must have moved on."""

    __slots__ = ("between", "deadline", "guarded", "handling", "limits")

    def __init__(self, manager: GuardedServer, limits: Limits, **options: Any) -> None:
        super().__init__(manager, loop=asyncio.get_running_loop(), **options)
        self.guarded = manager
        self.limits = limits
        self.between = False
        """A request was answered and nothing of the next one has come."""
        self.handling = False
        self.deadline = self._loop.time() + limits.headers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.guarded.make_room()

    def data_received(self, data: bytes) -> None:
        if self.between:
            self.between = False
            self.deadline = self._loop.time() + self.limits.headers
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Nothing about our inside goes out, and nobody can fill the log with broken requests."""
        if status >= 500:
            _log.error("a request could not be handled", exc_info=exc)
        response = web.Response(status=status, headers={"Server": "itsjustintv"})
        response.force_close()
        return response


class GuardedServer(web.Server):
    """aiohttp's low-level server, making guarded connections."""

    def __init__(self, handler: Handler, limits: Limits) -> None:
        super().__init__(self._handle)
        self._answer = handler
        self._limits = limits
        self.refused = 0
        """Connections closed because they missed a deadline or had to make room."""

    def __call__(self) -> Connection:
        return Connection(
            self,
            self._limits,
            # Bytes as they came: the signature is over them, and a gzip bomb stays small.
            auto_decompress=False,
            access_log=None,
            keepalive_timeout=self._limits.idle,
            lingering_time=1.0,
            tcp_keepalive=False,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        time = asyncio.get_running_loop().time
        connection.handling = True
        connection.deadline = time() + self._limits.body + self._limits.answer
        try:
            return await self._answer(request)
        finally:
            connection.handling = False
            connection.between = True
            connection.deadline = time() + self._limits.idle

    async def sweep(self) -> None:
        """Close what missed its deadline, once a second, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._limits.sweep)
            now = loop.time()
            for connection in list(self._connections):
                if isinstance(connection, Connection) and connection.deadline < now:
                    self._drop(connection)

    def make_room(self) -> None:
        """Keep the cap, a new connection counted. One of a flood of them may be closed at once."""
        if len(self._connections) <= self._limits.connections:
            return
        # Those closed already stay in the list until the loop's next turn.
        alive = [each for each in self._connections if isinstance(each, Connection) and each.transport is not None]
        waiting = [each for each in alive if not each.handling]
        if waiting and len(alive) > self._limits.connections:
            self._drop(min(waiting, key=lambda each: each.deadline))

    def _drop(self, connection: Connection) -> None:
        self.refused += 1
        transport = connection.transport
        connection.force_close()
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class TooLargeError(Exception):
    """The body is larger than allowed."""


async def read_body(request: web.BaseRequest, limits: Limits) -> bytes:
    """The raw body. Raises TooLargeError, TimeoutError when it drips, ConnectionError when it breaks off."""
    length = request.content_length
    if length is not None and length > limits.body_bytes:
        raise TooLargeError
    content = request.content
    if content.is_eof():  # the usual case: it came in one piece with the headers
        body = content.read_nowait(-1)
        if len(body) > limits.body_bytes:
            raise TooLargeError
        return body
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(limits.body):
        while part := await content.readany():
            size += len(part)
            if size > limits.body_bytes:
                raise TooLargeError
            parts.append(part)
    return b"".join(parts)
