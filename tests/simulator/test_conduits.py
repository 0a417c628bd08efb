from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.messages import signature
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.simulator.conftest import Callback, Client, SteppingClock
from tests.simulator.sockets import (
    CONDUITS,
    SHARDS,
    assign,
    conduit,
    connected,
    fed,
    shards,
    statuses,
    subscribed,
    webhook,
    websocket,
)
from tests.support.waiting import until

HOUR = 3600.0
SUBSCRIPTIONS = "/eventsub/subscriptions"


@pytest.fixture
async def timed(clock: SteppingClock) -> AsyncIterator[Simulator]:
    async with Simulator(clock=clock, answer_timeout=2.0) as sim:
        yield sim


async def ids(client: Client) -> list[str]:
    _, data, _ = await client.ask(CONDUITS)
    return [one["id"] for one in data["data"]]


async def test_made_listed_resized_and_deleted(sim: Simulator, client: Client) -> None:
    first, second = await conduit(client), await conduit(client, 20_000)
    status, data, _ = await client.ask(CONDUITS, method="PATCH", json={"id": first, "shard_count": 7})
    assert (status, data) == (200, {"data": [{"id": first, "shard_count": 7}]})
    _, data, _ = await client.ask(CONDUITS)
    assert data == {"data": [{"id": first, "shard_count": 7}, {"id": second, "shard_count": 20_000}]}
    status, data, _ = await client.ask(CONDUITS, {"id": first}, method="DELETE")
    assert (status, data) == (204, None)
    assert await ids(client) == [second]
    assert (sim.calls["conduits"], sim.calls["shards"]) == (6, 0)


async def test_fields_may_stand_in_the_query(client: Client) -> None:
    status, data, _ = await client.ask(CONDUITS, {"shard_count": "2"}, method="POST")
    assert (status, data["data"][0]["shard_count"]) == (200, 2)
    made = data["data"][0]["id"]
    status, data, _ = await client.ask(CONDUITS, {"id": made, "shard_count": "3"}, method="PATCH")
    assert (status, data["data"]) == (200, [{"id": made, "shard_count": 3}])
    assert (await client.ask(CONDUITS, {"id": made, "shard_count": "many"}, method="PATCH"))[0] == 400
    body = {"shards": [websocket("no-such-session")]}
    status, data, _ = await client.ask(SHARDS, {"conduit_id": made}, method="PATCH", json=body)
    assert (status, len(data["errors"])) == (202, 1)


async def test_five_at_most(client: Client) -> None:
    made = [await conduit(client) for _ in range(5)]
    status, data, _ = await client.ask(CONDUITS, method="POST", json={"shard_count": 1})
    assert (status, data["error"]) == (429, "Too Many Requests")
    await client.ask(CONDUITS, {"id": made[0]}, method="DELETE")
    await conduit(client)


@pytest.mark.parametrize(
    ("method", "path", "params", "body", "status"),
    [
        ("POST", CONDUITS, None, {}, 400),
        ("POST", CONDUITS, None, [], 400),
        ("POST", CONDUITS, None, {"shard_count": 0}, 400),
        ("POST", CONDUITS, None, {"shard_count": 20_001}, 400),
        ("POST", CONDUITS, None, {"shard_count": "1"}, 400),
        ("POST", CONDUITS, None, {"shard_count": True}, 400),
        ("PATCH", CONDUITS, None, {"shard_count": 1}, 400),
        ("PATCH", CONDUITS, None, {"id": "HERE", "shard_count": 0}, 400),
        ("PATCH", CONDUITS, None, {"id": "nowhere", "shard_count": 1}, 404),
        ("DELETE", CONDUITS, None, None, 400),
        ("DELETE", CONDUITS, {"id": "nowhere"}, None, 404),
        ("GET", SHARDS, None, None, 400),
        ("GET", SHARDS, {"conduit_id": "nowhere"}, None, 404),
        ("GET", SHARDS, {"conduit_id": "HERE", "status": "fine"}, None, 400),
        ("GET", SHARDS, {"conduit_id": "HERE", "after": "x"}, None, 400),
        ("PATCH", SHARDS, None, {"shards": [{"id": "0"}]}, 400),
        ("PATCH", SHARDS, None, {"conduit_id": "HERE"}, 400),
        ("PATCH", SHARDS, None, {"conduit_id": "HERE", "shards": []}, 400),
        ("PATCH", SHARDS, None, {"conduit_id": "nowhere", "shards": [{"id": "0"}]}, 404),
    ],
)
async def test_what_is_refused(
    client: Client, method: str, path: str, params: dict[str, str] | None, body: Any, status: int
) -> None:
    here = await conduit(client)
    params = params and {name: value.replace("HERE", here) for name, value in params.items()}
    body = json.loads(json.dumps(body).replace("HERE", here))
    got, data, _ = await client.ask(path, params, method=method, json=body)
    assert (got, data["status"]) == (status, status)
    assert data["message"]


