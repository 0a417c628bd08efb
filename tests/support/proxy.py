"""An HTTP proxy on loopback (RFC 9110 9.3.6, RFC 9112 3.2.2): CONNECT and absolute addresses, names of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


class ForwardProxy:
    """Every name leads to loopback: to the port that was asked for, or to that of `names`."""

    def __init__(self, user: str = "", password: str = "") -> None:
        self._credentials = f"{user}:{password}" if user or password else ""
        self.names: dict[str, int] = {}
        """Ports of names that exist; all do while it is empty."""
        self.asked: list[str] = []
        """The first line of each request."""
        self.heads: list[str] = []
        """Each request's lines and headers, whole."""
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        user = f"{self._credentials}@" if self._credentials else ""
        return f"http://{user}127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._serve(reader, writer)
        self._open.discard(writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, address, lines = await self._head(reader)
        if self._credentials:
            word = base64.b64encode(self._credentials.encode()).decode()
            if f"Proxy-Authorization: Basic {word}" not in lines:
                await _answer(writer, "407 Proxy Authentication Required")
                return
        parts = urlsplit(f"//{address}" if method == "CONNECT" else address)
        port = self.names.get(parts.hostname or "") if self.names else parts.port or 80
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port or 1)
        except OSError:
            await _answer(writer, "502 Bad Gateway")
            return
        self._open.add(back)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        else:
            await asyncio.gather(self._forward(method, address, lines, reader, back), _pump(there, writer))
        self._open.discard(back)

    async def _head(self, reader: asyncio.StreamReader) -> tuple[str, str, list[str]]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        self.asked.append(line)
        self.heads.append(head)
        method, address, _ = line.split(" ")
        return method, address, lines

    async def _forward(
        self, method: str, address: str, lines: list[str], reader: asyncio.StreamReader, back: asyncio.StreamWriter
    ) -> None:
        """This request and all that follow it on the connection; they go to the same server here."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                parts = urlsplit(address)
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                kept = [each for each in lines if not each.lower().startswith("proxy-")]
                back.write("\r\n".join([f"{method} {path} HTTP/1.1", *kept, "", ""]).encode("latin-1"))
                length = next((each for each in lines if each.lower().startswith("content-length:")), ":0")
                back.write(await reader.readexactly(int(length.partition(":")[2])))
                await back.drain()
                method, address, lines = await self._head(reader)
        back.close()

    def close(self) -> None:
        for writer in self._open:
            writer.close()


async def _answer(writer: asyncio.StreamWriter, status: str) -> None:
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


@contextlib.asynccontextmanager
async def forward_proxy(user: str = "", password: str = "") -> AsyncIterator[ForwardProxy]:
    made = ForwardProxy(user, password)
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.close()
