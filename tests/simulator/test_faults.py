from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import msgspec
import pytest

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.faults import Faults
from tests.simulator.conftest import Client

USERS = "/users", {"id": "1"}


@pytest.mark.parametrize("status", [500, 503, 401, 429])
async def test_a_status_at_one_endpoint_only(sim: Simulator, client: Client, status: int) -> None:
    sim.faults.set("users", status=status)
    got, data, _ = await client.ask(*USERS)
    assert (got, data["status"]) == (status, status)
    assert (await client.ask("/streams"))[0] == 200
    sim.faults.clear()
    assert (await client.ask(*USERS))[0] == 200
    assert sim.calls["users"] == 2


async def test_429_says_when_it_ends(sim: Simulator, client: Client) -> None:
    sim.faults.set("users", status=429, reset_in=5.0)
    _, _, headers = await client.ask(*USERS)
    assert headers["Ratelimit-Remaining"] == "0"
    assert 4 < int(headers["Ratelimit-Reset"]) - time.time() <= 6


async def test_everything_at_once(sim: Simulator, client: Client, session: aiohttp.ClientSession) -> None:
    sim.faults.set("*", status=503)
    assert (await client.ask(*USERS))[0] == 503
    for path in ("/oauth2/validate", "/images/profile/1-300x300.png"):
        async with session.get(sim.url + path) as response:
            assert response.status == 503


async def test_a_number_of_times(sim: Simulator, client: Client) -> None:
    sim.faults.set("users", status=500, times=2)
    assert [(await client.ask(*USERS))[0] for _ in range(4)] == [500, 500, 200, 200]


async def test_a_share_of_the_requests_and_the_same_ones_each_time(client: Client, sim: Simulator) -> None:
    sim.faults.set("users", failure_rate=0.5)
    statuses = [(await client.ask(*USERS))[0] for _ in range(60)]
    assert set(statuses) == {200, 503}
    runs: list[list[bool]] = []
    for seed in (7, 7, 8):
        faults = Faults(seed)
        faults.set("users", failure_rate=0.5)
        runs.append([faults.strike("users") is None for _ in range(60)])
    assert runs[0] == runs[1] != runs[2]


async def test_broken_json(sim: Simulator, client: Client) -> None:
    sim.faults.set("users", broken=True)
    with pytest.raises(ValueError):
        await client.ask(*USERS)


async def test_a_reset_connection(sim: Simulator, client: Client) -> None:
    sim.faults.set("users", reset=True)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await client.ask(*USERS)


async def test_a_reset_is_a_tcp_reset(sim: Simulator) -> None:
    sim.faults.set("users", reset=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sim.url.rpartition(":")[2]))
    writer.write(b"GET /helix/users?id=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_latency(sim: Simulator, client: Client) -> None:
    sim.faults.set("users", latency=0.15)
    begun = time.perf_counter()
    assert (await client.ask(*USERS))[0] == 200
    assert time.perf_counter() - begun >= 0.15


async def test_hanging_ends_with_the_client_or_the_simulator(session: aiohttp.ClientSession) -> None:
    async with Simulator() as sim:
        client = Client(sim, session)
        sim.faults.set("users", hang=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.ask(*USERS)
        begun = time.perf_counter()
    assert time.perf_counter() - begun < 10.0


def test_what_cannot_be_set() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="no endpoint 'user'"):
        faults.set("user", status=500)
    for details in ({"stauts": 500}, {"status": "high"}):
        wrong: dict[str, Any] = details
        with pytest.raises(msgspec.ValidationError):
            faults.set("users", **wrong)
        with pytest.raises(msgspec.ValidationError):
            faults.set_receiver("shop", **wrong)
    assert not faults.endpoints
    assert not faults.receivers
