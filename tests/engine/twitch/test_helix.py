from __future__ import annotations

import json

import pytest

from itsjustintv_desktop.engine.twitch.helix import ChannelInfo, Stream, User, _items
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
