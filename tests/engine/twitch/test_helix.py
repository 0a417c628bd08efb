from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from itsjustintv_desktop.engine.core.errors import (
    ConduitGoneError,
    ConduitLimitError,
    TwitchAuthError,
    TwitchNoClientError,
    TwitchRefusedError,
    TwitchUnreachableError,
)
from itsjustintv_desktop.engine.twitch.helix import ChannelInfo, Conduits, Stream, User, _items
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from tests.engine.ingress.conduit.rig import running_rig
from tests.engine.twitch.rig import Rig


async def test_users_by_id_and_login(rig: Rig) -> None:
    first = rig.simulator.add_channel("first_one", display_name="First", description="Hi!")
    second = rig.simulator.add_channel("second_one")
    users = await rig.helix.users(ids=[first.user_id, "999"], logins=["second_one", "nobody"])
    assert [user.id for user in users] == [first.user_id, second.user_id]
    assert users[0] == User(
        id=first.user_id,
        login="first_one",
        display_name="First",
        description="Hi!",
        profile_image_url=users[0].profile_image_url,
    )
    assert users[0].profile_image_url.startswith(rig.simulator.url)


async def test_streams_tell_what_is_live(rig: Rig) -> None:
    channel = rig.simulator.add_channel("live_one", title="A title", category="Chess", tags=["English"], language="de")
    other = rig.simulator.add_channel("quiet_one")
    running = await rig.simulator.go_live("live_one", viewers=77, notify=False)
    (stream,) = await rig.helix.streams([channel.user_id, other.user_id])
    assert (stream.id, stream.user_id, stream.viewer_count) == (running.id, channel.user_id, 77)
    assert (stream.title, stream.game_name, stream.tags, stream.language) == ("A title", "Chess", ("English",), "de")
    assert "{width}x{height}" in stream.thumbnail_url


async def test_channels_and_followers(rig: Rig) -> None:
    channel = rig.simulator.add_channel("quiet_one", title="Later", tags=["Deutsch"], language="de", followers=4321)
    (info,) = await rig.helix.channels([channel.user_id])
    assert (info.title, info.tags, info.broadcaster_language) == ("Later", ("Deutsch",), "de")
    assert await rig.helix.followers(channel.user_id) == 4321


async def test_more_than_a_hundred_are_asked_for_in_parts(rig: Rig) -> None:
    ids = [rig.simulator.add_channel(f"channel_{number}").user_id for number in range(250)]
    for number in range(250):
        await rig.simulator.go_live(f"channel_{number}", notify=False)
    assert [user.id for user in await rig.helix.users(ids=ids)] == ids
    assert {stream.user_id for stream in await rig.helix.streams(ids)} == set(ids)
    assert [info.broadcaster_id for info in await rig.helix.channels(ids)] == ids
    assert dict(rig.simulator.calls) == {"users": 3, "streams": 3, "channels": 3}
    assert await rig.helix.users() == []


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (User, {"id": "1", "login": "a"}, {"id": 1, "login": "b"}),
        (Stream, {"id": "1", "user_id": "2", "viewer_count": 3, "tags": None}, {"id": "1", "viewer_count": "many"}),
        (ChannelInfo, {"broadcaster_id": "1", "tags": "x", "delay": 0}, {"broadcaster_id": None, "tags": []}),
    ],
)
def test_one_bad_item_does_not_spoil_the_others(kind: type, good: dict[str, object], bad: dict[str, object]) -> None:
    body = json.dumps({"data": [bad, good, None, 5]}).encode()
    assert len(_items("/x", kind)(body)) == 1


NOWHERE = "26b1c993-bfcf-44d9-b876-379dacafe75a"


@pytest.fixture
def conduits(rig: Rig) -> Conduits:
    return Conduits(rig.client)


async def test_make_list_and_delete(rig: Rig, conduits: Conduits) -> None:
    assert list(await conduits.list()) == []
    one = await conduits.create()
    two = await conduits.create(3)
    assert (one.shard_count, two.shard_count) == (1, 3)
    assert list(await conduits.list()) == [one, two]
    assert await conduits.delete(one.id)
    assert not await conduits.delete(one.id), "gone already"
    assert list(await conduits.list()) == [two]


async def test_five_are_the_limit(conduits: Conduits) -> None:
    for _ in range(5):
        await conduits.create()
    with pytest.raises(ConduitLimitError, match="5 conduits already") as caught:
        await conduits.create()
    assert caught.value.status == 429


async def test_a_shard_is_given_to_a_socket(tmp_path: Path) -> None:
    async with (
        running_rig(tmp_path) as rig,  # its clocks stand still: a socket that serves nothing is closed after 10 s
        aiohttp.ClientSession() as http,
        http.ws_connect(rig.simulator.eventsub_url) as socket,
    ):
        conduits = rig.conduits
        made = await conduits.create()
        assert list(await conduits.shards(made.id)) == []
        session = (await socket.receive_json())["payload"]["session"]["id"]
        update = await conduits.attach(made.id, session)
        assert not update.errors
        (shard,) = update.data
        assert (shard.id, shard.status, shard.transport.session_id) == ("0", "enabled", session)
        assert list(await conduits.shards(made.id)) == [shard]


async def test_202_alone_is_no_success(conduits: Conduits) -> None:
    made = await conduits.create()
    update = await conduits.attach(made.id, "no-such-session")
    assert update.data == ()
    (error,) = update.errors
    assert error.id == "0"
    assert "not connected" in error.message
    (outside,) = (await conduits.attach(made.id, "x", shard_id="7")).errors
    assert outside.id == "7"


async def test_shards_of_every_page(rig: Rig, conduits: Conduits) -> None:
    made = await conduits.create(7)
    rig.simulator.conduits.page_size = 3
    webhook = {"method": "webhook", "callback": "https://example.com/x", "secret": "a secret of ten"}
    update = await conduits.update_shards(made.id, [{"id": str(n), "transport": webhook} for n in range(7)])
    assert len(update.data) == 7
    assert [shard.id for shard in await conduits.shards(made.id)] == [str(number) for number in range(7)]
    assert rig.simulator.calls["shards"] == 4


async def test_a_conduit_that_is_gone(conduits: Conduits) -> None:
    with pytest.raises(ConduitGoneError):
        await conduits.attach(NOWHERE, "x")
    with pytest.raises(ConduitGoneError):
        await conduits.shards(NOWHERE)


async def test_other_refusals_stay_what_they_are(conduits: Conduits) -> None:
    with pytest.raises(TwitchRefusedError) as caught:
        await conduits.create(0)
    assert caught.value.status == 400
    made = await conduits.create()
    with pytest.raises(TwitchRefusedError) as caught:
        await conduits.update_shards(made.id, [])
    assert caught.value.status == 400


async def test_an_answer_that_makes_no_sense(rig: Rig, conduits: Conduits) -> None:
    rig.simulator.faults.set("conduits", broken=True)
    with pytest.raises(TwitchUnreachableError):
        await conduits.create()


@pytest.mark.parametrize(("client_id", "secret"), [("", "x"), ("x", "")])
async def test_a_missing_client_is_told_from_a_refused_one(
    rig: Rig, conduits: Conduits, client_id: str, secret: str
) -> None:
    rig.credentials = Credentials(client_id, secret)
    with pytest.raises(TwitchNoClientError):
        await conduits.list()
    rig.credentials = Credentials(rig.simulator.client_id, "wrong")
    with pytest.raises(TwitchAuthError) as caught:
        await conduits.list()
    assert not isinstance(caught.value, TwitchNoClientError)
