"""A hostile crowd as a program of its own (HOST PORT COUNT KIND), so that its work is not measured as the server's."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable

from itsjustintv_desktop.engine.core.descriptors import raise_limit
from tests.support import rawhttp

Client = Callable[[rawhttp.Connection], Awaitable[None]]

_HEADERS = b"POST /twitch HTTP/1.1\r\nHost: a\r\n"
_WITH_LENGTH = _HEADERS + b"Content-Length: 1000\r\n\r\n"
_CHUNKED = _HEADERS + b"Transfer-Encoding: chunked\r\n\r\n"
_WHOLE = _HEADERS + b"Content-Length: 2\r\n\r\n{}"
_EVERY = 0.5
"""Seconds between two pieces."""


async def _silent(client: rawhttp.Connection) -> None:
    """Send nothing at all."""
    await client.closed(timeout=600)


async def _dripping(client: rawhttp.Connection, begin: bytes, piece: bytes) -> None:
    await client.send(begin)
    while await client.is_open():
        await asyncio.sleep(_EVERY)
        await client.send(piece)


async def _asking(client: rawhttp.Connection, request: bytes, pause: float) -> None:
    """Ask, take the answer, and again after a while."""
    while True:
        await client.send(request)
        await client.answer()
        await asyncio.sleep(pause)


async def _deaf(client: rawhttp.Connection) -> None:
    """Ask and ask, and never read an answer."""
    while True:
        await client.send(rawhttp.request(target="/health") * 50)
        await asyncio.sleep(0.1)


KINDS: dict[str, Client] = {
    "silent": _silent,
    "slow headers": lambda client: _dripping(client, _HEADERS + b"X-Slow: ", b"x"),
    "no body": lambda client: _dripping(client, _WITH_LENGTH, b""),
    "a dripping body": lambda client: _dripping(client, _WITH_LENGTH, b"x"),
    "dripping chunks": lambda client: _dripping(client, _CHUNKED, b"1\r\nx\r\n"),
    "idle": lambda client: _asking(client, rawhttp.request(target="/health"), 600),
    "unsigned, then idle": lambda client: _asking(client, _WHOLE, 600),
    "many requests": lambda client: _asking(client, _WHOLE, 0.2),
    "deaf": _deaf,
}


async def _attack(address: rawhttp.Address, client: Client) -> None:
    """Come back whenever it is closed."""
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with rawhttp.connect(address) as connection:
                await client(connection)
        await asyncio.sleep(_EVERY)


async def main(host: str, port: int, count: int, kind: str) -> None:
    """Goes on until the process is ended."""
    raise_limit()
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(_attack((host, port), KINDS[kind]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
