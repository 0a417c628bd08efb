from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from itsjustintv_desktop.simulator import Simulator
from tests.simulator.conftest import Callback, Client
from tests.simulator.sockets import assign, conduit, connected, websocket


async def post(session: aiohttp.ClientSession, sim: Simulator, path: str, json: Any = None) -> tuple[int, Any]:
    async with session.post(f"{sim.url}/simulator/{path}", json=json) as response:
        return response.status, await response.json() if await response.read() else None


async def test_a_channel_goes_live_and_offline(
    sim: Simulator, session: aiohttp.ClientSession, callback: Callback
) -> None:
    status, channel = await post(session, sim, "channels", {"login": "Ada", "tags": ["English"]})
    assert (status, channel["login"], channel["tags"]) == (201, "ada", ["English"])
    status, made = await post(session, sim, "subscriptions", {"login": "ada", "callback": callback.url})
    assert (status, made["status"], made["type"]) == (201, "enabled", "stream.online")
    status, again = await post(session, sim, "subscriptions", {"login": "ada", "callback": callback.url})
    assert (status, again["id"]) == (409, made["id"])
    status, stream = await post(session, sim, "channels/ada/live", {"stream_id": "99", "viewers": 3})
    assert (status, stream["id"]) == (200, "99")
    await sim.eventsub.idle()
    assert callback.kinds() == ["webhook_callback_verification", "notification"]
    async with session.get(f"{sim.url}/simulator/state") as response:
        state = await response.json()
    assert state["channels"][0]["stream"]["viewers"] == 3
    assert [one["id"] for one in state["subscriptions"]] == [made["id"]]
    assert sim.webhook_secret not in str(state)
    assert await post(session, sim, "channels/ada/offline") == (204, None)
    assert sim.state.get("ada").stream is None


async def test_a_channel_is_changed(sim: Simulator, session: aiohttp.ClientSession, callback: Callback) -> None:
    ada = sim.add_channel("ada", title="before", tags=["English"])
    await sim.subscribe(ada.user_id, "channel.update", callback.url)
    status, channel = await post(session, sim, "channels/ada/update", {"title": "Tea time", "category": "Chess"})
    assert (status, channel["title"], channel["category"]["name"]) == (200, "Tea time", "Chess")
    assert channel["tags"] == ["English"]
    quiet = {"language": "de", "tags": ["Deutsch"], "notify": False}
    assert (await post(session, sim, "channels/ada/update", quiet))[0] == 200
    await sim.eventsub.idle()
    assert callback.kinds() == ["webhook_callback_verification", "notification"]
    assert json.loads(callback.got[1][1])["event"]["title"] == "Tea time"
    assert (ada.title, ada.language, ada.tags) == ("Tea time", "de", ("Deutsch",))


async def test_subscriptions_are_revoked(sim: Simulator, session: aiohttp.ClientSession, callback: Callback) -> None:
    ada, bob = sim.add_channel("ada"), sim.add_channel("bob")
    made = [
        await sim.subscribe(channel.user_id, type_, callback.url)
        for channel in (ada, bob)
        for type_ in ("stream.online", "stream.offline")
    ]
    callback.got.clear()
    status, answer = await post(session, sim, "revocations", {"login": "ada", "type": "stream.online"})
    assert (status, [one["id"] for one in answer["revoked"]]) == (200, [made[0].id])
    await sim.eventsub.idle()
    assert callback.kinds() == ["revocation"]
    assert json.loads(callback.got[0][1])["subscription"]["status"] == "authorization_revoked"
    _, answer = await post(session, sim, "revocations", {"id": made[3].id, "status": "user_removed"})
    assert [one["status"] for one in answer["revoked"]] == ["user_removed"]
    await sim.eventsub.idle()
    assert [held.status.value for held in made] == [
        "authorization_revoked", "enabled", "enabled", "user_removed",
    ]  # fmt: skip
    _, answer = await post(session, sim, "revocations")
    assert len(answer["revoked"]) == 4
    assert (await post(session, sim, "revocations", {"login": "ada", "type": "channel.update"}))[0] == 404


async def test_twitch_is_as_odd_as_it_was_seen(sim: Simulator, session: aiohttp.ClientSession) -> None:
    client = Client(sim, session)
    sim.add_channel("ada", tags=["English"])
    await post(session, sim, "channels/ada/live", {"type": "rerun", "notify": False})
    await post(session, sim, "faults", {"streams_empty": 1, "nulls": ["user_name", "tags", "pagination"]})
    assert (await client.ask("/streams"))[1]["data"] == []
    _, data, _ = await client.ask("/streams")
    assert (data["pagination"], data["data"][0]["user_name"], data["data"][0]["tags"]) == (None, None, None)
    assert data["data"][0]["type"] == "rerun"
    scope = {"status": 401, "message": "Missing required scope: moderator:read:followers"}
    bare = {"status": 429, "reset_in": None}
    await post(session, sim, "faults", {"clear": True, "endpoints": {"followers": scope, "users": bare}})
    assert (await client.ask("/channels/followers"))[1] == {"error": "Unauthorized", **scope}
    status, _, headers = await client.ask("/users")
    assert (status, "Ratelimit-Reset" in headers) == (429, False)
    _, data, _ = await client.ask("/streams")
    assert data["data"][0]["user_name"] == "Ada"


