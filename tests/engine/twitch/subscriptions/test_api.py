"""Subscriptions over Helix: pages, refusals told apart, what is not as documented."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import structlog
from aiolimiter import AsyncLimiter

from itsjustintv_desktop.engine.core.errors import (
    SubscriptionExistsError,
    SubscriptionLimitError,
    TwitchRateLimitedError,
    TwitchRefusedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.core.models import Conduit, Webhook
from itsjustintv_desktop.engine.twitch.subscriptions.apply import SubscriptionsApi, _items, _page
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.engine.twitch.rig import Rig, running_rig
from tests.support.bent import MISSING, OTHERS, bend, put

HERE = Webhook("http://127.0.0.1:9/twitch")
SECRET = "a-secret-of-this-test"


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running_rig() as running:
        yield running


@pytest.fixture
def api(rig: Rig) -> SubscriptionsApi:
    return SubscriptionsApi(rig.client)


async def test_made_listed_and_deleted(rig: Rig, api: SubscriptionsApi) -> None:
    user = rig.simulator.add_channel("one").user_id
    made = await api.create("stream.online", "1", user, HERE, SECRET)
    assert (made.key, made.version, made.cost) == (("stream.online", user), "1", 1)
    assert made.transport.target == "webhook http://127.0.0.1:9/twitch"
    found = await api.list_all()
    assert [one.id for one in found.items] == [made.id]
    assert found.max_total_cost == 10_000
    assert await api.delete(made.id)
    assert not await api.delete(made.id)
    assert (await api.list_all()).items == ()


async def test_all_pages_and_only_one_channels(rig: Rig, api: SubscriptionsApi) -> None:
    rig.simulator.eventsub.subscriptions.page_size = 2
    users = [rig.simulator.add_channel(f"channel_{number}").user_id for number in range(5)]
    for user in users:
        await api.create("stream.online", "1", user, HERE, SECRET)
    assert [one.user_id for one in (await api.list_all()).items] == users
    assert [one.user_id for one in (await api.list_all(user_id=users[3])).items] == [users[3]]


ENDLESS: dict[str, Callable[[int], str]] = {
    "the cursor comes again": lambda _: "again",
    "two cursors take turns": lambda number: "ab"[number % 2],
    "a new cursor each time": str,
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("more", [0, 10**9])
async def test_a_list_without_an_end_ends(
    rig: Rig, api: SubscriptionsApi, monkeypatch: pytest.MonkeyPatch, name: str, more: int
) -> None:
    """The first page holds two, the ones after it nothing new; with `more` each holds another one."""
    asked = 0

    async def request(*_: object, **__: object) -> object:
        nonlocal asked
        items = [{"id": "a"}, {"id": "b"}, *([{"id": f"more-{asked}"}] if asked < more else [])]
        asked += 1
        return _page(json.dumps({"data": items, "pagination": {"cursor": ENDLESS[name](asked)}}).encode())

    monkeypatch.setattr(rig.client, "request", request)
    found = await api.list_all()
    assert {"a", "b"} <= {one.id for one in found.items}
    assert not found.complete
    assert asked <= (3 if name != "a new cursor each time" else 501 if more else 4)


@pytest.mark.parametrize("field", ["pagination", "total", "total_cost", "max_total_cost"])
async def test_a_list_with_an_odd_field_is_a_list(rig: Rig, api: SubscriptionsApi, field: str) -> None:
    user = rig.simulator.add_channel("one").user_id
    made = await api.create("stream.online", "1", user, HERE, SECRET)
    await rig.simulator.eventsub.idle(10.0)
    _verified(rig)
    for value in OTHERS:
        with pytest.MonkeyPatch.context() as patch:
            bend(patch, rig.http, "/subscriptions", partial(put, path=(field,), value=value))
            found = await api.list_all()
        assert [one.id for one in found.items] == [made.id], value
        assert (found.total_cost, found.max_total_cost) == (
            (1 if field != "total_cost" else value if value == 17 else 0),
            (10_000 if field != "max_total_cost" else value if value == 17 else 0),
        ), value


async def test_a_list_of_null_is_empty(rig: Rig, api: SubscriptionsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    bend(monkeypatch, rig.http, "/subscriptions", lambda _: {"data": None, "pagination": None, "total_cost": None})
    assert (await api.list_all()).items == ()


@pytest.mark.parametrize(
    ("said", "existing"),
    [
        ({"id": "abc"}, "abc"),
        ({"data": [{"id": "abc"}]}, "abc"),
        ({"data": None, "id": None}, ""),
        ({"id": 5, "data": 7}, ""),
    ],
)
async def test_a_409_says_which_one_there_is(
    rig: Rig, api: SubscriptionsApi, monkeypatch: pytest.MonkeyPatch, said: dict[str, object], existing: str
) -> None:
    user = rig.simulator.add_channel("one").user_id
    await api.create("stream.online", "1", user, HERE, SECRET)
    await rig.simulator.eventsub.idle(10.0)
    _verified(rig)
    bend(monkeypatch, rig.http, "/subscriptions", lambda told: put(told, ("id",), MISSING) | said)
    with pytest.raises(SubscriptionExistsError) as caught:
        await api.create("stream.online", "1", user, HERE, SECRET)
    assert (caught.value.status, caught.value.existing) == (409, existing)


def _verified(rig: Rig) -> None:
    """Nobody answers at these addresses; what Twitch holds shall be enabled all the same."""
    for held in rig.simulator.eventsub.subscriptions:
        held.status = SubscriptionStatus.ENABLED


async def test_a_second_one_is_told_apart(rig: Rig, api: SubscriptionsApi) -> None:
    user = rig.simulator.add_channel("one").user_id
    await api.create("stream.online", "1", user, HERE, SECRET)
    await rig.simulator.eventsub.idle()
    _verified(rig)
    with pytest.raises(SubscriptionExistsError):
        await api.create("stream.online", "1", user, HERE, SECRET)


async def test_a_fourth_alike_is_no_rate_limit(rig: Rig, api: SubscriptionsApi) -> None:
    user = rig.simulator.add_channel("one").user_id
    for number in range(3):
        await api.create("stream.online", "1", user, Webhook(f"http://127.0.0.1:9/{number}"), SECRET)
        await rig.simulator.eventsub.idle()
        _verified(rig)
    calls = rig.simulator.calls["subscriptions"]
    with pytest.raises(SubscriptionLimitError) as caught:
        await api.create("stream.online", "1", user, HERE, SECRET)
    assert caught.value.kind == "alike"
    assert rig.simulator.calls["subscriptions"] == calls + 1, "it is not tried again"
    assert rig.client.status.ok, "an answer all the same"


async def test_a_spent_budget_is_no_rate_limit(rig: Rig, api: SubscriptionsApi) -> None:
    user = rig.simulator.add_channel("one").user_id
    rig.simulator.eventsub.subscriptions.max_total_cost = 0
    with pytest.raises(SubscriptionLimitError) as caught:
        await api.create("stream.online", "1", user, HERE, SECRET)
    assert caught.value.kind == "cost"


async def test_a_real_rate_limit_stays_one(rig: Rig, api: SubscriptionsApi) -> None:
    user = rig.simulator.add_channel("one").user_id
    rig.simulator.faults.set("subscriptions", status=429, times=1, reset_in=45)
    with pytest.raises(TwitchRateLimitedError):
        await api.create("stream.online", "1", user, HERE, SECRET)


async def test_what_cannot_be_made_says_why(rig: Rig, api: SubscriptionsApi) -> None:
    with pytest.raises(TwitchRefusedError, match="does not exist"):
        await api.create("stream.online", "1", "404404", HERE, SECRET)


async def test_a_create_is_not_repeated_after_a_fault(rig: Rig, api: SubscriptionsApi) -> None:
    user = rig.simulator.add_channel("one").user_id
    await api.list_all()
    calls = rig.simulator.calls["subscriptions"]
    rig.simulator.faults.set("subscriptions", status=500, times=1)
    with pytest.raises(TwitchUnreachableError):
        await api.create("stream.online", "1", user, HERE, SECRET)
    assert rig.simulator.calls["subscriptions"] == calls + 1


async def test_over_a_conduit_no_secret_is_sent(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []

    async def request(*_: object, body: bytes, **__: object) -> None:
        sent.append(body)

    monkeypatch.setattr(rig.client, "request", request)
    await SubscriptionsApi(rig.client).create("stream.online", "1", "1", Conduit("abc"), SECRET)
    assert b'"transport":{"method":"conduit","conduit_id":"abc"}' in sent[0]
    assert SECRET.encode() not in sent[0]


def test_one_that_is_not_as_documented_is_left_out() -> None:
    body = b'{"data": [{"id": 5}, {"id": "a", "status": "enabled", "type": "stream.online"}, null]}'
    with structlog.testing.capture_logs() as logs:
        assert [one.id for one in _items(_page(body))] == ["a"]
    assert len(logs) == 2


async def test_points_are_spared_for_announcements(rig: Rig, api: SubscriptionsApi) -> None:
    assert api.spare()
    rig.client.budget.limit, rig.client.budget.remaining = 800, 399
    rig.client.budget.reset_at = rig.clock.now() + 30
    assert not api.spare()
    rig.clock.advance(31)
    assert api.spare()


async def test_our_own_ceiling_counts_too(rig: Rig, api: SubscriptionsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    # The ceiling comes back by real time: however slow this machine is, nothing of it does meanwhile.
    monkeypatch.setattr(AsyncLimiter, "_leak", lambda _: None)
    await rig.client._tokens.get()
    rig.simulator.add_channel("one")
    for _ in range(360):
        if not api.spare():
            break
        await api.list_all()
    assert not api.spare()
