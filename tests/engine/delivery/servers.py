"""Receivers on loopback that behave as badly as a test asks for."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from multidict import CIMultiDict

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Request:
    """One request as it came over the wire."""

    def __init__(self, line: str, headers: CIMultiDict[str], body: bytes) -> None:
        self.line = line
        self.headers = headers
        self.body = body


Behaviour = Callable[["Receiver", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Receiver:
    """A raw TCP server: it records what it reads and then does what its behaviour says."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.requests: list[Request] = []
        self.connections = 0
        self.closed_by_client = asyncio.Event()
        self.handlers: set[asyncio.Task[None]] = set()
        """One for each connection that is open."""
        self.port = 0

    def url(self, path: str = "/hook", scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def read(self, reader: asyncio.StreamReader) -> Request:
        """The next request, body included. Raises IncompleteReadError at the end of the connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: CIMultiDict[str] = CIMultiDict()
        for name, _, value in (line.partition(": ") for line in head[1:] if line):
            headers.add(name, value)
        body = await reader.readexactly(int(headers.get("Content-Length", "0")))
        request = Request(head[0], headers, body)
        self.requests.append(request)
        return request

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._behaviour(self, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            self.closed_by_client.set()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def receiver(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    made = Receiver(behaviour)
    handlers = made.handlers

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await made.handle(reader, writer)
        handlers.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        if handlers:
            await asyncio.wait(handlers, timeout=5)


def answering(data: bytes) -> Behaviour:
    """Answer each request on a connection with these very bytes."""

    async def behave(made: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await made.read(reader)
            writer.write(data)
            await writer.drain()

    return behave


def status(code: int, *headers: str, body: bytes = b"") -> Behaviour:
    lines = [f"HTTP/1.1 {code} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return answering("\r\n".join(lines).encode("latin-1") + body)
