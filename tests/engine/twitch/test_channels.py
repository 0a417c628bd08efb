from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.core.models import Channel
from itsjustintv_desktop.engine.twitch.channels import AGAIN_EVERY, FIRST_RETRY, LAST_RETRY, ChannelDirectory
from itsjustintv_desktop.engine.twitch.profiles import Profiles
from tests.engine.twitch.rig import Rig
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
