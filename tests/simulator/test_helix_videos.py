"""VODs: those of the stream that runs and of those that are over, for a while."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.state import VIDEOS_KEPT
from tests.simulator.conftest import Client, SteppingClock


async def videos(client: Client, **params: str) -> list[dict[str, Any]]:
    status, data, _ = await client.ask("/videos", params)
    assert status == 200, data
    listed: list[dict[str, Any]] = data["data"]
    return listed


async def test_a_stream_becomes_a_video(clock: SteppingClock, session: aiohttp.ClientSession) -> None:
    async with Simulator(clock=clock) as sim:
        client = Client(sim, session)
        ada, bob = sim.add_channel("ada", title="Tea time"), sim.add_channel("bob", keeps_videos=False)
        sim.faults.videos_lag = 60.0
        first = await sim.go_live("ada")
        await sim.go_live("bob")
        assert await videos(client, user_id=ada.user_id) == []
        clock.advance(3725)
        (video,) = await videos(client, user_id=ada.user_id, type="archive")
        assert (video["stream_id"], video["title"], video["duration"]) == (first.id, "Tea time", "1h2m5s")
        assert await videos(client, user_id=bob.user_id) == []
        await sim.go_offline("ada")
        clock.advance(120)
        await sim.go_live("ada", stream_id=first.id)  # it flaps
        second = await sim.go_live("ada", stream_id="2")
        clock.advance(61)
        listed = await videos(client, user_id=ada.user_id)
        assert [one["stream_id"] for one in listed] == [second.id, first.id]
        assert await videos(client, id=listed[1]["id"]) == [listed[1]]
        assert await videos(client, user_id=ada.user_id, type="upload") == []
        clock.advance(VIDEOS_KEPT)
        assert [one["stream_id"] for one in await videos(client, user_id=ada.user_id)] == [second.id]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 400), ({"id": "1", "user_id": "2"}, 400), ({"user_id": "1", "type": "film"}, 400), ({"id": "1"}, 404),
        ({"user_id": "1", "first": "0"}, 400), ({"user_id": "1", "period": "year"}, 400),
    ],
)  # fmt: skip
async def test_what_is_refused(client: Client, params: dict[str, str], status: int) -> None:
    assert (await client.ask("/videos", params))[0] == status
