"""What a flood of messages costs: told in few lines, judged in few looks at the ledger, and nobody is held up."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.events import EventSettled
from itsjustintv_desktop.engine.core.models import EventState
from tests.support.waiting import until
from tests.support.world import opened_world


async def test_a_flood_about_one_stream_costs_little_and_every_event_has_its_reason(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world:
        world.run_pipeline()
        await world.settled(await world.accept(stream_id="s"))
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
        await world.settled(await world.accept(stream_id="s"))
        ids = [await world.accept(stream_id="new" if number == 70 else "s") for number in range(140)]
        assert (await world.settled(ids[70])).state is EventState.ANNOUNCED
        await world.settled(ids[-1])
        assert len(await world.ledger.deliveries()) == 2