async def test_faults_are_switched_and_cleared(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.tokens.issue()
    body = {
        "streams_lag": 5,
        "clock_skew": -3600,
        "duplicates": 1,
        "revoke_tokens": True,
        "endpoints": {"users": {"status": 503, "times": 2}, "streams": {"hang": True}},
        "receivers": {"shop": {"status": 410}},
    }
    assert (await post(session, sim, "faults", body))[0] == 204
    faults = sim.faults
    assert (faults.streams_lag, faults.clock_skew, faults.duplicates) == (5.0, -3600.0, 1)
    assert faults.endpoints["users"].status == 503
    assert faults.receivers["shop"].status == 410
    assert sim.tokens.ends == {}
    await post(session, sim, "faults", {"endpoints": {"users": None}, "receivers": {"shop": None}})
    assert list(faults.endpoints) == ["streams"]
    assert not faults.receivers
    assert faults.streams_lag == 5.0
    await post(session, sim, "faults", {"clear": True})
    assert not faults.endpoints
    assert faults.streams_lag == 0.0


async def test_conduits_and_their_sockets(sim: Simulator, session: aiohttp.ClientSession) -> None:
    client = Client(sim, session)
    await post(session, sim, "channels", {"login": "ada"})
    conduit_id = await conduit(client)
    async with connected(session, sim) as socket:
        await assign(client, conduit_id, websocket(socket.id))
        status, made = await post(session, sim, "subscriptions", {"login": "ada", "conduit_id": conduit_id})
        assert (status, made["status"]) == (201, "enabled")
        assert await post(session, sim, "sockets/reconnect") == (200, {"sockets": 1})
        assert (await socket.message())["metadata"]["message_type"] == "session_reconnect"
        faults = {"ws_silent": True, "ws_refuse": True, "ws_no_welcome": True, "reconnect_url": "x", "shard_error": "y"}
        assert (await post(session, sim, "faults", faults))[0] == 204
        assert {name: getattr(sim.faults, name) for name in faults} == faults
        await post(session, sim, "channels/ada/live")
        await sim.eventsub.idle()
        await post(session, sim, "faults", {"clear": True})
        assert not any(getattr(sim.faults, name) for name in faults)
        async with session.get(f"{sim.url}/simulator/state") as response:
            state = await response.json()
        assert [(one["id"], one["shards"][0]["status"]) for one in state["conduits"]] == [(conduit_id, "enabled")]
        assert [one["id"] for one in state["sockets"]] == [socket.id]
        assert state["lost"] == 1
        closed, answer = await asyncio.gather(socket.closing(), post(session, sim, "sockets/drop", {"code": 4000}))
        assert (closed[0], answer) == (4000, (200, {"sockets": 1}))
    assert await post(session, sim, "sockets/drop") == (200, {"sockets": 0})
    async with connected(session, sim) as socket:
        await post(session, sim, "sockets/drop", {})
        await socket.cut()


async def test_state_counts_what_receivers_got(sim: Simulator, session: aiohttp.ClientSession) -> None:
    sim.faults.set_receiver("shop", status=500, times=1)
    for _ in range(2):
        await session.post(sim.receiver_url("shop"), json={})
    async with session.get(f"{sim.url}/simulator/state") as response:
        state = await response.json()
    assert state["receivers"] == {"shop": {"received": 2, "accepted": 1}}
    async with session.get(f"{sim.url}/simulator/receivers/shop") as response:
        assert await response.json() == {"received": 2, "accepted": 1}
    assert state["doubles"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("channels", {}, 400, "login"),
        ("channels", {"login": "ada"}, 400, "exists already"),
        ("channels", {"login": "bob", "colour": "red"}, 400, "colour"),
        ("channels/nobody/live", {}, 404, "no such channel"),
        ("channels/nobody/offline", None, 404, "no such channel"),
        ("faults", {"endpoints": {"user": {"status": 500}}}, 400, "no endpoint"),
        ("faults", {"stream_lag": 1}, 400, "stream_lag"),
        ("subscriptions", {"login": "ada", "callback": "http://example.com/"}, 400, "https"),
        ("subscriptions", {"login": "ada"}, 400, "callback"),
        ("subscriptions", {"login": "ada", "conduit_id": "nowhere"}, 400, "conduit"),
        ("sockets/drop", {"code": 40000}, 400, "code"),
        ("channels/nobody/update", {"title": "x"}, 404, "no such channel"),
        ("channels/ada/live", {"type": "nonsense"}, 400, "type"),
        ("channels/ada/live", {"delay": -1}, 400, "delay"),
        ("revocations", {}, 404, "no such subscription"),
        ("revocations", {"status": "enabled"}, 400, "status"),
        ("revocations", {"login": "nobody"}, 404, "no such channel"),
    ],
)
async def test_mistakes_are_explained(
    sim: Simulator, session: aiohttp.ClientSession, path: str, body: Any, status: int, message: str
) -> None:
    sim.add_channel("ada")
    got, data = await post(session, sim, path, body)
    assert got == status
    assert message in data["message"]
