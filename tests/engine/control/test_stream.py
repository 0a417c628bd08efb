"""`GET /v1/stream`: what a tray sees, and what a reader that is slow, gone, or one too many makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from aiohttp import web

from itsjustintv_desktop import __version__
from itsjustintv_desktop.engine.control import address, stream
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.control.stream import MOST_READERS, Heartbeat, Hello, Lost, StreamLine
from itsjustintv_desktop.engine.core.errors import ControlError
from itsjustintv_desktop.engine.core.events import DeliveryChanged, EngineEvent, EventSettled, HealthChanged, Notice
from itsjustintv_desktop.engine.core.models import DeliveryState
from tests.support import rawhttp
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_engine(tmp_path) as running:
        yield running


@pytest.fixture
async def client(running: Running) -> AsyncIterator[ControlClient]:
    found = address.read(running.paths.control)
    assert found is not None
    async with ControlClient(found) as client:
        yield client


def request(running: Running, **changes: str) -> bytes:
    found = address.read(running.paths.control)
    assert found is not None
    headers: list[tuple[str, str | bytes]] = [("Authorization", changes.get("token", f"Bearer {found.token}"))]
    return rawhttp.request("GET", "/v1/stream", headers, b"", host=f"127.0.0.1:{found.port}")


async def connected(running: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    found = address.read(running.paths.control)
    assert found is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", found.port, limit=2**24)
    writer.write(request(running))
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def test_every_event_has_a_type_of_its_own() -> None:
    tags = [each.__struct_config__.tag for each in get_args(StreamLine)]
    assert set(get_args(EngineEvent)) < set(get_args(StreamLine))
    assert all(isinstance(tag, str) for tag in tags)
    assert len(set(tags)) == len(tags)
    msgspec.json.Decoder(StreamLine)  # raises if they cannot be told apart


async def test_first_how_all_is_and_then_what_happens(running: Running, client: ControlClient) -> None:
    async with aclosing(client.stream()) as lines:
        first = await anext(lines)
        assert isinstance(first, Hello)
        assert (first.version, first.health in {"ok", "waiting", "failing"}) == (__version__, True)
        assert first.counts is not None
        assert first.counts.by_state == {}
        await running.simulator.go_live("alice")
        seen: list[StreamLine] = []
        async for line in lines:
            seen.append(line)
            if isinstance(line, DeliveryChanged):
                break
    assert any(isinstance(line, EventSettled) and line.login == "alice" for line in seen)
    assert isinstance(seen[-1], DeliveryChanged)
    assert seen[-1].state is DeliveryState.DELIVERED
    text = msgspec.json.encode(seen).decode()
    assert SECRET not in text
    assert "/receiver/" not in text


async def test_health_and_its_end_are_told(running: Running, client: ControlClient) -> None:
    async with aclosing(client.stream()) as lines:
        await anext(lines)
        running.engine.health.observe()
        running.engine.supervisor.broken["feed"] = "OSError"
        running.engine.health.observe()
        del running.engine.supervisor.broken["feed"]
        running.engine.health.observe()
        seen: list[HealthChanged] = []
        async for line in lines:
            if isinstance(line, HealthChanged) and line.part == "feed":
                seen.append(line)
                if len(seen) == 2:
                    break
    assert [(line.status, "OSError" in line.reason) for line in seen] == [("failing", True), ("ok", False)]
    assert abs(seen[0].since - time.time()) < 10


@pytest.mark.parametrize("token", ["", "Bearer wrong"])
async def test_not_without_the_token(running: Running, token: str) -> None:
    found = address.read(running.paths.control)
    assert found is not None
    answer = await rawhttp.ask(("127.0.0.1", found.port), request(running, token=token))
    assert answer.status == 401
    assert running.engine.bus._watchers == []


async def test_a_heartbeat_while_nothing_happens(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    served = stream.EventStream(running.engine.bus, running.engine.health, running.engine.ledger, heartbeat=0.01)
    events = running.engine.subscribe()
    (line,) = await served._next(events)
    assert isinstance(line, Heartbeat)
    events.put(Notice(text="x"))
    assert await served._next(events) == [Notice(text="x")]


async def test_what_overflows_is_counted_and_said_first(running: Running) -> None:
    served = stream.EventStream(running.engine.bus, running.engine.health, running.engine.ledger)
    events = running.engine.subscribe(3)
    for number in range(10):
        events.put(Notice(text=str(number)))
    assert await served._next(events) == [Lost(count=7), *(Notice(text=text) for text in "789")]
    events.put(Notice(text="10"))
    assert await served._next(events) == [Notice(text="10")]


async def test_a_reader_that_takes_nothing_in_is_cut_off_and_the_others_go_on(
    running: Running, client: ControlClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "WRITE_SECONDS", 0.3)
    reader, writer = await connected(running)
    await until(lambda: len(running.engine.bus._watchers) == 1)
    async with aclosing(client.stream()) as lines:
        await anext(lines)
        long = Notice(text="x" * 50_000)
        lost = 0
        while len(running.engine.bus._watchers) == 2:
            for _ in range(20):
                running.engine.bus.publish(long)
            for _ in range(20):
                line = await anext(lines)
                lost += isinstance(line, Lost)
        assert lost == 0
        assert len(running.engine.bus._watchers) == 1, "and it is forgotten"
    writer.close()
    del reader


async def test_a_reader_that_went_makes_room(running: Running) -> None:
    there = [await connected(running) for _ in range(MOST_READERS)]
    await until(lambda: len(running.engine.bus._watchers) == MOST_READERS)
    found = address.read(running.paths.control)
    assert found is not None
    answer = await rawhttp.ask(("127.0.0.1", found.port), request(running))
    assert answer.status == 503
    assert b"Too many readers" in answer.body
    there[0][1].close()

    async def has_room() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", found.port)
        writer.write(request(running))
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return head.startswith(b"HTTP/1.1 200")

    await until(has_room)
    for _, writer in there:
        writer.close()


async def test_a_stop_ends_it_and_does_not_wait_for_it(running: Running, client: ControlClient) -> None:
    async with aclosing(client.stream()) as lines:
        await anext(lines)
        began = time.monotonic()
        stopping = asyncio.ensure_future(running.stop())
        async for _ in lines:
            pass
        await stopping
        assert time.monotonic() - began < 1.5


async def test_a_program_that_is_killed_is_an_error(client: ControlClient, running: Running) -> None:
    async with aclosing(client.stream()) as lines:
        await anext(lines)
        for transport in [each.transport for each in _requests(running)]:
            assert transport is not None
            transport.abort()
        with pytest.raises(ControlError):
            async for _ in lines:
                pass


async def test_a_line_of_a_newer_program_is_left_out() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = b'{"type":"tomorrow","x":1}\n{"type":"notice","text":"known","more":1}\n'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(lines) + lines)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with ControlClient(address.ControlAddress(port=port, token="t", pid=1)) as client:
            assert [line async for line in client.stream()] == [Notice(text="known")]


def _requests(running: Running) -> list[web.Request]:
    (control,) = [close for name, close in running.engine._closers if name == "control port"]
    return list(control.__self__._stream._readers.values())  # type: ignore[attr-defined]
