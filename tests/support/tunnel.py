"""A tunnel: a public port that leads to the program's own, and everything that becomes of such things."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Literal

import pytest

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.transports import BaseTransport, TransportState

Mode = Literal["open", "silent", "offline"]
_POLL = 15.0
_GIVEN_UP = 10.0
"""Seconds after which Twitch no longer waits for an answer."""
_OFFLINE = (
    b"HTTP/1.1 404 Not Found\r\nNgrok-Error-Code: ERR_NGROK_3200\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class Tunnel:
    """`open` hands on, `silent` takes connections and never answers, `offline` says that nobody is at the other end."""

    def __init__(self, clock: Clock) -> None:
        self.target: Callable[[], tuple[str, int] | None] = lambda: None
        self.address = ""
        self.silenced = 0
        """Connections that were never answered."""
        self._mode: Mode = "open"
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def move(self) -> None:
        """Another public address from now on; nobody answers at the old one."""
        old = self._server
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        if old is not None:
            old.close()
            await self._cut()

    async def turn(self, mode: Mode) -> None:
        self._mode = mode
        await self._cut()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(set(self._open))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._hand_on(reader, writer)
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self.target()
        if self._mode == "silent":
            self.silenced += 1
            await self._clock.sleep(_GIVEN_UP)
        elif self._mode == "offline" or target is None:
            await reader.read(65_536)
            writer.write(_OFFLINE)
            await writer.drain()
        else:
            inner, outer = await asyncio.open_connection(*target)
            try:
                await asyncio.gather(_pipe(reader, outer), _pipe(inner, writer))
            finally:
                outer.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


class TunnelWay(BaseTransport):
    """Asks the tunnel's program now and then for its address, and knows no more of it than that."""

    kind = "ngrok"

    def __init__(self, clock: Clock, on_change: Callable[[], None], tunnel: Tunnel) -> None:
        super().__init__(clock, on_change)
        self._tunnel = tunnel

    async def run(self) -> None:
        while True:
            callback = f"{self._tunnel.address}/twitch"
            self._set_target(Webhook(callback))
            self._tell(TransportState.READY, "ready", f"Twitch posts to {callback}.", address=callback)
            await self._pause(_POLL)


def use(tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every engine is reached through it from now on, whatever its config says."""
    monkeypatch.setattr(
        IngressManager, "_build", lambda reach, _: TunnelWay(reach._transports.clock, reach._way_changed, tunnel)
    )