async def test_conduits_need_a_token(sim: Simulator, client: Client) -> None:
    sim.faults.revoke_tokens()
    assert (await client.ask(CONDUITS))[0] == 401
    assert (await client.ask(SHARDS))[0] == 401


async def test_202_is_no_success(sim: Simulator, client: Client, session: aiohttp.ClientSession) -> None:
    here = await conduit(client, 2)
    async with connected(session, sim) as socket, connected(session, sim) as other:
        done, errors = await assign(
            client,
            here,
            websocket(socket.id),
            websocket(socket.id, "1"),
            websocket(other.id),
            websocket(socket.id, "2"),
            websocket("no-such-session", "1"),
            {"id": "1"},
            {"id": "1", "transport": {"method": "websocket"}},
            {"id": "1", "transport": {"method": "pigeon"}},
            webhook("http://example.com/twitch", "1"),
            webhook("https://example.com/twitch", "1", secret="short"),
            {"id": "one"},
        )
    assert [(one["id"], one["status"]) for one in done] == [("0", "enabled")]
    assert [one["id"] for one in errors] == ["1", "0", "2", "1", "1", "1", "1", "1", "1", "one"]
    assert {one["code"] for one in errors} == {"invalid_parameter"}
    messages = [one["message"] for one in errors]
    assert "another shard" in messages[0]
    assert "more than once" in messages[1]
    assert messages[2] == "The shard id is outside the conduit's range"
    assert messages[3] == "The websocket session is not connected"
    assert "session_id field is required" in messages[5]
    assert "https" in messages[7]
    assert "10 to 100" in messages[8]


async def test_the_fault_of_shards(sim: Simulator, client: Client, session: aiohttp.ClientSession) -> None:
    here = await conduit(client)
    sim.faults.shard_error = "The shard is out of order"
    async with connected(session, sim) as socket:
        done, [error] = await assign(client, here, websocket(socket.id))
        assert (done, error["id"], error["message"]) == ([], "0", "The shard is out of order")
        sim.faults.clear()
        assert not (await assign(client, here, websocket(socket.id)))[1]


async def test_shards_in_pages_and_by_status(sim: Simulator, client: Client, session: aiohttp.ClientSession) -> None:
    here = await conduit(client, 12)
    assert await shards(client, here) == []
    sim.conduits.page_size = 2
    async with connected(session, sim) as one, connected(session, sim) as two, connected(session, sim) as three:
        await assign(client, here, websocket(one.id, "10"), websocket(two.id, "2"), websocket(three.id, "0"))
        await two.raw.close()
        await until(lambda: len(sim.sockets) == 2)
        assert [one["id"] for one in await shards(client, here, status="websocket_disconnected")] == ["2"]
        assert [one["id"] for one in await shards(client, here, status="enabled")] == ["0", "10"]
        _, data, _ = await client.ask(SHARDS, {"conduit_id": here})
        assert [one["id"] for one in data["data"]] == ["0", "2"]
        _, data, _ = await client.ask(SHARDS, {"conduit_id": here, "after": data["pagination"]["cursor"]})
        assert ([one["id"] for one in data["data"]], data["pagination"]) == (["10"], {})
        await client.ask(CONDUITS, method="PATCH", json={"id": here, "shard_count": 1})
        assert [one["id"] for one in await shards(client, here)] == ["0"]


