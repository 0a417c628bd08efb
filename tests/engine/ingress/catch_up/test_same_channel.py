"""One channel that several streamers of the config stand for, found by asking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.models import Enrichment
from tests.engine.ingress.catch_up.rig import Net, opened_net
from tests.support.builders import make_config, make_destination
from tests.support.waiting import until


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    async with opened_net(tmp_path) as made:
        made.watch("alice")
        made.world.run_pipeline()
        yield made


async def settled(net: Net) -> list[tuple[str | None, str]]:
    """Streamer and outcome of every event, oldest first, as soon as all are settled."""

    async def nothing_in_work() -> bool:
        return not await net.world.ledger.unfinished()

    await until(nothing_in_work)
    return [(record.streamer, record.reason or record.state.value) for record in await net.records()]


def watch(net: Net, *tag_filter: str) -> None:
    net.world.config = make_config(
        net.streamer("alice", key="one"),
        net.streamer("alice", key="two", tag_filter=tag_filter, destinations=("second",)),
        destinations=(make_destination(), make_destination("second")),
    )


async def test_each_is_asked_by_its_own_filter_and_asked_again_alone(net: Net) -> None:
    watch(net, "Deutsch")
    await net.live("alice", ago=300)
    await net.ask()
    assert await settled(net) == [("one", "announced"), ("two", "filtered")]
    await net.ask()
    assert len(await settled(net)) == 2, "the same circumstances are not tried twice"
    net.simulator.state.get("alice").tags = ("Deutsch",)
    net.world.enricher.facts = Enrichment(tags=("Deutsch",))
    await net.ask()
    assert (await settled(net))[2:] == [("two", "announced")]
    await net.ask()
    assert len(await settled(net)) == 3


async def test_a_kill_between_asking_and_announcing(net: Net) -> None:
    watch(net)
    await net.world.tasks.stop()
    await net.live("alice", ago=300)
    await net.ask()
    await net.ask(net.new())
    assert len(await net.world.ledger.unfinished()) == 2
    await net.world.restart()
    net.world.run_pipeline()
    assert sorted(await settled(net)) == [("one", "announced"), ("two", "announced")]


async def test_a_rerun_is_listed_once(net: Net) -> None:
    watch(net)
    await net.simulator.go_live("alice", type="rerun", notify=False)
    await net.ask()
    await net.ask()
    assert await settled(net) == [("one", "not_live")]


async def test_a_stream_that_is_too_old_is_listed_for_each(net: Net) -> None:
    watch(net)
    await net.live("alice", ago=7200)
    await net.ask()
    await net.ask()
    assert await settled(net) == [("one", "missed"), ("two", "missed")]
