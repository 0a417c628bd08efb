"""`test-event` while no program runs: a real payload through an engine of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from tests.support.commands import Result, beside

SECRET = "a-secret-of-this-test"
_CONFIG = f"""
[secrets]
store = "memory"
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[destinations.down]
url = "RECEIVER/down"
[destinations.vault]
url = "RECEIVER/vault"
secret = "@keyring"
[destinations.off]
url = "RECEIVER/off"
enabled = false
[streamers.alice]
login = "alice"
destinations = ["main"]
tag_filter = ["nobody uses this"]
[streamers.bob]
login = "bob"
destinations = ["main", "down"]
[streamers.carol]
login = "carol"
[streamers.dave]
login = "dave"
destinations = ["off"]
[streamers.eve]
login = "eve_who_is_not_there"
destinations = ["main"]
[streamers.frank]
login = "frank"
destinations = ["main", "vault"]
"""


class Desk:
    def __init__(self, simulator: Simulator, paths: Paths) -> None:
        self.simulator = simulator
        self.paths = paths

    async def run(self, *command: str) -> Result:
        return await beside(self.paths, "test-event", *command, environ=self.simulator.environment())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Simulator() as simulator:
        for login in ("alice", "bob", "carol", "dave", "frank"):
            simulator.add_channel(login)
        simulator.receiver.expect("main", secret=SECRET)
        paths = Paths(tmp_path / "config.toml", tmp_path / "data")
        paths.config.write_text(_CONFIG.replace("RECEIVER", f"{simulator.url}/receiver"), encoding="utf-8")
        yield Desk(simulator, paths)


async def test_it_reaches_the_destination_enriched_and_marked(desk: Desk) -> None:
    result = await desk.run("alice", "--json")
    assert result.code == 0, result.err
    assert set(result.json) == {"ok", "event_id", "state", "reason", "deliveries", "blocked"}
    assert (result.json["ok"], result.json["state"]) == (True, "announced")
    assert [each["state"] for each in result.json["deliveries"]] == ["delivered"]
    (received,) = desk.simulator.receiver.accepted("main")
    assert received.verified
    assert received.json["test"] is True
    assert received.json["streamer_login"] == "alice"
    assert received.json["followers_count"] == 1000  # asked of Twitch, as for a real one
    assert not desk.paths.control.exists()


async def test_it_says_what_it_does_and_what_came_of_it(desk: Desk) -> None:
    desk.simulator.faults.set_receiver("down", redirect="/elsewhere")
    result = await desk.run("bob")
    assert result.code == 1
    assert result.err == "Asking Twitch about the channel, then sending (it may take 20 s) ...\n"
    main, down = result.out.splitlines()
    assert main == "main: delivered, the answer was 204."
    assert down.startswith("down: dead: answered with a redirect (302)")
    assert "/receiver/" not in result.out + result.err


async def test_a_second_test_is_no_duplicate(desk: Desk) -> None:
    for _ in range(2):
        assert (await desk.run("alice")).code == 0
    assert len(desk.simulator.receiver.accepted("main")) == 2


async def test_a_streamer_without_destination_has_the_file(desk: Desk) -> None:
    result = await desk.run("carol")
    assert result.code == 0, result.err
    assert "output.json" in result.out
    assert '"test": true' in (desk.paths.data / "output.json").read_text().replace('"test":true', '"test": true')


async def test_all_destinations_switched_off(desk: Desk) -> None:
    result = await desk.run("dave")
    assert result.code == 1
    assert "switched off" in result.out


async def test_a_streamer_that_is_none(desk: Desk) -> None:
    result = await desk.run("mallory")
    assert (result.code, result.out) == (1, "")
    assert "There are: alice, bob, carol, dave, eve, frank." in result.err


async def test_a_destination_that_cannot_be_reached(desk: Desk) -> None:
    """It does not wait for the next attempt in half a minute: the first answer is what was asked for."""
    desk.simulator.faults.set_receiver("down", status=500)
    result = await desk.run("bob", "--json")
    assert result.code == 1
    states = {each["destination"]: each["state"] for each in result.json["deliveries"]}
    assert states == {"main": "delivered", "down": "pending"}


async def test_a_channel_that_twitch_does_not_know(desk: Desk) -> None:
    result = await desk.run("eve")
    assert (result.code, result.out) == (1, "")
    assert 'Streamer "eve": Twitch knows no channel with the login "eve_who_is_not_there".' in result.err
    assert desk.simulator.receiver.received("main") == []


async def test_a_secret_that_cannot_be_had_is_an_outcome(desk: Desk) -> None:
    began = time.monotonic()
    result = await desk.run("frank", "--wait", "30")
    assert time.monotonic() - began < 20
    assert result.code == 1
    main, vault = result.out.splitlines()
    assert main.startswith("main: delivered")
    assert vault == "vault: pending: The destination's secret is not in the vault. Enter it again."


async def test_a_paused_destination_is_not_waited_for(desk: Desk) -> None:
    desk.simulator.faults.set_receiver("down", status=410)
    assert (await desk.run("bob")).code == 1
    began = time.monotonic()
    result = await desk.run("bob", "--wait", "30")
    assert time.monotonic() - began < 20
    assert result.code == 1
    main, down = result.out.splitlines()
    assert main.startswith("main: delivered")
    assert down.startswith("down: pending. It is paused: ")
    assert "410" in down
    assert "Correct its address" in down
    blocked = (await desk.run("bob", "--json")).json["blocked"]
    assert list(blocked) == ["down"]
    assert len(desk.simulator.receiver.received("down")) == 1

    listed = await beside(desk.paths, "deliveries", "list")
    rows = listed.out.splitlines()
    assert sum(" paused " in f"{row} " for row in rows if "pending" in row) == 3
    assert rows[-1].startswith("down is paused: ")
