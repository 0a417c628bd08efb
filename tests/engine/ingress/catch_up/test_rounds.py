"""When it is asked who is live, and what that costs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.errors import TwitchRefusedError
from itsjustintv_desktop.engine.core.events import LiveChanged
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.catch_up import CatchUp, CatchUpState
from itsjustintv_desktop.engine.twitch.helix import Stream
from tests.engine.ingress.catch_up.rig import Net, opened_net
from tests.engine.storage.ledger.book import raw
from tests.support.builders import make_event
from tests.support.waiting import until


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.stop()


async def run(net: Net, tasks: Tasks, catch_up: CatchUp | None = None) -> None:
    """Start it and see its first round through."""
    catch_up = catch_up or net.catch_up
    tasks.start("catch-up", catch_up.run())
    await until(lambda: catch_up.status.state is not CatchUpState.STARTING and net.clock.sleeping)


async def pass_time(net: Net, seconds: float) -> None:
    """Second by second, with a little real time between for what has to be done."""
    end = net.clock.monotonic() + seconds
    await net.clock.run_until(lambda: net.clock.monotonic() >= end, step=1.0)
    await until(lambda: net.clock.sleeping)


async def test_it_asks_at_the_start_and_at_every_interval(net: Net, tasks: Tasks) -> None:
    await run(net, tasks)
    status = net.catch_up.status
    assert (status.state, status.reason, status.last_poll) == (CatchUpState.OK, "start", net.clock.now())
    assert (status.watched, status.live, status.message) == (1, 0, "0 of 1 channels are live.")
    assert status.next_poll == pytest.approx(net.clock.now() + 300, abs=1)
    assert net.simulator.calls["streams"] == 1
    await pass_time(net, 290)
    assert net.simulator.calls["streams"] == 1
    await pass_time(net, 20)
    await until(lambda: net.simulator.calls["streams"] == 2)
    await until(lambda: net.catch_up.status.reason == "interval")


async def test_the_interval_differs_from_machine_to_machine(net: Net, tasks: Tasks) -> None:
    net.catch_up._dice = lambda: 0.0
    await run(net, tasks)
    assert net.catch_up.status.next_poll == pytest.approx(net.clock.now() + 285, abs=1)


async def test_a_nudge_asks_at_once_and_several_ask_once(net: Net, tasks: Tasks) -> None:
    await run(net, tasks)
    for reason in ("wake", "gap", "wake"):
        net.catch_up.trigger(reason)
    await pass_time(net, 5)
    await until(lambda: net.catch_up.status.reason == "wake, gap")
    assert net.simulator.calls["streams"] == 2


async def test_no_interval_asks_when_nudged_only(net: Net, tasks: Tasks) -> None:
    net.watch("alice", poll_interval=0.0)
    await run(net, tasks)
    assert net.catch_up.status.next_poll is None
    for _ in range(3):
        net.clock.advance(40_000)
        await pass_time(net, 3)
    assert net.simulator.calls["streams"] == 1
    net.catch_up.trigger("gap")
    await pass_time(net, 5)
    await until(lambda: net.simulator.calls["streams"] == 2)


async def test_a_new_config_counts_from_the_nudge(net: Net, tasks: Tasks) -> None:
    net.watch("alice", poll_interval=0.0)
    await run(net, tasks)
    net.watch("alice", "bob", poll_interval=60.0)
    net.catch_up.trigger("config")
    await pass_time(net, 5)
    await until(lambda: net.catch_up.status.watched == 2)
    assert net.catch_up.status.next_poll == pytest.approx(net.clock.now() + 60, abs=8)


async def test_while_twitch_does_not_answer_it_tries_soon_and_then_says_network(net: Net, tasks: Tasks) -> None:
    net.watch("alice", poll_interval=0.0)
    net.simulator.faults.set("streams", status=400)
    with capture_logs() as logs:
        await run(net, tasks)
        status = net.catch_up.status
        assert (status.state, status.last_poll) == (CatchUpState.WAITING, None)
        assert "could not be asked" in status.message
        assert "It is tried again by itself." in status.message
        waits = []
        for _ in range(6):
            assert net.catch_up.status.next_poll is not None
            waits.append(net.catch_up.status.next_poll - net.clock.now())
            calls = net.simulator.calls["streams"]
            await net.clock.run_until(lambda calls=calls: net.simulator.calls["streams"] > calls)  # type: ignore[misc]
            await until(lambda: net.clock.sleeping)
        await net.live("alice", ago=60)
        net.simulator.faults.clear()
        await net.clock.run_until(lambda: net.catch_up.status.state is CatchUpState.OK)
    assert waits[0] == pytest.approx(4.5, abs=1)
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(54, abs=2)
    assert net.catch_up.status.reason == "network"
    assert await net.reasons() == ["accepted"]
    said = [log for log in logs if "who is live" in log["event"] and log["log_level"] in {"warning", "info"}]
    assert [log["log_level"] for log in said] == ["warning", "info"], "a state is logged when it changes"


async def test_a_nudge_does_not_wait_for_the_next_try(net: Net, tasks: Tasks) -> None:
    net.simulator.faults.set("streams", status=400, times=6)
    await run(net, tasks)
    await net.clock.run_until(lambda: net.simulator.faults.endpoints["streams"].times == 0)
    await until(lambda: net.clock.sleeping)
    at = net.clock.now()
    net.catch_up.trigger("network")
    await net.clock.run_until(lambda: net.catch_up.status.state is CatchUpState.OK)
    assert net.clock.now() - at < 10
    assert net.catch_up.status.reason == "network"


@pytest.mark.expected_errors("cannot be written")
async def test_a_ledger_that_fails_is_waited_for(net: Net, tasks: Tasks) -> None:
    await net.live("alice", ago=60)
    with raw(net.world.path) as other:
        other.execute("BEGIN IMMEDIATE")
        await run(net, tasks)
        assert net.catch_up.status.state is CatchUpState.WAITING
        other.execute("ROLLBACK")
    await net.clock.run_until(lambda: net.catch_up.status.state is CatchUpState.OK)
    assert await net.reasons() == ["accepted"]


async def test_started_again_it_asks_again(net: Net, tasks: Tasks) -> None:
    await run(net, tasks)
    await tasks.stop()
    net.catch_up.status = msgspec.structs.replace(net.catch_up.status, state=CatchUpState.STARTING)
    await run(net, tasks)
    assert net.simulator.calls["streams"] == 2


async def test_with_nobody_to_ask_for_it_waits(net: Net, tasks: Tasks) -> None:
    net.watched = []
    net.configure(net.streamer("alice", enabled=False))
    await run(net, tasks)
    assert (net.catch_up.status.state, net.simulator.calls["streams"]) == (CatchUpState.WAITING, 0)


async def test_until_the_channels_are_known_it_only_starts(net: Net) -> None:
    net.watch("alice")
    ids = net.watched
    states = []
    for net.watched in ([], ids, []):
        await net.ask()
        states.append(net.catch_up.status.state)
    assert states == [CatchUpState.STARTING, CatchUpState.OK, CatchUpState.WAITING]
    assert net.simulator.calls["streams"] == 1


async def test_a_thousand_channels_cost_ten_calls(net: Net) -> None:
    net.watch(*(f"channel_{number}" for number in range(950)))
    for number in range(0, 950, 50):
        await net.live(f"channel_{number}", ago=60)
    await net.ask()
    assert net.simulator.calls["streams"] == 10
    assert len(await net.records()) == 19
    assert len(net.catch_up.live_now) == 19


async def test_many_calls_leave_the_budget_to_announcements(tmp_path: Path, tasks: Tasks) -> None:
    async with opened_net(tmp_path, rate_limit=16) as net:
        net.watch(*(f"channel_{number}" for number in range(1150)))
        await run_many(net, tasks)


async def run_many(net: Net, tasks: Tasks) -> None:
    lowest = 16

    def look() -> bool:
        nonlocal lowest
        remaining = net.rig.client.budget.remaining
        lowest = min(lowest, 16 if remaining is None else remaining)
        return net.catch_up.status.state is CatchUpState.OK

    tasks.start("catch-up", net.catch_up.run())
    await net.clock.run_until(look, step=1.0, most=300)
    assert net.simulator.calls["streams"] == 12
    assert lowest >= 7, "half of the points stay for announcements"


# Who is live now


async def test_who_is_live_is_told_when_it_changes(net: Net) -> None:
    net.watch("alice", "bob")
    alice, bob = net.user_id("alice"), net.user_id("bob")
    await net.ask()
    assert net.events(LiveChanged) == []
    first = await net.live("alice", ago=400)
    await net.ask()
    net.simulator.state.get("alice").title = "Another title"
    await net.ask()
    (told,) = net.events(LiveChanged)
    assert (told.ended, told.count, [each.stream_id for each in told.began]) == ((), 1, [first])
    live = net.catch_up.live_now[alice]
    assert (live.login, live.name, live.title, live.viewer_count) == ("alice", "Alice", "Another title", 25)
    await net.over("alice")
    await net.live("bob", ago=400)
    net.clock.advance(100)
    await net.ask()
    told = net.events(LiveChanged)[-1]
    assert (told.ended, told.count, [each.broadcaster_id for each in told.began]) == ((alice,), 1, [bob])
    net.watch("alice")
    await net.ask()
    assert (net.events(LiveChanged)[-1].ended, dict(net.catch_up.live_now)) == ((bob,), {})


async def test_what_twitch_tells_counts_at_once(net: Net) -> None:
    event = make_event(broadcaster_id=net.user_id("alice"), stream_id="s")
    net.catch_up.heard(event)
    net.catch_up.heard(event)
    assert [stream.stream_id for stream in net.catch_up.live_now.values()] == ["s"]
    net.catch_up.heard(msgspec.structs.replace(event, kind="stream.offline", stream_id=""))
    assert [(len(told.began), told.ended, told.count) for told in net.events(LiveChanged)] == [
        (1, (), 1),
        (0, (net.user_id("alice"),), 0),
    ]


async def test_who_went_offline_is_not_live_though_get_streams_says_so_for_a_while(net: Net) -> None:
    await net.live("alice", ago=900)
    await net.ask()
    net.world.run_pipeline()
    net.clock.advance(60)
    offline = await net.world.accept(kind="stream.offline", broadcaster_id=net.user_id("alice"), stream_id="")
    await net.world.settled(offline)
    net.clock.advance(20)
    await net.ask()
    assert dict(net.catch_up.live_now) == {}


async def test_a_new_stream_counts_though_get_streams_still_shows_the_one_before(net: Net) -> None:
    alice = net.user_id("alice")
    old = await net.live("alice", ago=900)
    await net.ask()
    assert net.catch_up.live_now[alice].stream_id == old
    net.world.run_pipeline()
    net.clock.advance(60)
    now = net.clock.now()
    await net.world.settle(stream_id="new", broadcaster_id=alice, started_at=now - 2)
    await net.ask()
    assert net.catch_up.live_now[alice].stream_id == "new"
    assert [row.stream_id for row in await net.world.ledger.live_broadcasts()] == ["new"]


async def test_channels_that_twitch_does_not_answer_for_hold_up_no_others(net: Net, tasks: Tasks) -> None:
    logins = [f"channel_{number}" for number in range(250)]
    net.watch(*logins)
    streams, odd = net.rig.helix.streams, net.user_id("channel_120")

    async def refusing(user_ids: Sequence[str], **details: Any) -> list[Stream]:
        if odd in user_ids:
            raise TwitchRefusedError("Twitch refused the request (400): an id is not valid.", status=400)
        return await streams(user_ids, **details)

    net.rig.helix.streams = refusing  # type: ignore[method-assign]
    for login in ("channel_3", "channel_240"):
        await net.live(login, ago=60)
    await run(net, tasks)
    assert {stream.login for stream in net.catch_up.live_now.values()} == {"channel_3", "channel_240"}
    assert len(await net.records()) == 2
    assert net.catch_up.status.state is CatchUpState.WAITING, "it is said all the same"
    assert "not valid" in net.catch_up.status.message
