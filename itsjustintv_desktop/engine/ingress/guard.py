"""The HTTP server under every port, with the deadlines, the cap and the strictness that aiohttp does not have.

aiohttp leaves a silent or dripping connection open for minutes and idle ones for an hour (measured). Here every
connection always has a deadline, and one sweep a second closes those that missed theirs; a request pays nothing for
it. Its parser takes several blanks in a request line, HTTP/0.9 and HTTP/2.0, and other protocols' names: refused here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http import HttpVersion10, HttpVersion11
from aiohttp.web_protocol import RequestHandler

from itsjustintv_desktop.engine.ingress.places import Limits, Place, Places

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
"""What a Host header may be made of (RFC 9110, 7.2)."""
_END_OF_HEADERS = b"\r\n\r\n"
_FOLLOWED = 65_536
"""So many bytes of a request are kept to know where the next one begins."""


class GuardedConnection(RequestHandler):
    """One connection, which knows by when it must have moved on."""

    __slots__ = ("_head", "_known", "_raw", "between", "limits", "place", "places")

    def __init__(self, server: web.Server, places: Places, limits: Limits) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            # Bytes as they came: the signature is over them, and a gzip bomb stays small.
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]
            keepalive_timeout=limits.idle,
            lingering_time=1.0,
            tcp_keepalive=False,
        )
        self.places = places
        self.limits = limits
        self.place = Place(self._loop.time(), limits.headers)
        self.between = False
        """A request was answered and nothing of the next one has come."""
        self._raw: bytes | None = b""
        """What came since the last request ended; None: not known any more where that was."""
        self._known = b"\0"
        """How the last proper request began: its first line and its host."""
        self._head = 0
        """Where its headers ended."""

    def accepted(self, transport: asyncio.BaseTransport) -> None:
        """It takes its place. Behind TLS: before the handshake, with the transport below it."""
        self.places.add(self.place, transport)

    def lost(self) -> None:
        """The socket is closed."""
        self.places.remove(self.place)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.place.transport is None:
            self.accepted(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.between:
            self.between = False
            self.place.deadline = self._loop.time() + self.limits.headers
        raw = self._raw
        if raw is not None:
            self._raw = data if not raw else raw + data if len(raw) < _FOLLOWED else None
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - whatever the parser stumbles over, a stranger sent it
            self.places.fault(error)
            self.force_close()

    def is_proper(self, request: web.BaseRequest) -> bool:
        """Whether it is HTTP/1.0 or 1.1 to the letter, in what the parser does not insist on."""
        raw, coding = self._raw, request.headers.get(hdrs.TRANSFER_ENCODING)
        if coding is None:
            return (raw is not None and raw.startswith(self._known)) or self._begins_properly(request)
        begins = self._begins_properly(request)
        self._raw = None  # it does not say how long it is
        return begins and coding.lower() == "chunked" and request.version == HttpVersion11

    def ended(self, request: web.BaseRequest) -> bool:
        """It was handled: the next one begins behind it. Whether some of that has come already."""
        raw = self._raw
        if raw is None:
            return False
        content = request.content
        if not raw.startswith(_END_OF_HEADERS, self._head):  # mostly where it was in the last one
            self._head = raw.find(_END_OF_HEADERS)
        more = len(raw) - self._head - len(_END_OF_HEADERS) - content.total_bytes
        if more < 0 or not content.is_eof():
            self._raw = None
            return False
        self._raw = raw[-more:] if more else b""
        return more > 0

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Nothing about our inside goes out, and nobody can fill the log with broken requests."""
        if status >= 500:
            self._broke(exc)
        return refusal(status)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """What broke behind the answer: mostly the rest of a body."""
        self._broke(kw.get("exc_info"))

    def _broke(self, error: BaseException | None) -> None:
        transport = self.transport
        is_gone = transport is None or transport.is_closing()
        if not is_gone and not isinstance(error, web.RequestPayloadError):  # else its sender left, or writes rubbish
            self.places.fault(error)

    def _begins_properly(self, request: web.BaseRequest) -> bool:
        """Its version, its host, and its first line: single blanks, HTTP's own name. One empty line may precede it."""
        version, host = request.version, request.headers.get(hdrs.HOST, "")
        if (version != HttpVersion11 and version != HttpVersion10) or not _HOST.fullmatch(host):
            return False
        raw = self._raw
        if raw is None:
            return True
        text = f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}\r\n"
        line = text.encode("utf-8", "surrogateescape")
        known = line + f"Host: {host}\r\n".encode()
        if raw.startswith(known):
            self._known = known
            return True
        return raw.startswith((line, b"\r\n" + line))


class GuardedServer(web.Server):
    """aiohttp's low-level server, making guarded connections."""

    def __init__(self, handler: Handler, limits: Limits, places: Places) -> None:
        super().__init__(partial(guarded, handler))
        self._limits = limits
        self._places = places

    def __call__(self) -> GuardedConnection:
        return GuardedConnection(self, self._places, self._limits)


async def guarded(answer: Handler, request: web.BaseRequest) -> web.StreamResponse:
    """Answer a request of a `GuardedConnection`, if it is proper HTTP."""
    connection = request.protocol
    assert isinstance(connection, GuardedConnection)
    place, limits, time = connection.place, connection.limits, asyncio.get_running_loop().time
    place.busy = True
    place.deadline = time() + limits.body + limits.answer
    try:
        response = await answer(request) if connection.is_proper(request) else refusal(400)
    finally:
        more = connection.ended(request)
        connection.between = place.served = True
        place.busy = False
        place.since = now = time()
        place.deadline = now + limits.idle
    if more and not place.proven:
        response.force_close()  # a stranger does not need to send requests before the answers to those before
    return response


def refusal(status: int) -> web.Response:
    """An empty answer, behind which the connection is closed."""
    response = web.Response(status=status, headers={"Server": "itsjustintv"})
    response.force_close()
    return response


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
    connection = request.protocol
    assert isinstance(connection, GuardedConnection)
    connection.places.owes(connection.place)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body):
            while part := await content.readany():
                size += len(part)
                if size > limits.body_bytes:
                    raise TooLargeError
                parts.append(part)
    except RuntimeError as error:
        if connection.transport is not None:
            raise
        raise ConnectionResetError("the client is gone") from error  # before it was read: aiohttp's way to say so
    finally:
        connection.places.paid(connection.place)
    return b"".join(parts)
