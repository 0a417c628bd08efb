from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.delivery import lanes as lanes_module
from itsjustintv_desktop.engine.events import DestinationChanged, Notice
from itsjustintv_desktop.engine.models import DeliveryState
from tests.support.waiting import until
from tests.support.world import BUSY, GONE, SENT, World, config, destination, opened_world

S = DeliveryState
DAY = 86400.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path) as made:
        made.run_dispatcher()
        yield made


async def one(world: World, name: str = "main") -> int:
    return (await world.queue(name))[name]


async def waits_until_due(world: World) -> None:
    """The dispatcher has looked at everything and sleeps."""
    await until(lambda: world.clock.sleeping)


# 410


async def paused(world: World) -> int:
    world.sender.script["main"] = [GONE]
    delivery_id = await one(world)
    await world.reached(delivery_id, S.PENDING, attempts=1)
    await until(lambda: world.events(Notice))
    return delivery_id


async def test_410_pauses_with_a_notice_and_nothing_is_lost(world: World) -> None:
    delivery_id = await paused(world)
    assert "main is paused" in world.events(Notice)[0].text
    assert world.events(DestinationChanged)[0].state == "paused"
    later = await one(world)
    other = (await world.queue("other"))["other"]
    world.config = config(destinations=(destination(), destination("other")))
    await world.reached(other, S.DELIVERED, S.DEAD)
    for _ in range(5):
        world.clock.advance(1800)
        await waits_until_due(world)
    assert len(world.sender.to("main")) == 1
    assert {(await world.ledger.delivery(each)).state for each in (delivery_id, later)} == {S.PENDING}


async def test_a_pause_ends_by_the_persons_word(world: World) -> None:
    delivery_id, later = await paused(world), await one(world)
    await world.dispatcher.resume("main")
    await world.reached(later, S.DELIVERED)
    world.clock.advance(1800)
    await world.reached(delivery_id, S.DELIVERED)
    assert world.events(DestinationChanged)[-1].state == "closed"


async def test_a_pause_ends_with_another_address(world: World) -> None:
    await paused(world)
    later = await one(world)
    await waits_until_due(world)
    assert len(world.sender.posts) == 1
    world.config = config(destinations=(destination(url="https://new.example/hook"),))
    world.dispatcher.wake()
    await world.reached(later, S.DELIVERED)
    assert world.sender.posts[1].url == "https://new.example/hook"


async def test_a_pause_outlasts_a_restart_and_an_address_corrected_meanwhile_ends_it(world: World) -> None:
    await paused(world)
    later = await one(world)
    await until(lambda: world.changes(1) == [S.PENDING])
    await world.restart()
    world.run_dispatcher()
    await waits_until_due(world)
    assert len(world.sender.posts) == 1
    assert world.dispatcher.lanes.states(world.clock.now())["main"][0] == "paused"
    await world.restart()
    world.config = config(destinations=(destination(url="https://new.example/hook"),))
    world.run_dispatcher()
    await world.reached(later, S.DELIVERED)


# The breaker


async def test_the_breaker_opens_probes_once_and_closes(world: World) -> None:
    world.sender.default = BUSY
    ids = [await one(world) for _ in range(30)]
    await world.clock.run_until(lambda: any(e.state == "open" for e in world.events(DestinationChanged)), step=5.0)
    tried = len(world.sender.posts)
    assert 10 <= tried < 30
    world.sender.default = SENT
    world.clock.advance(29)
    await waits_until_due(world)
    assert len(world.sender.posts) == tried
    world.sender.hanging.add("main")
    world.clock.advance(1)
    await until(lambda: len(world.sender.posts) > tried)
    await waits_until_due(world)
    assert world.sender.under_way["main"] == 1, "one probe"
    world.sender.hanging.clear()
    world.sender.ended.set()
    for each in ids:
        await world.clock.run_until(partial(world.is_delivered, each), step=5.0)
    assert world.events(DestinationChanged)[-1].state == "closed"


async def test_an_open_breaker_is_kept_across_a_restart(world: World) -> None:
    world.sender.default = BUSY
    for _ in range(12):
        await one(world)
    await world.clock.run_until(lambda: any(e.state == "open" for e in world.events(DestinationChanged)), step=5.0)

    async def kept() -> bool:
        return b'"open"' in (await world.ledger.load_breakers()).get("main", b"")

    await until(kept)
    await world.restart()
    tried = len(world.sender.posts)
    world.sender.default = SENT
    world.run_dispatcher()
    fresh = await one(world)
    await waits_until_due(world)
    assert len(world.sender.posts) == tried
    world.clock.advance(30)
    await world.reached(fresh, S.DELIVERED)


# Slots


@pytest.mark.fault(
    "destinations: one hangs for ever with hundreds waiting",
    seen="Nothing at the others: they get theirs at once",
)
async def test_one_dead_destination_never_starves_the_others(world: World) -> None:
    world.config = config(destinations=(destination(), destination("dead")))
    world.sender.hanging.add("dead")
    for _ in range(300):
        await world.queue("dead")
    ids = [await one(world) for _ in range(40)]
    for each in ids:
        await world.reached(each, S.DELIVERED)
    assert world.sender.under_way["dead"] == lanes_module.FIRST_WIDTH


async def test_many_failing_destinations_leave_room_for_the_rest(world: World) -> None:
    names = [f"dead{number}" for number in range(150)]
    world.config = config(destinations=(destination(), *map(destination, names)))
    for name in names:
        world.sender.script[name] = [BUSY]
    first = [(await world.queue(name))[name] for name in names]
    for each in first:
        await world.reached(each, S.PENDING, attempts=1)
    world.sender.hanging.update(names)
    world.clock.advance(30)
    await until(lambda: sum(world.sender.under_way[name] for name in names) >= lanes_module.FAILING_TOTAL)
    ids = [await one(world) for _ in range(20)]
    for each in ids:
        await world.reached(each, S.DELIVERED)
    assert sum(world.sender.under_way[name] for name in names) == lanes_module.FAILING_TOTAL
    # And each of the failing gets its turn in the end.
    world.sender.hanging.clear()
    world.sender.ended.set()
    for each in first:
        await world.reached(each, S.DELIVERED)
