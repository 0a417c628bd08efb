"""HTTP by hand over a real socket: what a well-behaved client library would never send, and what came back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

Address = tuple[str, int]
HeaderList = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. Header names are in lower case, in the order they came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that must not come twice."""
        values = [value for key, value in self.headers if key == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


def request(
    method: str = "GET",
    target: str = "/",
    headers: HeaderList = (),
    body: bytes = b"",
    *,
    host: str | None = "localhost",
    length: bool = True,
    version: str = "1.1",
) -> bytes:
    """The bytes of a request; `length` False leaves Content-Length out."""
    lines = [f"{method} {target} HTTP/{version}".encode()]
    if host is not None:
        lines.append(f"Host: {host}".encode())
    for name, value in headers:
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    if length and (body or method == "POST"):
        lines.append(f"Content-Length: {len(body)}".encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body: bytes, size: int = 16_384) -> bytes:
    """`body` in the chunked transfer coding."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"


class Connection:
    """One TCP connection to the server under test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, *, timeout: float = 5.0, head: bool = False) -> Answer:
        """The next response; `head` for the answer to a HEAD. Raises TimeoutError, ConnectionError."""
        async with asyncio.timeout(timeout):
            try:
                status_line = await self._reader.readuntil(b"\r\n")
                headers: list[tuple[str, str]] = []
                while (line := await self._reader.readuntil(b"\r\n")) != b"\r\n":
                    name, _, value = line.decode("latin-1").partition(":")
                    headers.append((name.strip().lower(), value.strip()))
                found = dict(headers)
                assert "transfer-encoding" not in found, "answers here carry their length"
                status = int(status_line.split()[1])
                bare = head or status in {204, 304}
                body = b"" if bare else await self._reader.readexactly(int(found.get("content-length", "0")))
            except asyncio.IncompleteReadError as error:
                raise ConnectionError("closed before the answer was whole") from error
        return Answer(status, tuple(headers), body)

    async def closed(self, *, timeout: float = 5.0) -> float:
        """Wait until the server closed; seconds that took. Raises TimeoutError if it keeps it open."""
        begun = time.monotonic()
        async with asyncio.timeout(timeout):
            with contextlib.suppress(ConnectionError):
                while await self._reader.read(65_536):
                    pass
        return time.monotonic() - begun

    async def is_open(self) -> bool:
        """Whether nothing came and nothing closed it up to now."""
        await asyncio.sleep(0)
        return not self._reader.at_eof() and self._reader.exception() is None

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def connect(address: Address) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(*address)
    connection = Connection(reader, writer)
    try:
        yield connection
    finally:
        await connection.close()


async def ask(address: Address, data: bytes, *, timeout: float = 5.0, head: bool = False) -> Answer:
    """Send bytes on a connection of their own and read one answer."""
    async with connect(address) as connection:
        with contextlib.suppress(ConnectionError):  # refused before all of it was sent; the answer tells
            await connection.send(data)
        return await connection.answer(timeout=timeout, head=head)
