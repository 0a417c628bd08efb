from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError, SecretsLockedError
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.twitch.channels import (
    AGAIN_EVERY,
    FIRST_RETRY,
    LAST_RETRY,
    ChannelDirectory,
    look_up_channels,
)
from itsjustintv_desktop.engine.twitch.helix import User
from itsjustintv_desktop.engine.twitch.profiles import Profiles
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from tests.engine.twitch.rig import Rig
from tests.support.bent import OTHERS, bend, put
from tests.support.clock import FakeClock
from tests.support.holding import holding
from tests.support.waiting import until


class Meta:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.broken = False

    async def meta(self, key: str) -> str | None:
        return self.kept.get(key)

    async def set_meta(self, key: str, value: str) -> None:
        if self.broken:
            raise LedgerUnavailableError("The disk is full.")
        self.kept[key] = value


def streamers(**logins: str) -> Config:
    return Config(streamers={key: Streamer(key=key, login=login) for key, login in logins.items()})


class Desk:
    """A directory with its own clock; Twitch is the rig's simulator."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.clock = FakeClock()
        self.meta = Meta()
        self.holder = holding(streamers(alice="alice"))
        self.heard: list[Mapping[str, Channel]] = []
        self.profiles = Profiles(rig.store, tasks=rig.tasks, clock=rig.clock)
        self.directory = self.new()

    def configure(self, config: Config) -> None:
        self.holder.current = ActiveConfig(config, {})

    def new(self) -> ChannelDirectory:
        made = ChannelDirectory(
            self.rig.helix,
            self.profiles,
            self.meta,
            config=self.holder,
            clock=self.clock,
        )
        made.changed.connect(self.heard.append)
        return made

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It has looked once and waits."""
        task = self.rig.tasks.start("directory", self.directory.run())
        await until(lambda: self.clock.sleeping)
        yield
        task.cancel()
        await until(task.done)

    @property
    def calls(self) -> int:
        return self.rig.simulator.calls["users"]

    async def next_look(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await until(lambda: self.clock.sleeping)


@pytest.fixture
def desk(rig: Rig) -> Desk:
    for login in ("alice", "bob"):
        rig.simulator.add_channel(login)
    return Desk(rig)


async def test_logins_become_ids_in_one_call_and_outlive_a_restart(desk: Desk) -> None:
    desk.configure(streamers(a="Alice", b="bob"))
    ids = {login: desk.rig.simulator.state.get(login).user_id for login in ("alice", "bob")}
    async with desk.running():
        (heard,) = desk.heard
        assert {key: (found.user_id, found.login) for key, found in heard.items()} == {
            "a": (ids["alice"], "alice"),
            "b": (ids["bob"], "bob"),
        }
        assert (desk.calls, desk.clock.sleeping, desk.directory.problems) == (1, [AGAIN_EVERY], ())
        assert desk.profiles.get(ids["bob"]).display_name == "Bob"
    again = desk.new()
    assert {key: found.user_id for key, found in (await again.load()).items()} == {"a": ids["alice"], "b": ids["bob"]}
    assert desk.calls == 1


async def test_a_renamed_channel_is_followed_by_its_id(desk: Desk) -> None:
    async with desk.running():
        user_id = desk.heard[0]["alice"].user_id
        desk.rig.simulator.state.rename("alice", "alice_new")
        desk.rig.simulator.add_channel("alice")  # somebody else takes the old login
        await desk.next_look(AGAIN_EVERY)
        assert (desk.heard[-1]["alice"].user_id, desk.heard[-1]["alice"].login) == (user_id, "alice_new")
    assert (await desk.new().load())["alice"].login == "alice_new"


async def test_what_changed_in_the_config_makes_a_finding_worthless(desk: Desk) -> None:
    async with desk.running():
        pass
    assert set(await desk.directory.load()) == {"alice"}
    desk.configure(streamers(alice="bob"))
    assert await desk.new().load() == {}
    desk.configure(Config(streamers={"alice": Streamer(key="alice", login="alice", user_id="999")}))
    assert await desk.new().load() == {}
    desk.configure(streamers(other="alice"))
    assert await desk.new().load() == {}
    async with desk.running():
        assert set(desk.heard[-1]) == {"other"}
    assert set(msgspec.json.decode(desk.meta.kept["channels"])) == {"other"}


async def test_while_twitch_fails_it_asks_again_with_growing_pauses(desk: Desk) -> None:
    desk.rig.simulator.faults.set("users", status=401)  # unlike a 5xx it is not tried again for 10 s
    async with desk.running():
        pauses = []
        for _ in range(8):
            (pause,) = desk.clock.sleeping
            pauses.append(pause)
            assert "could not be looked up yet" in desk.directory.problems[-1]
            await desk.next_look(pause)
        assert pauses == [FIRST_RETRY, 60, 120, 240, 480, LAST_RETRY, LAST_RETRY, LAST_RETRY]
        assert desk.heard == []
        desk.rig.simulator.faults.clear()
        await desk.next_look(LAST_RETRY)
        assert set(desk.heard[-1]) == {"alice"}
        assert (desk.directory.problems, desk.clock.sleeping) == ((), [AGAIN_EVERY])


async def test_an_unknown_login_is_said_and_stops_nobody_else(desk: Desk) -> None:
    desk.configure(streamers(a="alice", x="nobody_has_this"))
    async with desk.running():
        assert set(desk.heard[-1]) == {"a"}
        (problem,) = desk.directory.problems
        assert "nobody_has_this" in problem
        assert desk.clock.sleeping == [AGAIN_EVERY], "asking more often would not help"


async def test_a_changed_config_is_looked_at_soon(desk: Desk) -> None:
    async with desk.running():
        desk.configure(streamers(alice="alice", bob="bob"))
        desk.directory.refresh()
        await until(lambda: len(desk.heard) == 2)
        assert set(desk.heard[-1]) == {"alice", "bob"}


async def test_nothing_new_is_not_told_again(desk: Desk) -> None:
    async with desk.running():
        for _ in range(3):
            await desk.next_look(AGAIN_EVERY)
        assert (len(desk.heard), desk.calls) == (1, 4)


@pytest.mark.parametrize("kept", ["not json", "[]", '{"alice": 5}', '{"alice": {"written": "alice"}}'])
async def test_damaged_findings_are_looked_up_again(desk: Desk, kept: str) -> None:
    desk.meta.kept["channels"] = kept
    assert await desk.directory.load() == {}
    async with desk.running():
        assert set(desk.heard[-1]) == {"alice"}


async def test_findings_that_cannot_be_kept_are_used_all_the_same(desk: Desk) -> None:
    desk.meta.broken = True
    async with desk.running():
        assert set(desk.heard[-1]) == {"alice"}
    assert desk.meta.kept == {}


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
