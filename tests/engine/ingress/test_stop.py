"""Stopping: what is under way is answered, what is idle is closed, nothing is left listening."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import AddressInUseError
from tests.support import rawhttp, signed
from tests.support.public import PublicRig, public_port


async def test_a_request_under_way_is_answered(port: PublicRig) -> None:
    loop = asyncio.get_running_loop()
    async with rawhttp.connect(port.address) as twitch, rawhttp.connect(port.address) as idle:
        await idle.send(rawhttp.request(target="/health"))
        await idle.answer()
        async with port.ledger_held():
            await twitch.send(signed.online(port.now()).request())
            await asyncio.sleep(0.05)
            stopping = loop.create_task(port.server.stop())
            await asyncio.sleep(0.05)
            assert not stopping.done()
        assert (await twitch.answer()).status == 204
        await twitch.closed(timeout=2)
        await idle.closed(timeout=2)
        await stopping
    assert len(await port.stored()) == 1


async def test_idle_silent_and_half_sent_connections_do_not_delay_it(port: PublicRig) -> None:
    async with contextlib.AsyncExitStack() as crowd:
        clients = [await crowd.enter_async_context(rawhttp.connect(port.address)) for _ in range(30)]
        for client in clients[:10]:
            await client.send(rawhttp.request(target="/health"))
            await client.answer()
        for client in clients[10:20]:
            await client.send(b"POST /twitch HTTP/1.1\r\nHost:")
        begun = time.monotonic()
        await port.server.stop()
        assert time.monotonic() - begun < 1.5
        for client in clients:
            await client.closed(timeout=1)


async def test_a_body_that_never_ends_does_not_hold_it(port: PublicRig) -> None:
    async with rawhttp.connect(port.address) as client:
        data = signed.online(port.now()).request()
        await client.send(data[:-10])
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        await port.server.stop()
        assert time.monotonic() - begun < 6
        await client.closed(timeout=1)
    assert await port.stored() == []


async def test_nothing_listens_afterwards(port: PublicRig) -> None:
    await port.server.stop()
    with pytest.raises(ConnectionError):
        async with rawhttp.connect(port.address):
            pass


async def test_stopping_twice_and_before_the_start(tmp_path: Path) -> None:
    async with public_port(tmp_path) as rig:
        await rig.server.stop()  # the fixture stops it again


async def test_a_taken_port_is_a_sentence(port: PublicRig, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        other = tmp_path / "other"
        other.mkdir()
        async with public_port(other) as rig:
            await rig.server.stop()
            with pytest.raises(AddressInUseError, match=f"port {taken}: another program uses it") as caught:
                await rig.server.start("127.0.0.1", taken)
        assert "[server]" in caught.value.message


async def test_an_address_of_another_machine_is_a_sentence(port: PublicRig) -> None:
    await port.server.stop()
    with pytest.raises(AddressInUseError, match="this machine has no such address"):
        await port.server.start("192.0.2.1", 0)
    with pytest.raises(AddressInUseError, match=r"nothing\.invalid"):
        await port.server.start("nothing.invalid", 0)
