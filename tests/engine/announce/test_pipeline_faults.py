"""Faults of our own, and of an enricher: none leaves an event without an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.announce import pipeline as module
from itsjustintv_desktop.engine.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.models import Enrichment, EventState
from tests.support.waiting import until
from tests.support.world import World, opened_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path) as made:
        made.run_pipeline()
        yield made


@pytest.mark.expected_errors("announcing broke")
async def test_a_fault_of_our_own_ends_where_a_person_sees_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> dict[str, Any]:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("itsjustintv_desktop.engine.announce.payload.build", broken)
        event_id = await world.accept(stream_id="s1")
        record = await world.settled(event_id)
    assert (record.state, record.reason) == (EventState.SUPPRESSED, "fault")
    assert await world.pipeline.send_anyway(event_id) == ("main",)


@pytest.mark.expected_errors("announcing broke", "task failed")
async def test_a_fault_after_the_commit_undoes_nothing(world: World) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    world.pipeline._on_announced = broken
    event_id = await world.accept(stream_id="s1")
    await world.settled(event_id)
    await until(lambda: world.pipeline.in_flight == 0)
    record = await world.ledger.event(event_id)
    assert record is not None
    assert record.state is EventState.ANNOUNCED
    assert record.payload


@pytest.mark.expected_errors("announcing broke")
async def test_a_fault_while_the_ledger_fails_ends_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.enricher.facts = Enrichment(login="alice", title="x\ud800")
    settle, failed = world.ledger.settle, 0

    async def failing(settlements: Any) -> None:
        nonlocal failed
        failed += 1
        if failed == 1:
            raise LedgerUnavailableError("The disk is full.")
        await settle(settlements)

    monkeypatch.setattr(world.ledger, "settle", failing)
    event_id = await world.accept(stream_id="s1")
    await until(lambda: failed == 1)
    await until(lambda: any(seconds <= 1 for seconds in world.clock.sleeping))
    world.clock.advance(1)
    assert (await world.settled(event_id)).reason == "fault"


@pytest.mark.expected_errors("enriching broke")
async def test_an_enricher_that_forgets_the_time_blocks_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENRICH_SECONDS", -0.9)  # a tenth of a second in all
    monkeypatch.setattr(world.enricher, "enrich", lambda *_, **__: asyncio.Event().wait())
    record = await world.settled(await world.accept(stream_id="s1"))
    assert record.state is EventState.ANNOUNCED
    assert b'"enriched":false' in (record.payload or b"")


@pytest.mark.expected_errors("enriching broke")
async def test_an_enricher_that_breaks_blocks_nothing(world: World) -> None:
    world.enricher.broken = ZeroDivisionError()
    record = await world.settled(await world.accept())
    assert record.state is EventState.ANNOUNCED
    payload = msgspec.json.decode(record.payload or b"")
    assert payload["enriched"] is False
    assert {"tags", "image", "view_count", "followers_count"} <= set(payload["missing"])
