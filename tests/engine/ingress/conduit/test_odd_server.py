"""A server that says what Twitch never would: one bad message costs no more than itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.errors import EventSocketError
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.conduit.frames import LARGEST
from itsjustintv_desktop.engine.ingress.conduit.sockets import Dialler, Sockets
from tests.engine.ingress.conduit.test_frames import EVENT, SUBSCRIPTION, message, session
from tests.support.clock import FakeClock
from tests.support.waiting import until

Script = Callable[[web.WebSocketResponse], Awaitable[None]]

WELCOME = message("session_welcome", session(keepalive_timeout_seconds=10))
GOOD = message("notification", {"subscription": SUBSCRIPTION, "event": EVENT}, subscription_type="stream.online")


class Odd:
    """The lines to a server that follows a script, and what came of it."""

    def __init__(self, url: str, tasks: Tasks) -> None:
        self.clock = FakeClock()
        self.events: list[StreamEvent] = []
        self.dialler = Dialler(url, Outbound())
        self.lines = Sockets(
            self.dialler,
            tasks,
            clock=self.clock,
            on_event=self.events.append,
            stir=lambda: None,
            noise=LogThrottle(self.clock),
        )
        self.said: list[aiohttp.WSMessage] = []


@asynccontextmanager
async def odd_server(script: Script) -> AsyncIterator[Odd]:
    tasks = Tasks()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False, autoclose=False, timeout=0.2)
        await socket.prepare(request)
        await script(socket)
        while not socket.closed:
            said = await socket.receive()
            if said.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING}:
                break
            odd.said.append(said)
        return socket

    app = web.Application()
    app.router.add_get("/ws", handle)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    odd = Odd(f"ws://127.0.0.1:{runner.addresses[0][1]}/ws", tasks)
    try:
        yield odd
    finally:
        await tasks.stop()
        await odd.dialler.close()
        await runner.cleanup()


async def test_bad_messages_are_noted_once_and_the_next_one_counts() -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        for bad in ("", "{", "[]", message("notification", {}), message("session_welcome", {})):
            await socket.send_str(bad)
        await socket.send_bytes(b"\x00\x01")
        await socket.send_str(message("from_the_future", {"x": 1}))
        await socket.send_str(GOOD)

    with capture_logs() as logs:
        async with odd_server(script) as odd:
            opened = await odd.lines.open()
            await until(lambda: odd.events)
            assert (opened.id, opened.keepalive, opened.ended) == ("s-1", 10.0, None)
    told = [entry for entry in logs if entry["log_level"] == "warning"]
    assert len(told) == 1, "strangers cannot fill the log"
    assert "could not be read" in told[0]["event"]
    assert [entry["type"] for entry in logs if entry["log_level"] == "debug"] == ["from_the_future"]


async def test_nothing_is_said_but_pongs() -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await socket.ping(b"one")
        await socket.send_str(GOOD)
        await socket.ping(b"two")

    async with odd_server(script) as odd:
        await odd.lines.open()
        await until(lambda: len(odd.said) == 2)
    assert [(said.type, bytes(said.data)) for said in odd.said] == [
        (aiohttp.WSMsgType.PONG, b"one"),
        (aiohttp.WSMsgType.PONG, b"two"),
    ]


async def test_a_message_that_is_far_too_long_ends_the_socket() -> None:
    welcomed = asyncio.Event()

    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await welcomed.wait()
        await socket.send_str("x" * (LARGEST + 1))

    async with odd_server(script) as odd:
        opened = await odd.lines.open()
        welcomed.set()
        await asyncio.wait_for(opened.over.wait(), 10.0)
        assert opened.ended is not None
        assert opened.ended.code == 1009
        assert "far too long" in opened.ended.message


async def test_text_that_is_no_utf_8_ends_the_socket() -> None:
    welcomed = asyncio.Event()

    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await welcomed.wait()
        await socket.send_frame(b"\xff\xfe", aiohttp.WSMsgType.TEXT)

    async with odd_server(script) as odd:
        opened = await odd.lines.open()
        welcomed.set()
        await asyncio.wait_for(opened.over.wait(), 10.0)
        assert opened.ended is not None
        assert opened.ended.code == 1007
        assert "could not be understood" in opened.ended.message


@pytest.mark.parametrize(("close", "words"), [(1000, "closed the connection"), (4000, "had an error")])
async def test_an_end_before_the_welcome(close: int, words: str) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.close(code=close)

    async with odd_server(script) as odd:
        with pytest.raises(EventSocketError, match=words):
            await odd.lines.open()


async def test_a_server_that_takes_the_connection_and_says_nothing_at_all() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    tasks = Tasks()
    odd = Odd(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws", tasks)
    opening = asyncio.create_task(odd.lines.open())
    await until(lambda: connections and odd.clock.sleeping == [10.0])
    odd.clock.advance(10.0)
    with pytest.raises(EventSocketError, match="did not answer within 10 seconds"):
        await opening
    await tasks.stop()
    await odd.dialler.close()
    for writer in connections:
        writer.close()
    server.close()


async def test_a_certificate_nobody_vouches_for_is_refused() -> None:
    async with odd_server(lambda _: asyncio.sleep(0)) as odd:
        plain = odd.dialler.address
        odd.dialler.address = plain.replace("ws:", "wss:")
        with pytest.raises(EventSocketError, match="TLS connection failed"):
            await odd.lines.open()


HOME = "wss://eventsub.wss.twitch.tv/ws"


@pytest.mark.parametrize(
    ("home", "url", "allowed"),
    [
        (HOME, "wss://eventsub.wss.twitch.tv/ws?challenge=x&id=y", True),
        (HOME, "wss://cell-a.eventsub.wss.twitch.tv/ws", True),
        (HOME, "wss://eventsub.wss.twitch.tv./ws", True),
        (HOME, "ws://eventsub.wss.twitch.tv/ws", False),
        (HOME, "https://eventsub.wss.twitch.tv/ws", False),
        (HOME, "wss://eviltwitch.tv/ws", False),
        (HOME, "wss://twitch.tv.example.com/ws", False),
        (HOME, "wss://eventsub.wss.twitch.tv@example.com/ws", False),
        (HOME, "wss://user@eventsub.wss.twitch.tv/ws", False),
        (HOME, "wss://127.0.0.1/ws", False),
        (HOME, "ws://127.0.0.1:1/ws", False),
        (HOME, "wss://[::1", False),
        (HOME, "wss://twitch.tv:99999999/", False),
        (HOME, "", False),
        ("ws://127.0.0.1:1/ws", "ws://127.0.0.1:2/other", True),
        ("ws://127.0.0.1:1/ws", "ws://10.0.0.1:2/other", False),
        ("ws://127.0.0.1:1/ws", HOME, False),
    ],
)
def test_where_twitch_may_send_us(home: str, url: str, allowed: bool) -> None:
    assert Dialler(home, Outbound()).may_follow(url) is allowed


async def test_the_address_of_a_move_is_used_as_it_stands() -> None:
    seen: list[str] = []
    tasks = Tasks()

    async def raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n")).decode())
        writer.close()

    server = await asyncio.start_server(raw, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    odd = Odd(f"ws://127.0.0.1:{port}/ws", tasks)
    with pytest.raises(EventSocketError):
        await odd.lines.open(f"ws://127.0.0.1:{port}/ws?challenge=a%2Fb+c%7E&id=x%3D%3d")
    with pytest.raises(EventSocketError):
        await odd.lines.open()
    assert set(seen) == {
        "GET /ws?challenge=a%2Fb+c%7E&id=x%3D%3d HTTP/1.1\r\n",
        "GET /ws?keepalive_timeout_seconds=30 HTTP/1.1\r\n",
    }
    await tasks.stop()
    await odd.dialler.close()
    server.close()
