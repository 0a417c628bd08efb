"""Faults of our own, and of an enricher: none leaves an event without an end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.announce import payload
from itsjustintv_desktop.engine.announce import pipeline as module
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError
from itsjustintv_desktop.engine.core.events import EventSettled
from itsjustintv_desktop.engine.core.models import Enrichment, EventState
from tests.conftest import ErrorLog
from tests.support.waiting import until
from tests.support.world import World, opened_world


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


@pytest.mark.expected_errors("a listener failed")
async def test_a_fault_after_the_commit_undoes_nothing(world: World) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    world.pipeline.announced.connect(broken)
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


async def test_an_enricher_that_forgets_the_time_blocks_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENRICH_SECONDS", -0.9)  # a tenth of a second in all
    monkeypatch.setattr(world.enricher, "enrich", lambda *_, **__: asyncio.Event().wait())
    record = await world.settle(stream_id="s1")
    assert record.state is EventState.ANNOUNCED
    assert b'"enriched":false' in (record.payload or b"")


@pytest.mark.fault(
    "machine: it stands still for longer than a deadline (SIGSTOP, a busy machine)",
    seen="the announcement arrives with its details, and the log holds no traceback",
)
@pytest.mark.parametrize("answers", [True, False])
async def test_a_machine_that_stands_still_is_no_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, error_log: ErrorLog, answers: bool
) -> None:
    """A deadline that passed while nobody could look is no fault of the enricher's: it gets a moment more."""
    asked = 0

    async def enrich(*_: Any, **__: Any) -> Enrichment:
        nonlocal asked
        asked += 1
        if asked > 3 and answers:
            return world.enricher.facts
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.enricher, "enrich", enrich)
    monkeypatch.setattr(module, "ENRICH_SECONDS", -0.5)
    monkeypatch.setattr(payload, "_AFTER_STALL", -0.9)
    monkeypatch.setattr(payload, "_STALLED", 0.2)
    with capture_logs() as lines:
        events = [await world.accept(stream_id=f"s{number}") for number in range(3)]
        await until(lambda: asked == 3)
        time.sleep(0.9)  # nothing on this loop runs
        records = [await world.settled(event_id) for event_id in events]
    assert [record.state for record in records] == [EventState.ANNOUNCED] * 3
    assert all((b"A title" in (record.payload or b"")) is answers for record in records)
    assert not error_log.messages
    assert not [line for line in lines if "exc_info" in line or "exception" in line]
    said = [line for line in lines if line["log_level"] == "warning"]
    assert len(said) == (0 if answers else 1), "one line for all of them"


@pytest.mark.expected_errors("enriching broke")
async def test_an_enricher_that_breaks_blocks_nothing(world: World) -> None:
    world.enricher.broken = ZeroDivisionError()
    record = await world.settle()
    assert record.state is EventState.ANNOUNCED
    payload = msgspec.json.decode(record.payload or b"")
    assert payload["enriched"] is False
    assert {"tags", "image", "view_count", "followers_count"} <= set(payload["missing"])


async def test_a_flood_about_one_stream_costs_little_and_every_event_has_its_reason(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        world.run_pipeline()
        await world.settle(stream_id="s")
        looks: Counter[str] = Counter()
        run = world.ledger._run

        async def counted(job: object, *arguments: object, **named: object) -> object:
            looks[getattr(job, "__name__", "")] += 1
            return await run(job, *arguments, **named)  # type: ignore[arg-type]

        world.ledger._run = counted  # type: ignore[method-assign, assignment]
        with capture_logs() as lines:
            await asyncio.gather(*(world.accept(stream_id="s") for _ in range(150)))
            await until(lambda: len(world.events(EventSettled)) == 151)
        world.ledger._run = run  # type: ignore[method-assign]
        assert len(world.enricher.asked) == 1
        records = await world.ledger.events()
        assert Counter((each.state, each.reason) for each in records[:-1]) == {
            (EventState.SUPPRESSED, "already_announced"): 150
        }
        assert looks["settle_many"] <= 20
        told = [line for line in lines if line["event"] == "not announced"]
        assert len(told) <= 40
        assert sum(line.get("count", 1) for line in told) == 150


async def test_a_new_stream_in_a_flood_is_announced(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        world.run_pipeline()
        await world.settle(stream_id="s")
        ids = [await world.accept(stream_id="new" if number == 70 else "s") for number in range(140)]
        assert (await world.settled(ids[70])).state is EventState.ANNOUNCED
        await world.settled(ids[-1])
        assert len(await world.ledger.deliveries()) == 2
