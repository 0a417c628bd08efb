"""Deadlines and the cap, with small limits: whoever does not move on is closed, and never keeps Twitch waiting."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.ingress.places import Limits
from tests.support import rawhttp, signed
from tests.support.public import PublicRig, public_port
from tests.support.waiting import until

SMALL = Limits(headers=0.4, body=0.4, idle=1.6, answer=2.0, sweep=0.05)
SLACK = 0.6
"""Seconds a closing may come late on a busy machine."""


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[PublicRig]:
    async with public_port(tmp_path, SMALL) as rig:
        yield rig


def test_the_limits_in_use_are_those_of_the_contract() -> None:
    limits = Limits()
    assert (limits.headers, limits.body, limits.idle) == (10.0, 10.0, 60.0)
    assert (limits.connections, limits.body_bytes) == (512, 65_536)


async def test_a_silent_connection(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as client:
        assert SMALL.headers * 0.8 < await client.closed() < SMALL.headers + SLACK


async def test_dripping_headers(port: PublicRig) -> None:
    """A byte now and then buys no time: the deadline is that of the whole head."""
    async with rawhttp.connect(port.address) as client:
        dripping = asyncio.get_running_loop().create_task(
            _drip(client, b"GET /health HTTP/1.1\r\nX-Slow: " + b"x" * 99)
        )
        try:
            assert SMALL.headers * 0.8 < await client.closed() < SMALL.headers + SLACK
        finally:
            dripping.cancel()


async def test_dripping_headers_of_a_later_request(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as client:
        await client.send(rawhttp.request(target="/health"))
        await client.answer()
        dripping = asyncio.get_running_loop().create_task(
            _drip(client, b"GET /health HTTP/1.1\r\nX-Slow: " + b"x" * 99)
        )
        try:
            assert await client.closed() < SMALL.headers + SLACK
        finally:
            dripping.cancel()


async def test_dripping_headers_behind_a_pipelined_request(port: PublicRig) -> None:
    """The head began before the first answer was out."""
    async with rawhttp.connect(port.address) as client:
        begun = time.monotonic()
        await client.send(rawhttp.request(target="/health") + b"GET /health HTTP/1.1\r\nX-Slow: ")
        assert (await client.answer()).status == 200
        await client.closed()
        assert time.monotonic() - begun < SMALL.idle + SLACK


async def _drip(client: rawhttp.Connection, data: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        for number in range(len(data)):
            await client.send(data[number : number + 1])
            await asyncio.sleep(0.03)


@pytest.mark.parametrize("drips", [False, True])
async def test_a_body_that_does_not_come(port: PublicRig, drips: bool) -> None:
    message = signed.online(port.now())
    data = message.request()
    async with rawhttp.connect(port.address) as client:
        head = len(data) - len(message.body)
        await client.send(data[: head + 5])
        begun = time.monotonic()
        dripping = asyncio.get_running_loop().create_task(_drip(client, data[head + 5 : -1] if drips else b""))
        try:
            answer = await client.answer()
            assert (answer.status, answer.body) == (408, b"")
            assert SMALL.body * 0.8 < time.monotonic() - begun < SMALL.body + SLACK
            await client.closed(timeout=2)
        finally:
            dripping.cancel()
    assert await port.stored() == []


@pytest.mark.parametrize("target", ["/twitch", "/nothing"])
async def test_chunks_that_break(port: PublicRig, target: str) -> None:
    headers = [*signed.online(port.now()).headers(), ("Transfer-Encoding", "chunked")]
    async with rawhttp.connect(port.address) as client:
        await client.send(rawhttp.request("POST", target, headers, length=False) + b"3\r\nabc\r\n")
        await asyncio.sleep(0.05)  # the request is being handled by now
        await client.send(b"zz\r\nabc\r\n")
        assert 400 <= (await client.answer()).status < 500
        await client.closed()
    assert await port.stored() == []


async def test_an_idle_connection_is_kept_for_a_while(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as client:
        for _ in range(4):  # each request begins a new wait
            await client.send(rawhttp.request(target="/health"))
            await client.answer()
            await asyncio.sleep(SMALL.headers + 0.1)
        await client.send(rawhttp.request(target="/health"))
        await client.answer()
        assert SMALL.idle * 0.8 < await client.closed() < SMALL.idle + SLACK


async def test_a_slow_ledger_is_no_reason_to_hang_up(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as twitch:
        async with port.ledger_held():
            await twitch.send(signed.online(port.now()).request())
            await asyncio.sleep(SMALL.idle + 0.3)
        assert (await twitch.answer()).status == 204


async def test_a_client_that_reads_no_answers(port: PublicRig) -> None:
    """It pipelines for ever and never reads: what we hold for it is bounded, and it is closed."""
    async with rawhttp.connect(port.address) as client:
        many = rawhttp.request("BREW", "/nothing") * 100
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(8):
                while True:
                    await client.send(many)
        assert (await port.post(signed.online(port.now()))).status == 204


async def _idle_crowd(address: rawhttp.Address, count: int, crowd: contextlib.AsyncExitStack) -> None:
    for _ in range(count):
        await crowd.enter_async_context(rawhttp.connect(address))


@pytest.fixture
async def usual(tmp_path: Path) -> AsyncIterator[PublicRig]:
    """Usual limits: 512 connections and 10 s of patience."""
    async with public_port(tmp_path) as rig:
        yield rig


async def test_600_silent_connections_do_not_keep_twitch_out(usual: PublicRig) -> None:
    async with contextlib.AsyncExitStack() as crowd:
        await _idle_crowd(usual.address, 600, crowd)
        begun = time.monotonic()
        assert (await usual.post(signed.online(usual.now()))).status == 204
        assert time.monotonic() - begun < 5.0, "Twitch waits twice as long"
        assert _open(usual) <= 512


async def test_600_at_once_are_capped(usual: PublicRig) -> None:
    """All connect within one turn of the loop, as a flood does."""
    async with contextlib.AsyncExitStack() as crowd:
        await asyncio.gather(*(crowd.enter_async_context(rawhttp.connect(usual.address)) for _ in range(600)))
        assert (await usual.post(signed.online(usual.now()))).status == 204
        await until(lambda: _open(usual) <= 512, timeout=2, what="the cap holds")


async def test_who_was_served_is_not_the_first_to_go(tmp_path: Path) -> None:
    """Twitch's own connection, idle between two messages, outlives strangers that never asked for anything."""
    async with public_port(tmp_path, Limits(connections=8)) as rig, rawhttp.connect(rig.address) as twitch:
        await twitch.send(signed.online(rig.now()).request())
        assert (await twitch.answer()).status == 204
        async with contextlib.AsyncExitStack() as crowd:
            await _idle_crowd(rig.address, 20, crowd)
            await twitch.send(signed.online(rig.now()).request())
            assert (await twitch.answer()).status == 204


async def test_requests_under_way_never_make_room(tmp_path: Path) -> None:
    async with public_port(tmp_path, Limits(connections=4)) as rig, contextlib.AsyncExitStack() as crowd:
        waiting = [await crowd.enter_async_context(rawhttp.connect(rig.address)) for _ in range(4)]
        async with rig.ledger_held():
            for client in waiting:
                await client.send(signed.online(rig.now()).request())
            await asyncio.sleep(0.1)
            late = await crowd.enter_async_context(rawhttp.connect(rig.address))
            await late.send(signed.online(rig.now()).request())
            await asyncio.sleep(0.1)
        for client in waiting:
            assert (await client.answer()).status == 204


def _open(rig: PublicRig) -> int:
    guarded = rig.server._guarded
    assert guarded is not None
    return sum(connection.transport is not None for connection in guarded.connections)
