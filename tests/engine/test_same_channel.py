"""One channel, listed by its user id and by its login: what the whole program does with it, and says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.control.address import read
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

ALICE = "100000001"
TWICE = f"""
[destinations.first]
url = "RECEIVER/first"
[destinations.second]
url = "RECEIVER/second"
[streamers.one]
user_id = "{ALICE}"
destinations = ["first"]
[streamers.two]
login = "alice"
destinations = ["second"]
additional_tags = ["Ours"]
"""


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, TWICE, secret=None) as made:
        await made.engine.channels_looked_up(10.0)
        yield made


def got(running: Running) -> dict[str, Any]:
    """Of each receiver, its additional tags."""
    return {one.name: one.json["additional_tags"] for one in running.simulator.receiver.accepted()}


async def test_a_stream_goes_to_the_destinations_of_both(running: Running) -> None:
    assert running.engine.config.current.watched_ids() == [ALICE]
    await running.simulator.go_live("alice")
    await running.settled()
    assert got(running) == {"first": [], "second": ["Ours"]}
    assert len(running.simulator.receiver.all) == 2
    output = running.output()
    assert [[each["destination"] for each in entry["deliveries"]] for entry in output] == [["first"], ["second"]]
    assert all(entry["success"] for entry in output)


async def test_a_stream_found_by_asking_goes_to_both_once(running: Running) -> None:
    await running.simulator.go_live("alice", notify=False)
    for _ in range(3):
        running.engine.reach.catch_up.trigger("asked")
        await running.simulator.receiver.wait_for(2)
        await running.settled()
    assert got(running) == {"first": [], "second": ["Ours"]}
    assert len(await running.engine.ledger.events()) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [("alice", {"first", "second"}), (ALICE, {"first", "second"}), ("one", {"first"}), ("two", {"second"})],
)
async def test_a_test_goes_where_it_says(running: Running, name: str, told: set[str]) -> None:
    announcements = running.engine.api.announcements
    event_id = await announcements.test_event(name)

    async def over() -> bool:
        return (await announcements.event_report(event_id)).is_settled

    await until(over, what="the test is over")
    report = await announcements.event_report(event_id)
    assert report.state == "announced"
    assert {each.destination for each in report.deliveries} == told
    assert {each.state for each in report.deliveries} == {DeliveryState.DELIVERED}
    assert set(got(running)) == told


async def test_the_part_that_was_not_announced_is_said(running: Running) -> None:
    off = TWICE.replace('url = "RECEIVER/second"', 'url = "RECEIVER/second"\nenabled = false')
    running.write_config(off)
    running.engine.reload.trigger()
    await until(lambda: not running.engine.live.destinations["second"].enabled)
    await running.simulator.go_live("alice")
    await running.settled()
    page = await running.engine.api.events.list()
    assert sorted((event.streamer, event.kind, event.reason) for event in page.events) == [
        ("one", "announced", ""), ("two", "suppressed", "destinations_disabled"),
    ]  # fmt: skip
    event = next(each for each in page.events if each.streamer == "two")
    with pytest.raises(UsageError, match="switched off"):
        await running.engine.api.announcements.send_anyway(event.id)
    running.write_config(TWICE)
    running.engine.reload.trigger()
    await until(lambda: running.engine.live.destinations["second"].enabled)
    assert await running.engine.api.announcements.send_anyway(event.id) == ("second",)
    await running.settled()
    assert got(running) == {"first": [], "second": ["Ours"]}


async def test_while_paused_it_is_held_back_for_both(running: Running) -> None:
    await running.engine.api.announcements.pause(None)
    await running.simulator.go_live("alice")
    await running.settled()
    await running.engine.api.announcements.resume()
    records = await running.engine.ledger.events()
    assert {(record.streamer, record.reason) for record in records} == {("one", "paused"), ("two", "paused")}
    assert await running.engine.api.announcements.send_anyway(records[0].id) == ("second",)
    await running.simulator.go_live("alice")  # Twitch tells of it once more
    await running.settled()
    assert set(got(running)) == {"second"}, "what a person did not send stays held back"


async def test_it_is_pointed_out(running: Running) -> None:
    report = await running.engine.api.diagnostics.doctor()
    found = {check.name: check for check in report.checks}
    for key, other in (("one", "two"), ("two", "one")):
        check = found[f"streamer {key}"]
        assert check.state == "amber"
        assert f"the same channel as {other}" in check.message
        assert "Keep one of them" in check.fix
    views = {view.key: view for view in (await running.engine.api.snapshot.take()).streamers}
    assert "the same channel as two" in views["one"].status.reason
    assert "the same channel as one" in views["two"].status.reason
    address = read(running.paths.control)
    assert address is not None
    async with ControlClient(address) as client:
        assert {(each.key, each.user_id) for each in await client.channels.list()} == {("one", ALICE), ("two", ALICE)}


async def test_a_channel_that_is_there_by_its_id_is_not_added_by_its_login(tmp_path: Path) -> None:
    by_id = TWICE[: TWICE.index("[streamers.two]")]
    async with running_engine(tmp_path, by_id, secret=None) as running:
        await running.engine.channels_looked_up(10.0)
        with pytest.raises(UsageError, match="watched already"):
            await running.engine.api.settings.streamers.add(["Alice"])


async def check(running: Running, *, environ: dict[str, str]) -> Any:
    """`config check --json`, in a thread: it has a loop of its own."""
    import asyncio

    arguments = [
        "--config",
        str(running.paths.config),
        "--data-dir",
        str(running.paths.data),
        "config",
        "check",
        "--json",
    ]
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=environ)
    assert result.exit_code == 0, result.output
    return msgspec.json.decode(result.stdout)


async def test_config_check_asks_the_program_that_runs(running: Running) -> None:
    found = await check(running, environ={})
    assert any("streamers.two: it is the same channel as one" in each for each in found["warnings"])


async def test_config_check_asks_twitch_itself(tmp_path: Path) -> None:
    async with running_engine(tmp_path, TWICE, secret=None, start=False) as running:
        found = await check(running, environ=running.simulator.environment())
        assert any("streamers.two: it is the same channel as one" in each for each in found["warnings"])
        assert not running.paths.ledger.exists()
        running.simulator.faults.set("users", status=503)
        found = await check(running, environ=running.simulator.environment())
        assert not any("same channel" in each for each in found["warnings"])
        assert any("`doctor` tells" in each for each in found["notices"])
        asked = running.simulator.other_calls["token"]
        found = await check(running, environ={})
        assert any("`doctor` tells" in each for each in found["notices"])
        running.write_config(TWICE.replace(f'user_id = "{ALICE}"', 'login = "bob"'))
        found = await check(running, environ=running.simulator.environment())
        assert not any("same channel" in each for each in [*found["warnings"], *found["notices"]])
        assert running.simulator.other_calls["token"] == asked, "nothing to ask"


async def test_an_event_that_came_before_the_program_knew_is_not_lost(tmp_path: Path) -> None:
    async with running_engine(tmp_path, TWICE, secret=None) as running:
        await running.engine.channels_looked_up(10.0)
        await running.simulator.go_live("alice")
        await running.settled()
        await running.restart()
        await running.settled()
        assert len(running.simulator.receiver.accepted()) == 2
        records = await running.engine.ledger.events()
        assert all(record.state is EventState.ANNOUNCED for record in records)
