"""A conduit client that someone else wrote, twitchio, works against the simulator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("twitchio", reason="the third-party client twitchio is not installed")

import twitchio
from twitchio import eventsub
from twitchio.eventsub import websockets
from twitchio.http import Route

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.shards import ShardStatus
from tests.support.waiting import until


class Watcher(twitchio.AutoClient):
    """Notes who went live."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.live: asyncio.Queue[str] = asyncio.Queue()
        self.over: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def event_stream_online(self, payload: twitchio.StreamOnline) -> None:
        await self.live.put(payload.broadcaster.name or "")

    async def event_stream_offline(self, payload: twitchio.StreamOffline) -> None:
        await self.over.put((payload.broadcaster.name or "", payload.id))

    async def next_live(self) -> str:
        async with asyncio.timeout(10):
            return await self.live.get()

    async def next_over(self) -> tuple[str, str]:
        """Who went offline, and the id of the stream."""
        async with asyncio.timeout(10):
            return await self.over.get()


@pytest.fixture
async def watcher(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watcher]:
    """It offers no option for its addresses."""
    monkeypatch.setattr(Route, "BASE", f"{sim.api_url}/")
    monkeypatch.setattr(Route, "ID_BASE", f"{sim.url}/")
    monkeypatch.setattr(websockets, "WSS", sim.eventsub_url)
    ada = sim.add_channel("ada")
    made = Watcher(
        client_id=sim.client_id,
        client_secret=sim.client_secret,
        shard_ids=[0],
        subscriptions=[
            eventsub.StreamOnlineSubscription(broadcaster_user_id=ada.user_id),
            eventsub.StreamOfflineSubscription(broadcaster_user_id=ada.user_id),
        ],
    )
    await made.login(load_tokens=False, save_tokens=False)
    yield made
    await made.close(save_tokens=False)
    await until(lambda: not sim.sockets.connections)


async def test_it_makes_a_conduit_and_hears_of_a_stream(sim: Simulator, watcher: Watcher) -> None:
    [conduit] = sim.conduits
    assert watcher.conduit_info.id == conduit.id
    assert [shard.status for shard in conduit.shards.values()] == [ShardStatus.ENABLED]
    assert [held.transport.conduit_id for held in sim.eventsub.subscriptions] == [conduit.id] * 2
    await sim.go_live("ada")
    assert await watcher.next_live() == "ada"
    assert sim.eventsub.lost == 0


async def test_its_offline_handler_hears_which_stream_ended(sim: Simulator, watcher: Watcher) -> None:
    stream = await sim.go_live("ada")
    assert await watcher.next_live() == "ada"
    await sim.go_offline("ada")
    assert await watcher.next_over() == ("ada", stream.id)


async def test_it_follows_a_reconnect(sim: Simulator, watcher: Watcher) -> None:
    """It connects as asked, and then gives its shard to a third connection."""
    [conduit] = sim.conduits
    before = conduit.shards[0].session_id
    await sim.ask_reconnect()
    await until(lambda: conduit.shards[0].session_id != before and conduit.shards[0].status is ShardStatus.ENABLED)
    await sim.go_live("ada")
    assert await watcher.next_live() == "ada"
    assert sim.eventsub.lost == 0


async def test_it_comes_back_after_a_drop(sim: Simulator, watcher: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    [conduit] = sim.conduits
    before = next(iter(sim.sockets)).id
    await sim.drop_sockets(4000)
    await until(lambda: any(shard.status is ShardStatus.ENABLED for shard in conduit.shards.values()))
    assert next(iter(sim.sockets)).id != before
    await sim.go_live("ada")
    assert await watcher.next_live() == "ada"
