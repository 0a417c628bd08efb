"""A client of Twitch that someone else wrote works against the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

pytest.importorskip("twitchAPI", reason="the third-party client twitchAPI is not installed")

from twitchAPI.helper import first
from twitchAPI.oauth import validate_token
from twitchAPI.twitch import Twitch
from twitchAPI.type import TwitchAPIException, TwitchAuthorizationException, TwitchResourceNotFound

from itsjustintv_desktop.simulator import Simulator
from tests.simulator.conftest import Callback


@pytest.fixture
async def twitch(sim: Simulator) -> AsyncIterator[Twitch]:
    made = Twitch(sim.client_id, sim.client_secret, base_url=f"{sim.api_url}/", auth_base_url=f"{sim.auth_url}/")
    await made.authenticate_app([])
    yield made
    await made.close()  # type: ignore[no-untyped-call]


async def test_it_reads_users_streams_channels_followers_and_games(sim: Simulator, twitch: Twitch) -> None:
    for n in range(25):
        sim.add_channel(f"c{n}", followers=n, category="Chess", tags=["English"])
        await sim.go_live(f"c{n}", viewers=n)
    c7 = sim.state.get("c7")
    user = await first(twitch.get_users(logins=["c7"]))
    assert user is not None
    assert user.id == c7.user_id
    assert user.created_at.year >= 2020
    streams = [stream.user_login async for stream in twitch.get_streams(first=10)]
    assert streams == [f"c{n}" for n in reversed(range(25))]
    information = await twitch.get_channel_information(c7.user_id)
    assert information[0].game_name == "Chess"
    assert (await twitch.get_channel_followers(c7.user_id)).total == 7
    games = [game.id async for game in twitch.get_games(names=["Chess"])]
    assert games == [c7.category.id]


async def test_it_subscribes_lists_and_deletes(sim: Simulator, twitch: Twitch, callback: Callback) -> None:
    ada = sim.add_channel("ada")
    sim.eventsub.subscriptions.page_size = 1
    condition = {"broadcaster_user_id": ada.user_id}
    transport = {"method": "webhook", "callback": callback.url, "secret": "0123456789"}
    for type_ in ("stream.online", "stream.offline"):
        await twitch.create_eventsub_subscription(type_, "1", condition, transport)
    await sim.eventsub.idle()
    result = await twitch.get_eventsub_subscriptions()
    assert (result.total, result.total_cost, result.max_total_cost) == (2, 2, 10_000)
    held = [one async for one in result]
    assert [(one.type, one.status) for one in held] == [("stream.online", "enabled"), ("stream.offline", "enabled")]
    await twitch.delete_eventsub_subscription(held[0].id)
    assert [one.type for one in sim.eventsub.subscriptions] == ["stream.offline"]
    with pytest.raises(TwitchResourceNotFound):
        await twitch.delete_eventsub_subscription(held[0].id)


async def test_it_renews_a_revoked_token_by_itself(sim: Simulator, twitch: Twitch) -> None:
    ada = sim.add_channel("ada")
    sim.faults.revoke_tokens()
    user = await first(twitch.get_users(user_ids=[ada.user_id]))
    assert user is not None
    assert sim.other_calls["token"] == 2


async def test_it_understands_refusals(sim: Simulator, twitch: Twitch) -> None:
    with pytest.raises(TwitchAPIException):
        await twitch.get_channel_followers("424242")
    wrong = Twitch(sim.client_id, "wrong", base_url=f"{sim.api_url}/", auth_base_url=f"{sim.auth_url}/")
    with pytest.raises(TwitchAuthorizationException):
        await wrong.authenticate_app([])
    await wrong.close()  # type: ignore[no-untyped-call]


async def test_it_validates_a_token(sim: Simulator) -> None:
    data = await validate_token(sim.tokens.issue(), auth_base_url=f"{sim.auth_url}/")
    assert data["client_id"] == sim.client_id
    data = await validate_token("nonsense", auth_base_url=f"{sim.auth_url}/")
    assert data["status"] == 401
