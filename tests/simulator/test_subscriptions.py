from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.simulator.conftest import Callback, Client

PATH = "/eventsub/subscriptions"


def wanted(user_id: str, callback: str = "http://127.0.0.1:9/twitch", type_: str = "stream.online") -> Any:
    return {
        "type": type_,
        "version": "1",
        "condition": {"broadcaster_user_id": user_id},
        "transport": {"method": "webhook", "callback": callback, "secret": "0123456789"},
    }


async def post(client: Client, body: Any) -> tuple[int, Any]:
    status, data, _ = await client.ask(PATH, method="POST", json=body)
    return status, data


async def test_created_pending_without_the_secret_then_enabled(
    sim: Simulator, client: Client, callback: Callback
) -> None:
    ada = sim.add_channel("ada")
    status, data = await post(client, wanted(ada.user_id, callback.url))
    assert status == 202
    made = data["data"][0]
    assert made["status"] == "webhook_callback_verification_pending"
    assert made["transport"] == {"method": "webhook", "callback": callback.url}
    assert (data["total"], data["total_cost"], data["max_total_cost"]) == (1, 1, 10_000)
    await sim.eventsub.idle()
    _, data, _ = await client.ask(PATH)
    assert [(one["id"], one["status"]) for one in data["data"]] == [(made["id"], "enabled")]
    assert callback.kinds() == ["webhook_callback_verification"]


async def test_a_wrong_challenge_answer_fails_the_subscription(
    sim: Simulator, client: Client, callback: Callback
) -> None:
    callback.challenge_answer = "<html>"
    await post(client, wanted(sim.add_channel("ada").user_id, callback.url))
    await sim.eventsub.idle()
    _, data, _ = await client.ask(PATH)
    assert data["data"][0]["status"] == "webhook_callback_verification_failed"
    assert (data["total"], data["total_cost"]) == (1, 0)


async def test_a_challenge_answered_as_html_fails_the_subscription(sim: Simulator, callback: Callback) -> None:
    callback.challenge_type = "text/html"
    made = await sim.subscribe(sim.add_channel("ada").user_id, "stream.online", callback.url)
    assert made.status is SubscriptionStatus.VERIFICATION_FAILED


async def test_a_callback_nobody_answers_at_fails_the_subscription(sim: Simulator) -> None:
    made = await sim.subscribe(sim.add_channel("ada").user_id, "stream.online", "http://127.0.0.1:9/twitch")
    assert made.status is SubscriptionStatus.VERIFICATION_FAILED


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("type",), None),
        (("type",), "stream.sideways"),
        (("version",), "2"),
        (("condition",), None),
        (("condition", "broadcaster_user_id"), None),
        (("condition", "broadcaster_user_id"), 5),
        (("condition", "broadcaster_user_id"), "424242"),
        (("transport",), []),
        (("transport", "method"), "websocket"),
        (("transport", "method"), "pigeon"),
        (("transport", "callback"), None),
        (("transport", "callback"), "http://example.com/twitch"),
        (("transport", "callback"), "https://example.com:8443/twitch"),
        (("transport", "callback"), "https://example.com:https/"),
        (("transport", "secret"), None),
        (("transport", "secret"), "123456789"),
        (("transport", "secret"), "x" * 101),
        (("transport", "secret"), "geheimnisö"),
    ],
)
async def test_what_cannot_be_subscribed_to(sim: Simulator, client: Client, path: tuple[str, ...], value: Any) -> None:
    body = copy.deepcopy(wanted(sim.add_channel("ada").user_id))
    place = body
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    status, data = await post(client, body)
    assert (status, data["error"]) == (400, "Bad Request")
    assert len(sim.eventsub.subscriptions) == 0


@pytest.mark.parametrize("body", [[], "text", None])
async def test_a_body_that_is_no_object(client: Client, body: Any) -> None:
    assert (await post(client, body))[0] == 400


def test_https_callbacks_on_443_are_taken() -> None:
    sim = Simulator()  # not started: its callback would be asked for over the network
    ada = sim.add_channel("ada")
    for url in ("https://callback.invalid/twitch", "https://other.invalid:443/"):
        made = sim.eventsub.subscriptions.create(wanted(ada.user_id, url))
        assert made.transport.callback == url


