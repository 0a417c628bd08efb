"""What the simulated Helix answers agrees with Twitch's own description of it."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

import aiohttp
import jsonschema
import pytest

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.shards import ShardStatus
from itsjustintv_desktop.simulator.subscriptions import KINDS, SubscriptionStatus
from tests.simulator import sockets
from tests.simulator.conftest import Callback, Client
from tests.support.reference import REFERENCE

SPEC = REFERENCE / "twitch-openapi.json"

SUBSCRIPTION_TRANSPORT = {"method", "callback", "session_id", "connected_at", "disconnected_at"}
"""What the description knows of transports in answers. It was not told of conduits there, unlike the request's."""

pytestmark = pytest.mark.skipif(not SPEC.is_file(), reason="Twitch's OpenAPI description is not beside this checkout")

_formats = jsonschema.FormatChecker(formats=[])


@_formats.checks("date-time", raises=ValueError)
def _date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@lru_cache(maxsize=1)
def spec() -> dict[str, Any]:
    return dict(json.loads(SPEC.read_text(encoding="utf-8")))


def resolved(node: Any) -> Any:
    """The schema with its references put in, `nullable` as JSON Schema says it, and objects closed."""
    if isinstance(node, list):
        return [resolved(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/components/schemas/")
        return resolved(spec()["components"]["schemas"][name])
    plain = {key: resolved(value) for key, value in node.items() if key not in {"nullable", "example"}}
    if "properties" in plain:
        plain["additionalProperties"] = False
    if set(node.get("properties", ())) == SUBSCRIPTION_TRANSPORT:
        plain["properties"]["method"]["enum"].append("conduit")
        plain["properties"]["conduit_id"] = {"type": "string"}
    if node.get("nullable"):
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


def check(path: str, method: str, status: int, data: Any) -> None:
    content = spec()["paths"][path][method]["responses"][str(status)]["content"]["application/json"]
    schema = resolved(content["schema"])
    jsonschema.Draft7Validator(schema, format_checker=_formats).validate(data)
    assert data["data"] or path == "/channels/followers"


async def test_reads_agree(sim: Simulator, client: Client) -> None:
    ids = []
    for n in range(3):
        channel = sim.add_channel(f"c{n}", tags=["English"])
        ids.append(channel.user_id)
        await sim.go_live(channel.login)
    game = sim.state.get("c0").category.id
    for path, params in (
        ("/users", {"id": ids[0]}),
        ("/streams", {"first": "2"}),
        ("/streams", {"user_id": ids[0]}),
        ("/channels", {"broadcaster_id": ids[0]}),
        ("/channels/followers", {"broadcaster_id": ids[0]}),
        ("/games", {"id": game}),
        ("/videos", {"user_id": ids[0], "type": "archive"}),
    ):
        status, data, _ = await client.ask(path, params)
        assert status == 200
        check(path, "get", 200, data)


async def test_subscriptions_agree_in_every_state(sim: Simulator, client: Client, callback: Callback) -> None:
    sim.eventsub.subscriptions.page_size = 2
    ada = sim.add_channel("ada")
    for type_ in ("stream.online", "stream.offline", "channel.update"):
        wanted = {
            "type": type_,
            "version": KINDS[type_].versions[-1],
            "condition": {"broadcaster_user_id": ada.user_id},
            "transport": {"method": "webhook", "callback": callback.url, "secret": "0123456789"},
        }
        status, data, _ = await client.ask("/eventsub/subscriptions", method="POST", json=wanted)
        assert status == 202
        check("/eventsub/subscriptions", "post", 202, data)
    await sim.eventsub.idle()
    listed = spec()["components"]["schemas"]["EventSubSubscription"]["properties"]["status"]["enum"]
    held = next(iter(sim.eventsub.subscriptions))
    for state in SubscriptionStatus:
        held.status = state
        _, data, _ = await client.ask("/eventsub/subscriptions")
        filters = {"chat_user_banned", "conduit_deleted", "websocket_failed_to_reconnect"}
        if state not in filters:  # the description knows them as filters at best
            assert state in listed
            check("/eventsub/subscriptions", "get", 200, data)


async def test_conduits_and_shards_agree_in_every_state(
    sim: Simulator, client: Client, session: aiohttp.ClientSession, callback: Callback
) -> None:
    status, data, _ = await client.ask(sockets.CONDUITS, method="POST", json={"shard_count": 3})
    assert status == 200
    check(sockets.CONDUITS, "post", 200, data)
    conduit_id = data["data"][0]["id"]
    status, data, _ = await client.ask(sockets.CONDUITS, method="PATCH", json={"id": conduit_id, "shard_count": 4})
    assert status == 200
    check(sockets.CONDUITS, "patch", 200, data)
    status, data, _ = await client.ask(sockets.CONDUITS)
    assert status == 200
    check(sockets.CONDUITS, "get", 200, data)
    async with sockets.connected(session, sim) as socket:
        wanted = [sockets.websocket(socket.id), sockets.webhook(callback.url, "1"), sockets.websocket("none", "2")]
        body = {"conduit_id": conduit_id, "shards": wanted}
        status, data, _ = await client.ask(sockets.SHARDS, method="PATCH", json=body)
        assert (status, len(data["data"]), len(data["errors"])) == (202, 2, 1)
        check(sockets.SHARDS, "patch", 202, data)
    await sim.eventsub.idle()
    sim.conduits.page_size = 1
    for state in ShardStatus:
        for shard in sim.conduits.get(conduit_id).shards.values():
            shard.status = state
        status, data, _ = await client.ask(sockets.SHARDS, {"conduit_id": conduit_id, "status": state.value})
        assert status == 200
        assert data["pagination"]["cursor"]
        check(sockets.SHARDS, "get", 200, data)
    ada = sim.add_channel("ada")
    wanted_subscription = {
        "type": "stream.online",
        "version": "1",
        "condition": {"broadcaster_user_id": ada.user_id},
        "transport": {"method": "conduit", "conduit_id": conduit_id},
    }
    status, data, _ = await client.ask("/eventsub/subscriptions", method="POST", json=wanted_subscription)
    assert status == 202
    check("/eventsub/subscriptions", "post", 202, data)


def test_all_states_of_shards_are_known() -> None:
    listed = resolved({"$ref": "#/components/schemas/GetConduitShardsResponse"})
    assert set(ShardStatus) == set(listed["properties"]["data"]["items"]["properties"]["status"]["enum"])


async def test_the_check_itself_notices_a_difference(sim: Simulator, client: Client) -> None:
    ada = sim.add_channel("ada")
    _, data, _ = await client.ask("/users", {"id": ada.user_id})
    for change in ({"view_count": "0"}, {"created_at": "yesterday"}, {"surplus": 1}):
        wrong = {"data": [{**data["data"][0], **change}]}
        with pytest.raises(jsonschema.ValidationError):
            check("/users", "get", 200, wrong)
