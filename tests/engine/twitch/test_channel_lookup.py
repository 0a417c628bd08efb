from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.twitch.channel_lookup import look_up_channels
from itsjustintv_desktop.engine.twitch.helix import User
from itsjustintv_desktop.engine.twitch.oauth import Credentials
from tests.engine.twitch.rig import Rig
from tests.support.bent import OTHERS, bend, put


async def test_logins_become_ids_and_ids_the_present_login(rig: Rig) -> None:
    first = rig.simulator.add_channel("first_one", display_name="First")
    second = rig.simulator.add_channel("second_one", display_name="Second")
    rig.simulator.state.rename("second_one", "renamed_one")
    found = await look_up_channels(
        rig.helix,
        [Streamer(key="a", login="First_One"), Streamer(key="b", user_id=second.user_id, login="second_one")],
    )
    assert found.channels == {
        "a": Channel("a", first.user_id, "first_one", "First"),
        "b": Channel("b", second.user_id, "renamed_one", "Renamed_one"),
    }
    assert (found.problems, found.unanswered) == ((), ())
    assert {user.login for user in found.users} == {"first_one", "renamed_one"}
    assert rig.simulator.calls["users"] == 2


async def test_a_thousand_logins_cost_ten_calls(rig: Rig) -> None:
    streamers = [Streamer(key=str(number), login=f"channel_{number}") for number in range(1000)]
    for streamer in streamers:
        rig.simulator.add_channel(streamer.login)
    found = await look_up_channels(rig.helix, streamers)
    assert len(found.channels) == 1000
    assert rig.simulator.calls["users"] == 10


async def test_one_who_does_not_exist_is_named_and_stops_nobody(rig: Rig) -> None:
    rig.simulator.add_channel("real_one")
    streamers = [
        Streamer(key="typo", login="reel_one"),
        Streamer(key="gone", user_id="424242"),
        Streamer(key="odd", login="not a login"),
        Streamer(key="letters", user_id="12x"),
        Streamer(key="real", login="real_one"),
    ]
    found = await look_up_channels(rig.helix, streamers)
    assert list(found.channels) == ["real"]
    assert found.unanswered == ()
    assert len(found.problems) == 4
    for key, value in (("typo", "reel_one"), ("gone", "424242"), ("odd", "not a login"), ("letters", "12x")):
        assert sum(key in problem and value in problem for problem in found.problems) == 1


async def test_one_that_twitch_stumbles_over_is_found_by_halving(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    streamers = [Streamer(key=f"s{number}", login=f"channel_{number}") for number in range(100)]
    for streamer in streamers:
        rig.simulator.add_channel(streamer.login)
    asked: list[int] = []
    users = rig.helix.users

    async def stumbling(*, logins: list[str]) -> list[User]:
        asked.append(len(logins))
        return await users(logins=["!"] if "channel_63" in logins else logins)

    monkeypatch.setattr(rig.helix, "users", stumbling)
    found = await look_up_channels(rig.helix, streamers)
    assert set(found.channels) == {streamer.key for streamer in streamers} - {"s63"}
    assert len(found.problems) == 1
    assert "channel_63" in found.problems[0]
    assert len(asked) < 20


async def test_a_batch_that_fails_leaves_the_others_alone(rig: Rig) -> None:
    streamers = [Streamer(key=f"s{number}", login=f"channel_{number}") for number in range(150)]
    for streamer in streamers:
        rig.simulator.add_channel(streamer.login)
    rig.simulator.faults.set("users", status=404, times=1)
    found = await look_up_channels(rig.helix, streamers)
    assert set(found.channels) == {f"s{number}" for number in range(100, 150)}
    assert set(found.unanswered) == {f"s{number}" for number in range(100)}
    assert len(found.problems) == 1
    assert "100 of the streamers" in found.problems[0]


async def test_refused_credentials_are_told_once_and_asked_once(rig: Rig) -> None:
    rig.credentials = Credentials(rig.simulator.client_id, "wrong")
    found = await look_up_channels(rig.helix, [Streamer(key=f"s{number}", login=f"c{number}") for number in range(500)])
    assert len(found.unanswered) == 500
    assert len(found.problems) == 1
    assert "client secret" in found.problems[0]
    assert rig.simulator.other_calls["token"] == 1


async def test_a_locked_keyring_is_asked_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def locked() -> Credentials:
        asked.append(1)
        raise SecretsLockedError("The keyring is locked.")

    monkeypatch.setattr(rig.tokens, "_credentials", locked)
    found = await look_up_channels(rig.helix, [Streamer(key=f"s{number}", login=f"c{number}") for number in range(500)])
    assert len(found.unanswered) == 500
    assert len(asked) == 1


async def test_two_keys_of_one_channel_are_both_found(rig: Rig) -> None:
    rig.simulator.add_channel("real_one")
    found = await look_up_channels(
        rig.helix, [Streamer(key="a", login="real_one"), Streamer(key="b", login="REAL_ONE")]
    )
    assert set(found.channels) == {"a", "b"}


async def test_nobody_to_resolve_asks_nothing(rig: Rig) -> None:
    assert (await look_up_channels(rig.helix, [])).channels == {}
    assert not rig.simulator.calls


@pytest.mark.parametrize("field", ["login", "display_name", "description", "profile_image_url", "view_count", "type"])
async def test_an_odd_field_makes_no_channel_unknown(rig: Rig, field: str) -> None:
    """Whether it was asked for by its id or by its login, alone or with others."""
    users = [rig.simulator.add_channel(f"channel_{number}") for number in range(5)]
    streamers = [
        Streamer(key=user.login, login=user.login, user_id=user.user_id if number % 2 else "")
        for number, user in enumerate(users)
    ]

    def change(value: object, told: dict[str, Any]) -> dict[str, Any]:
        return told | {"data": [put(each, (field,), value) for each in told["data"]]}

    for value in OTHERS:
        with pytest.MonkeyPatch.context() as patch:
            bend(patch, rig.http, "/users", partial(change, value))
            found = await look_up_channels(rig.helix, streamers)
        if field == "login" and isinstance(value, str):
            continue  # another login is another channel
        assert (found.problems, found.unanswered) == ((), ()), value
        assert {key: channel.user_id for key, channel in found.channels.items()} == {
            user.login: user.user_id for user in users
        }, value
        assert all(channel.login == key for key, channel in found.channels.items()), value