async def test_the_secret_may_be_10_to_100_long(sim: Simulator, client: Client) -> None:
    body = wanted(sim.add_channel("ada").user_id)
    body["transport"]["secret"] = "x" * 100
    assert (await post(client, body))[0] == 202


async def test_the_same_again_is_a_conflict_and_a_fourth_callback_too_many(
    sim: Simulator, client: Client, serve: Callable[[], Awaitable[Callback]]
) -> None:
    ada = sim.add_channel("ada")
    callbacks = [await serve() for _ in range(4)]
    for one in callbacks[:3]:
        status, made = await post(client, wanted(ada.user_id, one.url))
        assert status == 202
        status, data = await post(client, wanted(ada.user_id, one.url))
        assert (status, data["message"]) == (409, "subscription already exists")
        assert data["id"] == made["data"][0]["id"]
    await sim.eventsub.idle()
    assert (await post(client, wanted(ada.user_id, callbacks[3].url)))[0] == 429
    assert (await post(client, wanted(ada.user_id, callbacks[3].url, "stream.offline")))[0] == 202
    next(iter(sim.eventsub.subscriptions)).status = SubscriptionStatus.AUTHORIZATION_REVOKED
    assert (await post(client, wanted(ada.user_id, callbacks[3].url)))[0] == 202


async def test_authorised_channels_cost_nothing_and_the_budget_ends(
    sim: Simulator, client: Client, callback: Callback
) -> None:
    free, paid, over = (sim.add_channel(login) for login in ("free", "paid", "over"))
    free.authorised = True
    sim.eventsub.subscriptions.max_total_cost = 1
    assert (await post(client, wanted(free.user_id, callback.url)))[1]["total_cost"] == 0
    assert (await post(client, wanted(paid.user_id, callback.url)))[1]["total_cost"] == 1
    status, data = await post(client, wanted(over.user_id, callback.url))
    assert (status, data["message"]) == (429, "maximum total cost exceeded")


async def test_a_type_that_needs_authorisation(sim: Simulator, client: Client, callback: Callback) -> None:
    ada = sim.add_channel("ada")
    body = {**wanted(ada.user_id, callback.url), "type": "channel.follow", "version": "2"}
    assert (await post(client, body))[0] == 403
    ada.authorised = True
    assert (await post(client, body))[0] == 202


async def test_the_list_pages_and_filters_one_way_at_a_time(sim: Simulator, client: Client, callback: Callback) -> None:
    sim.eventsub.subscriptions.page_size = 3
    channels = [sim.add_channel(f"c{n}") for n in range(4)]
    made = [
        await sim.subscribe(channel.user_id, type_, callback.url)
        for channel in channels
        for type_ in ("stream.online", "stream.offline")
    ]
    made[0].status = SubscriptionStatus.USER_REMOVED
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        _, data, _ = await client.ask(PATH, after)
        assert data["total"] == 8
        assert data["total_cost"] == 7
        seen += [one["id"] for one in data["data"]]
        if not data["pagination"]:
            break
        after = {"after": data["pagination"]["cursor"]}
    assert seen == [one.id for one in made]
    for params, expected in (
        ({"status": "user_removed"}, [made[0]]),
        ({"user_id": channels[1].user_id}, made[2:4]),
        ({"subscription_id": made[5].id}, [made[5]]),
        ({"type": "stream.offline"}, [made[1], made[3], made[5]]),
        ({"conduit_id": "nowhere"}, []),
        ({"status": "websocket_disconnected"}, []),
    ):
        _, data, _ = await client.ask(PATH, params)
        assert [one["id"] for one in data["data"]] == [one.id for one in expected], params
    for bad in (
        {"status": "enabled", "type": "stream.online"},
        {"conduit_id": "nowhere", "user_id": channels[1].user_id},
        {"status": "nonsense"},
        {"type": "nonsense"},
        {"after": "nonsense"},
    ):
        assert (await client.ask(PATH, bad))[0] == 400, bad


async def test_deleting(sim: Simulator, client: Client, callback: Callback) -> None:
    made = await sim.subscribe(sim.add_channel("ada").user_id, "stream.online", callback.url)
    for params, status in (({"id": made.id}, 204), ({"id": made.id}, 404), ({}, 400)):
        assert (await client.ask(PATH, params, method="DELETE"))[0] == status
    await sim.go_live("ada")
    await sim.eventsub.idle()
    assert callback.kinds() == ["webhook_callback_verification"]