async def test_a_subscription_of_a_conduit(sim: Simulator, client: Client) -> None:
    here, there = await conduit(client), await conduit(client)
    ada = sim.add_channel("ada")
    wanted: dict[str, Any] = {
        "type": "stream.online",
        "version": "1",
        "condition": {"broadcaster_user_id": ada.user_id},
        "transport": {"method": "conduit", "conduit_id": here},
    }
    status, data, _ = await client.ask(SUBSCRIPTIONS, method="POST", json=wanted)
    assert status == 202
    assert data["data"][0]["status"] == "enabled"
    assert data["data"][0]["transport"] == {"method": "conduit", "conduit_id": here}
    assert (data["total_cost"], data["max_total_cost"]) == (1, 10_000)
    made = data["data"][0]["id"]
    status, data, _ = await client.ask(SUBSCRIPTIONS, method="POST", json=wanted)
    assert (status, data["id"]) == (409, made)
    wanted["transport"] = {"method": "conduit", "conduit_id": there}
    assert (await client.ask(SUBSCRIPTIONS, method="POST", json=wanted))[0] == 202
    _, data, _ = await client.ask(SUBSCRIPTIONS, {"conduit_id": here})
    assert [one["id"] for one in data["data"]] == [made]
    for transport in ({"method": "conduit"}, {"method": "conduit", "conduit_id": "nowhere"}):
        status, data, _ = await client.ask(SUBSCRIPTIONS, method="POST", json={**wanted, "transport": transport})
        assert (status, "conduit" in data["message"]) == (400, True)


async def test_subscriptions_outlive_sockets_but_not_their_conduit(
    sim: Simulator, client: Client, session: aiohttp.ClientSession
) -> None:
    async with fed(session, sim, client) as (_, here, made):
        there = await conduit(client)
        other = await subscribed(sim, there)
        await sim.drop_sockets()
        assert made.status is SubscriptionStatus.ENABLED
        await client.ask(CONDUITS, {"id": here}, method="DELETE")
    assert (made.status, other.status) == (SubscriptionStatus.CONDUIT_DELETED, SubscriptionStatus.ENABLED)
    _, data, _ = await client.ask(SUBSCRIPTIONS, {"status": "conduit_deleted"})
    assert [one["id"] for one in data["data"]] == [made.id]
    assert data["total_cost"] == 1
    assert not await sim.revoke(made, "user_removed")


async def test_a_conduit_without_shards_goes_after_72_hours(
    timed: Simulator, session: aiohttp.ClientSession, clock: SteppingClock
) -> None:
    client = Client(timed, session)
    async with fed(session, timed, client) as (_, here, made):
        never = await conduit(client)
        clock.advance(71 * HOUR)
        assert await ids(client) == [here, never]
        clock.advance(1 * HOUR)
        assert await ids(client) == [here]
        await timed.drop_sockets()
        clock.advance(71 * HOUR)
        async with connected(session, timed) as socket:
            await assign(client, here, websocket(socket.id))
            clock.advance(72 * HOUR)
            assert await ids(client) == [here]
            await timed.drop_sockets()
        clock.advance(72 * HOUR)
        assert [held.status for held in timed.eventsub.subscriptions] == [SubscriptionStatus.CONDUIT_DELETED]
    assert made.status is SubscriptionStatus.CONDUIT_DELETED
    assert await ids(client) == []
    assert (await client.ask(SHARDS, {"conduit_id": here}))[0] == 404


async def test_a_webhook_shard_is_challenged_and_fed(sim: Simulator, client: Client, callback: Callback) -> None:
    here = await conduit(client)
    [shard], errors = await assign(client, here, webhook(callback.url, secret="secret-of-the-shard"))
    assert not errors
    assert shard["status"] == "webhook_callback_verification_pending"
    assert shard["transport"] == {"method": "webhook", "callback": callback.url}
    await sim.eventsub.idle()
    assert await statuses(client, here) == ["enabled"]
    _, body = callback.got.pop()
    challenge = json.loads(body)
    assert challenge["conduit_shard"] == {"conduit_id": here, "shard": "0"}
    assert "subscription" not in challenge
    made = await subscribed(sim, here)
    await sim.go_live("ada")
    await sim.eventsub.idle()
    [(headers, body)] = callback.got
    assert json.loads(body)["subscription"] == made.public()
    assert headers["Twitch-Eventsub-Message-Signature"] == signature(
        "secret-of-the-shard",
        headers["Twitch-Eventsub-Message-Id"],
        headers["Twitch-Eventsub-Message-Timestamp"],
        body,
    )
    assert sim.eventsub.sent[-1].status == 204


