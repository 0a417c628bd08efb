"""Where the line is drawn between one broadcast and two, to the second; how long is waited to know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.announce.broadcast_continuity import (
    BroadcastContinuity,
    PreviousBroadcast,
    gap_before,
    settlement,
)
from itsjustintv_desktop.engine.storage.ledger import EventRecord
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Broadcast, BroadcastStream
from tests.support.builders import ALICE, make_config, make_event
from tests.support.clock import START, FakeClock
from tests.support.waiting import until
from tests.support.world import World, opened_world

WINDOW = 900.0
BEFORE = Broadcast("100", "a", START - 7200, START - 60, START)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path, make_config()) as made:
        yield made


@pytest.mark.parametrize(
    ("started", "received", "gap"),
    [
        (WINDOW, WINDOW + 5, WINDOW),
        (WINDOW + 0.1, WINDOW + 5, None),
        (-600.0, -595.0, 0.0),
        (-600.1, -595.0, None),
        (60.0, 0.0, 60.0),  # it seems to arrive a minute before it began
        (60.1, 0.0, None),
        (60.0, 660.0, 60.0),  # ten minutes on the way
        (60.0, 660.1, None),
        (0.0, 5.0, 0.0),
    ],
)
def test_the_line_is_drawn_to_the_second(started: float, received: float, gap: float | None) -> None:
    event = make_event(received_at=START + received, started_at=START + started)
    found = gap_before(event, BEFORE, 0.0, WINDOW)
    assert found is None if gap is None else found == pytest.approx(gap, abs=0.01)


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (0.9, "just when this one began"),
        (1.0, "1 s before"),
        (59.0, "59 s before"),
        (60.0, "1 min before"),
        (5400.0, "90 min before"),
    ],
)
async def test_how_much_lay_between_is_said(world: World, gap: float, said: str) -> None:
    record = await world.ledger.event(await world.accept())
    assert record is not None
    assert f"ended {said}" in (settlement(record, ALICE, gap, WINDOW).explanation or "")


@pytest.mark.parametrize("late", [0.0, 0.2])
async def test_one_that_stays_in_work_is_waited_for_half_a_minute(world: World, late: float) -> None:
    """At first it is looked at often, then every two seconds; after that nothing holds the second half back.

    `late`: so much later than asked for it wakes each time.
    """
    clock: FakeClock = world.clock
    record = await world.ledger.event(await world.accept(stream_id="a"))
    assert isinstance(record, EventRecord)
    restarts = BroadcastContinuity(world.ledger, clock=clock, skew=lambda: 0.0, on_broadcast=lambda _event: None)
    await restarts.note([record])
    rival = PreviousBroadcast(
        BroadcastStream(record.event.broadcaster_id, "a", ("main",)), 60.0, "accepted", clock.now()
    )
    began = clock.monotonic()
    waiting = asyncio.create_task(restarts.fate(rival))
    pauses, looks = [], [0.0]
    while not waiting.done():
        await until(lambda: clock.sleeping or waiting.done(), what="it looks again, or gives up")
        if clock.sleeping:
            pauses.append(clock.sleeping[0])
            clock.advance(pauses[-1] + late)
            looks.append(clock.monotonic() - began)
    assert await waiting == ""
    assert pauses[:2] == [0.5, 1.0]
    assert set(pauses[2:]) == {2.0}
    assert looks[-2] < 30.0 <= looks[-1]
