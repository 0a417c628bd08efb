"""An encoder that crashes and comes back: one ping, and the reason why there is no second."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.announce.broadcast_continuity import SLACK, gap_before
from itsjustintv_desktop.engine.config.schema import Config, Streamer, Twitch
from itsjustintv_desktop.engine.core.models import DeliveryState, Enrichment, EventState, StreamEvent
from itsjustintv_desktop.engine.delivery.dispatcher import LATE_SECONDS
from itsjustintv_desktop.engine.storage.ledger import EventRecord
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Broadcast
from tests.support.builders import ALICE, make_config, make_destination, make_event
from tests.support.clock import START
from tests.support.waiting import until
from tests.support.world import BUSY, SENT, World, opened_world

WINDOW = 900.0
FILTERED = msgspec.structs.replace(ALICE, tag_filter=("Deutsch",))


def restarting(*streamers: Any, **tables: Any) -> Config:
    return make_config(*streamers, twitch=Twitch(restart_window=WINDOW), **tables)


@pytest.fixture
def world(world: World) -> World:
    world.config = restarting()
    return world


async def began(world: World, stream: str, *, after: float = 0.0, **details: Any) -> EventRecord:
    """It goes live so many seconds later, two after it began."""
    world.clock.advance(after)
    now = world.clock.now()
    return await world.settle(**{"stream_id": stream, "received_at": now, "started_at": now - 2, **details})


async def ended(world: World, *, after: float = 0.0, **details: Any) -> None:
    world.clock.advance(after)
    await world.settle(**{"kind": "stream.offline", "stream_id": "", "started_at": None, **details})


async def test_a_crash_is_announced_once_and_can_be_sent_anyway(world: World) -> None:
    assert (await began(world, "a")).state is EventState.ANNOUNCED
    await ended(world, after=3600)
    record = await began(world, "b", after=182)
    assert (record.state, record.reason, record.streamer) == (EventState.SUPPRESSED, "restarted", "alice")
    assert "3 min before" in (record.explanation or "")
    assert "restart_window (15m)" in (record.explanation or "")
    assert "send anyway" in (record.explanation or "")
    assert len(await world.ledger.deliveries()) == 1
    assert await world.pipeline.send_anyway(record.id) == ("main",)
    assert len(await world.ledger.deliveries()) == 2


async def test_a_chain_of_crashes_is_one_broadcast(world: World) -> None:
    await began(world, "a")
    for stream in "bcde":
        await ended(world, after=3600)
        assert (await began(world, stream, after=WINDOW - 10)).reason == "restarted"
    await ended(world, after=60)
    assert (await began(world, "f", after=WINDOW + 10)).state is EventState.ANNOUNCED


@pytest.mark.parametrize(("window", "gap", "state"), [
    (900.0, 899.0, "suppressed"), (900.0, 905.0, "announced"), (0.0, 5.0, "announced"), (60.0, 30.0, "suppressed"),
])  # fmt: skip
async def test_the_window_decides(world: World, window: float, gap: float, state: str) -> None:
    world.config = make_config(twitch=Twitch(restart_window=window))
    await began(world, "a")
    await ended(world, after=5000)
    assert (await began(world, "b", after=gap + 2)).state.value == state


async def test_without_a_word_about_the_end_the_last_sight_counts(world: World) -> None:
    await began(world, "a")
    assert (await began(world, "b", after=WINDOW - 1)).reason == "restarted"
    assert (await began(world, "c", after=WINDOW + 10)).state is EventState.ANNOUNCED


async def test_the_word_about_the_end_may_come_later_than_the_new_stream(world: World) -> None:
    await began(world, "a")
    assert (await began(world, "b", after=600)).reason == "restarted"
    await ended(world, after=3)
    live = await world.ledger.live_broadcasts()
    assert [row.stream_id for row in live] == ["b"]
    await ended(world, after=1200)
    assert await world.ledger.live_broadcasts() == []


async def test_an_end_that_names_the_stream_before_ends_that_one(world: World) -> None:
    """Without the name it would be taken for the end of the second, which runs."""
    await began(world, "a")
    assert (await began(world, "b", after=600)).reason == "restarted"
    await ended(world, after=300, stream_id="a")
    assert [row.stream_id for row in await world.ledger.live_broadcasts()] == ["b"]
    await ended(world, stream_id="b")
    assert await world.ledger.live_broadcasts() == []


async def test_a_stream_before_that_was_not_announced_holds_nothing_back(world: World) -> None:
    world.config = restarting(FILTERED)
    assert (await began(world, "a")).reason == "filtered"
    world.enricher.facts = Enrichment(tags=("Deutsch",))
    assert (await began(world, "b", after=60)).state is EventState.ANNOUNCED
    assert (await began(world, "c", after=60, detail="rerun")).reason == "not_live"
    assert [row.stream_id for row in await world.ledger.broadcasts("100")] == ["b", "a"], "a rerun is none of it"
    assert (await began(world, "t", after=60, test=True)).state is EventState.ANNOUNCED, "a test is none of it"


async def test_a_second_half_that_twitch_tells_of_again_stays_one(world: World) -> None:
    await began(world, "a")
    await ended(world, after=3600)
    world.clock.advance(120)
    start = world.clock.now()
    assert (await began(world, "b", started_at=start)).reason == "restarted"
    await ended(world, after=2 * WINDOW)
    assert (await began(world, "b", after=20, started_at=start)).reason == "restarted"
    assert len(await world.ledger.deliveries()) == 1


async def half(world: World) -> float:
    """A stream, its end, and 120 s later the second half, which is told again when its start is too old to be pushed.
    When the first ended."""
    await began(world, "a")
    await ended(world, after=3600)
    end = world.clock.now()
    assert (await began(world, "b", after=120, started_at=end + 120)).reason == "restarted"
    world.clock.advance(2 * WINDOW)
    return end


@pytest.mark.parametrize(
    ("began_after", "said"),
    [
        (120.0, "ended 2 min before"),
        (30.0, "ended 30 s before"),
        (-300.0, "ended just when"),
        (None, "ended just when"),
    ],
)
async def test_told_again_it_says_how_much_lay_between(world: World, began_after: float | None, said: str) -> None:
    end = await half(world)
    record = await began(world, "b", started_at=None if began_after is None else end + began_after)
    assert record.reason == "restarted"
    assert said in (record.explanation or "")


@pytest.mark.parametrize(("window", "state"), [(0.0, "announced"), (0.5, "suppressed")])
async def test_told_again_it_stays_one_unless_the_window_was_switched_off(
    world: World, window: float, state: str
) -> None:
    end = await half(world)
    world.config = make_config(twitch=Twitch(restart_window=window))
    assert (await began(world, "b", started_at=end + 120)).state.value == state


async def test_a_first_stream_that_is_told_again_late_is_no_half(world: World) -> None:
    """Nothing is known before it, and what was filtered is judged anew."""
    world.config = restarting(FILTERED)
    assert (await began(world, "a")).reason == "filtered"
    world.clock.advance(2 * WINDOW)
    world.enricher.facts = Enrichment(tags=("Deutsch",))
    assert (await began(world, "a", started_at=world.clock.now() - WINDOW)).state is EventState.ANNOUNCED


async def test_the_end_of_a_stream_nobody_told_of_moves_no_other_end(world: World) -> None:
    await began(world, "a")
    await ended(world, after=3600)
    await ended(world, after=3600)  # of one whose beginning was lost, and which was too short to be found by asking
    assert (await began(world, "c", after=WINDOW / 2)).state is EventState.ANNOUNCED


async def test_other_channels_are_other_broadcasts(world: World) -> None:
    world.config = restarting(
        ALICE, msgspec.structs.replace(ALICE, key="bob", login="bob", user_id="200"), destinations=(make_destination(),)
    )
    await began(world, "a")
    assert (await began(world, "b", broadcaster_id="200")).state is EventState.ANNOUNCED


async def test_other_platforms_have_rules_of_their_own(world: World) -> None:
    world.pipeline._enrichers = {"twitch": world.enricher, "chalk": world.enricher}
    await began(world, "a", source="chalk")
    assert (await began(world, "b", source="chalk")).state is EventState.ANNOUNCED
    assert await world.ledger.live_broadcasts() == []


async def test_one_that_is_still_being_announced_is_waited_for(world: World) -> None:
    world.enricher.gate.clear()
    first = await world.accept(stream_id="a", started_at=world.clock.now() - 2)
    await until(lambda: len(world.enricher.asked) == 1)
    world.clock.advance(5)
    second = await world.accept(stream_id="b", started_at=world.clock.now() - 2)
    await until(lambda: len(world.enricher.asked) == 2)
    world.enricher.gate.set()
    assert (await world.settled(first)).state is EventState.ANNOUNCED
    await world.clock.run_until(lambda: _is_settled(world, second), step=0.5)
    record = await world.settled(second)
    assert record.reason == "restarted"
    assert record.payload, "it was built meanwhile, and is kept for send anyway"


async def test_it_waits_even_if_it_is_ready_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, enrich = asyncio.Event(), world.enricher.enrich

    async def slow(event: StreamEvent, streamer: Streamer, *, timeout: float) -> Enrichment:
        if event.stream_id == "a":
            await gate.wait()
        return await enrich(event, streamer, timeout=timeout)

    monkeypatch.setattr(world.enricher, "enrich", slow)
    first = await world.accept(stream_id="a", started_at=world.clock.now() - 2)
    second = await world.accept(stream_id="b", started_at=world.clock.now() - 1)
    await until(lambda: world.clock.sleeping, what="it is ready, and waits")
    assert not await _is_settled(world, second)
    gate.set()
    await world.clock.run_until(lambda: _is_settled(world, second), step=0.5)
    assert (await world.settled(first)).state is EventState.ANNOUNCED
    assert (await world.settled(second)).reason == "restarted"


async def test_one_that_was_in_work_and_is_filtered_holds_nothing_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"a": ("English",), "b": ("Deutsch",)}
    enrich = world.enricher.enrich

    async def by_stream(event: StreamEvent, streamer: Streamer, *, timeout: float) -> Enrichment:
        await enrich(event, streamer, timeout=timeout)
        return Enrichment(tags=answers[event.stream_id])

    monkeypatch.setattr(world.enricher, "enrich", by_stream)
    world.config = restarting(FILTERED)
    world.enricher.gate.clear()
    first = await world.accept(stream_id="a", started_at=world.clock.now() - 2)
    second = await world.accept(stream_id="b", started_at=world.clock.now() - 1)
    await until(lambda: len(world.enricher.asked) == 2)
    world.enricher.gate.set()
    await world.clock.run_until(lambda: _is_settled(world, second), step=0.5)
    assert (await world.settled(first)).reason == "filtered"
    assert (await world.settled(second)).state is EventState.ANNOUNCED


async def test_a_kill_at_any_point_changes_no_answer(tmp_path: Path) -> None:
    """Everything that came is in the ledger; the pipeline is stopped again and again before it is through."""
    async with opened_world(tmp_path, restarting()) as world:
        ids = []
        for stream in ("a", "b", "c"):
            ids.append(await world.accept(stream_id=stream, started_at=world.clock.now() - 2))
            world.clock.advance(400)
            await world.accept(kind="stream.offline", stream_id="", started_at=None)
            world.clock.advance(400)
        for jobs in range(1, 9):
            await world.restart()
            await world.run_pipeline_for(jobs)
        await world.restart()
        world.run_pipeline()
        await world.clock.run_until(lambda: _is_settled(world, ids[-1]), step=0.5)
        reasons = [(await world.settled(each)).reason for each in ids]
        assert reasons == [None, "restarted", "restarted"]
        assert len(await world.ledger.deliveries()) == 1


async def _is_settled(world: World, event_id: int) -> bool:
    record = await world.ledger.event(event_id)
    return record is not None and record.state is not EventState.ACCEPTED


# In doubt it is announced

HOUR = 3600.0


def row(ended: float | None, seen: float = 0.0) -> Broadcast:
    return Broadcast("100", "a", START - 7200, START + seen, None if ended is None else START + ended)


@pytest.mark.parametrize(
    ("ended", "started", "received", "skew", "gap"),
    [
        (0.0, 60.0, 65.0, 0.0, 60.0),
        (0.0, WINDOW, WINDOW + 5, 0.0, WINDOW),
        (0.0, WINDOW + 1, WINDOW + 5, 0.0, None),
        (20.0, 10.0, 15.0, 0.0, 0.0),  # the end was told late
        (10 + SLACK + 1, 10.0, 15.0, 0.0, None),  # too late to be true
        (0.0, None, 30.0, 0.0, 30.0),
        # Our clock is an hour ahead and nobody knows: both are stamped so, the start is Twitch's.
        (HOUR, HOUR, 2 * HOUR + 5, 0.0, None),
        (HOUR, 60.0, HOUR + 65, 0.0, None),
        # It is behind, and a stream seems to begin in the future.
        (-HOUR, 60.0, 65 - HOUR, 0.0, None),
        # It was set back since the end was noted.
        (0.0, 60.0, 65 - HOUR, 0.0, None),
        # The skew is known: the end was noted with it.
        (0.0, 60.0, 65 - HOUR, HOUR, 60.0),
        (None, 60.0, 65.0, 0.0, 60.0),
    ],
)
def test_a_clock_that_is_wrong_suppresses_nothing(
    ended: float | None, started: float | None, received: float, skew: float, gap: float | None
) -> None:
    event = make_event(received_at=START + received, started_at=None if started is None else START + started)
    assert gap_before(event, row(ended), skew, WINDOW) == gap


def test_what_was_found_by_asking_may_be_old() -> None:
    event = make_event(received_at=START + HOUR, started_at=START + 60, message_id=None)
    assert gap_before(event, row(0.0), 0.0, WINDOW) == 60
    assert gap_before(event, row(0.0), 0.0, 0.0) is None


@pytest.mark.parametrize(("runs", "state"), [("c", DeliveryState.DELIVERED), ("d", DeliveryState.EXPIRED)])
async def test_the_one_ping_for_both_halves_goes_out_late_while_the_second_runs(
    world: World, monkeypatch: pytest.MonkeyPatch, runs: str, state: DeliveryState
) -> None:
    """The destination was away during the first half: given up with it, nobody would ever hear of the broadcast."""

    async def is_live(_channel: str, stream: str, *, timeout: float) -> bool:
        assert timeout > 0
        return stream == runs

    monkeypatch.setattr(world.enricher, "is_live", is_live)
    world.sender.default = BUSY
    world.run_dispatcher()
    await began(world, "a")
    (delivery,) = await until(world.ledger.deliveries)
    await world.reached(delivery.id, DeliveryState.PENDING, attempts=1)
    for stream in "bc":
        await ended(world, after=60)
        assert (await began(world, stream, after=60)).reason == "restarted"
    world.sender.default = SENT
    world.clock.advance(LATE_SECONDS)
    world.dispatcher.wake()
    await world.reached(delivery.id, state)