async def test_a_webhook_shard_that_fails(sim: Simulator, client: Client, callback: Callback) -> None:
    here = await conduit(client)
    callback.challenge_answer = "<html>"
    await assign(client, here, webhook(callback.url))
    await sim.eventsub.idle()
    assert await statuses(client, here) == ["webhook_callback_verification_failed"]
    callback.challenge_answer = None
    await assign(client, here, webhook(callback.url))
    await sim.eventsub.idle()
    made = await subscribed(sim, here)
    callback.got.clear()
    failing, taken = [500] * 3, [204]
    for answers, expected in (
        (failing, "enabled"),
        (taken, "enabled"),
        (failing, "enabled"),
        (failing, "notification_failures_exceeded"),
    ):
        callback.answers = list(answers)
        await sim.go_live("ada")
        await sim.eventsub.idle()
        assert await statuses(client, here) == [expected]
    assert (made.status, callback.kinds()) == (SubscriptionStatus.ENABLED, ["notification"] * 10)
    assert sim.eventsub.lost == 0
    await sim.go_live("ada")
    await sim.eventsub.idle()
    assert sim.eventsub.lost == 1


async def test_a_webhook_shard_keeps_its_conduit_while_it_works(
    session: aiohttp.ClientSession, callback: Callback, clock: SteppingClock
) -> None:
    async with Simulator(clock=clock, resend_delays=(), failures_allowed=1) as sim:
        client = Client(sim, session)
        here = await conduit(client)
        await assign(client, here, webhook(callback.url))
        await sim.eventsub.idle()
        clock.advance(100 * HOUR)
        assert await statuses(client, here) == ["enabled"]
        await subscribed(sim, here)
        callback.answers = [500]
        await sim.go_live("ada")
        await sim.eventsub.idle()
        clock.advance(71 * HOUR)
        assert await statuses(client, here) == ["notification_failures_exceeded"]
        clock.advance(1 * HOUR)
        assert await ids(client) == []


async def test_channels_spread_over_shards_and_one_other_helps_out(
    sim: Simulator, client: Client, session: aiohttp.ClientSession
) -> None:
    here = await conduit(client, 2)
    for n in range(20):
        await subscribed(sim, here, f"c{n}")
    async with connected(session, sim) as one, connected(session, sim) as two:
        await assign(client, here, websocket(one.id), websocket(two.id, "1"))
        for _ in range(2):
            for n in range(20):
                await sim.go_live(f"c{n}")
        await sim.eventsub.idle()
        to = [(sent.session_id, sent.subscription) for sent in sim.eventsub.sent]
        assert {session_id for session_id, _ in to} == {one.id, two.id}
        homes = {made.id: {who for who, which in to if which is made} for made in sim.eventsub.subscriptions}
        assert all(len(home) == 1 for home in homes.values())
        await one.raw.close()
        await until(lambda: len(sim.sockets) == 1)
        sim.eventsub.sent.clear()
        for n in range(20):
            await sim.go_live(f"c{n}")
        await sim.eventsub.idle()
        assert {sent.session_id for sent in sim.eventsub.sent} == {two.id}
    assert sim.eventsub.lost == 0


async def test_what_a_socket_does_not_take_goes_to_one_other_shard(
    sim: Simulator, client: Client, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await conduit(client, 2)
    made = await subscribed(sim, here, "ada")
    async with connected(session, sim) as one, connected(session, sim) as two:
        await assign(client, here, websocket(one.id), websocket(two.id, "1"))
        home, other = (
            shard.session_id for shard in sim.conduits.get(here).routes(made.condition["broadcaster_user_id"])
        )
        write, tried = sim.sockets.send, []

        async def send(session_id: str, frame: str) -> str | None:
            tried.append(session_id)
            return "ConnectionResetError" if session_id == home else await write(session_id, frame)

        monkeypatch.setattr(sim.sockets, "send", send)
        await sim.go_live("ada")
        await sim.eventsub.idle()
        assert tried == [home, other]
        assert sim.eventsub.sent[-1].ok
    assert sim.eventsub.lost == 0
