"""The slow crowd as a program of its own (HOST PORT COUNT), so that its work is not measured as the server's."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from tests.support import rawhttp


async def _slow(address: rawhttp.Address) -> None:
    """Open, drip a header byte by byte, and come back whenever it is closed."""
    while True:
        with contextlib.suppress(OSError):
            async with rawhttp.connect(address) as client:
                await client.send(b"POST /twitch HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                while await client.is_open():
                    await asyncio.sleep(0.5)
                    await client.send(b"x")
        await asyncio.sleep(0.5)


async def main(host: str, port: int, count: int) -> None:
    """Drips until the process is ended."""
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(_slow((host, port)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
