"""A stream that the Go service announced is not announced again, and the history says why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.schema import Twitch
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import broadcasting
from itsjustintv_desktop.engine.storage.ledger.importing import key_of
from tests.support.clock import START
from tests.support.world import World, config, opened_world

BEGAN = START - 5


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path, config(twitch=Twitch(restart_window=900.0))) as made:
        yield made


async def remember(world: World, stream_id: str) -> None:
    key = key_of("100", stream_id, BEGAN)
    assert key is not None
    await world.ledger.keep_told([(key, START + 7200)])
    world.run_pipeline()


async def test_it_is_suppressed_with_the_reason_and_can_be_sent_anyway(world: World) -> None:
    await remember(world, "of-go")
    record = await world.settled(await world.accept(stream_id="of-go", started_at=BEGAN))
    assert (record.state, record.reason, record.streamer) == (EventState.SUPPRESSED, "already_announced", "alice")
    assert "Go service" in (record.explanation or "")
    assert world.enricher.asked == [], "nobody was asked for details of what is not announced"
    assert await world.pipeline.send_anyway(record.id) == ("main",)


@pytest.mark.parametrize("details", [{"stream_id": "ours"}, {"started_at": BEGAN - 9}, {"started_at": None}])
async def test_another_stream_or_another_start_of_it_is_announced(world: World, details: dict[str, Any]) -> None:
    await remember(world, "of-go")
    record = await world.settled(await world.accept(**{"stream_id": "of-go", "started_at": BEGAN, **details}))
    assert record.state is EventState.ANNOUNCED


async def test_a_test_is_never_held_back(world: World) -> None:
    await remember(world, "of-go")
    record = await world.settled(await world.accept(stream_id="of-go", started_at=BEGAN, test=True))
    assert record.state is EventState.ANNOUNCED


async def test_nothing_is_looked_up_where_nothing_was_imported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[bytes]] = []
    known = []

    async def told(keys: Sequence[bytes]) -> set[bytes]:
        asked.append(keys)
        return set()

    async def has_told() -> bool:
        known.append(1)
        return False

    monkeypatch.setattr(world.ledger, "told", told)
    monkeypatch.setattr(world.ledger, "has_told", has_told)
    world.run_pipeline()
    for _ in range(3):
        await world.settled(await world.accept())
    assert (asked, len(known)) == ([], 1)


async def test_the_second_half_of_one_that_only_asking_found_is_no_new_broadcast(world: World) -> None:
    """The Go service announced the first half; the encoder crashed after this program took over."""
    await remember(world, "of-go")
    sight = broadcasting.Sight(broadcaster_id="100", stream_id="of-go", started_at=BEGAN, at=START, told=False)
    await world.ledger.note_broadcasts([sight])
    world.clock.advance(60)
    record = await world.settled(await world.accept(stream_id="second", started_at=START + 58))
    assert (record.state, record.reason) == (EventState.SUPPRESSED, "restarted")
