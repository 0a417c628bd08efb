from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import aiohttp
import pytest

from itsjustintv_desktop import simulator
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.server import run


async def test_one_port_on_loopback_for_everything(sim: Simulator) -> None:
    assert sim.url.startswith("http://127.0.0.1:")
    assert sim.environment() == {
        "ITSJUSTINTV_TWITCH_API_URL": f"{sim.url}/helix",
        "ITSJUSTINTV_TWITCH_AUTH_URL": f"{sim.url}/oauth2",
        "ITSJUSTINTV_TWITCH_EVENTSUB_URL": f"ws{sim.url.removeprefix('http')}/ws",
        "ITSJUSTINTV_TWITCH_CLIENT_ID": "simulated-client-id",
        "ITSJUSTINTV_TWITCH_CLIENT_SECRET": "simulated-client-secret",
        "ITSJUSTINTV_TWITCH_WEBHOOK_SECRET": "simulated-webhook-secret",
    }


async def test_it_comes_back_on_the_same_port_with_what_it_knew(session: aiohttp.ClientSession) -> None:
    sim = Simulator()
    await sim.start()
    sim.add_channel("ada")
    url = sim.url
    await sim.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.get(f"{url}/simulator/state")
    await sim.start()
    assert sim.url == url
    async with session.get(f"{url}/simulator/state") as response:
        assert [channel["login"] for channel in (await response.json())["channels"]] == ["ada"]
    await sim.stop()


async def test_a_taken_port_is_an_error(sim: Simulator) -> None:
    with pytest.raises(OSError):
        await Simulator(port=int(sim.url.rpartition(":")[2])).start()


async def test_run_says_what_to_set_and_stops(session: aiohttp.ClientSession) -> None:
    lines: list[str] = []
    stop = asyncio.Event()
    running = asyncio.create_task(run(0, stop, lines.append, logins=["ada"]))
    async with asyncio.timeout(5):
        while not lines:
            await asyncio.sleep(0.005)
    variables = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    base = variables["ITSJUSTINTV_TWITCH_API_URL"].removesuffix("/helix")
    async with session.get(f"{base}/simulator/state") as response:
        assert len((await response.json())["channels"]) == 1
    stop.set()
    async with asyncio.timeout(5):
        await running


def test_it_uses_nothing_of_the_engine() -> None:
    folder = Path(simulator.__file__).parent
    imported = {
        name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    ours = {name for name in imported if name.startswith("itsjustintv_desktop")}
    assert {name for name in ours if not name.startswith("itsjustintv_desktop.simulator")} == set()
