"""What a person asks for reaches its destination, or says why it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.api.deliveries import Deliveries
from itsjustintv_desktop.engine.api.destinations import Destinations
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.core.models import DeliveryState
from tests.support.builders import make_config, make_destination
from tests.support.world import GONE, SENT, World, opened_world

S = DeliveryState


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path) as made:
        made.run_dispatcher()
        yield made


def deliveries(world: World) -> Deliveries:
    destinations = Destinations(world.dispatcher, world.holder, world.clock)
    dispatcher = world.dispatcher
    return Deliveries(
        world.ledger, destinations, dispatcher.latest_due, dispatcher.wake, world.holder, Bus(), world.clock
    )


@pytest.mark.parametrize("asked", ["retry", "resend"])
async def test_a_paused_destination_tries_again_when_a_person_asks(world: World, asked: str) -> None:
    first = await world.one()
    await world.reached(first, S.DELIVERED)
    world.sender.default = GONE
    second = await world.one()
    await world.reached(second, S.PENDING, attempts=1)
    assert world.dispatcher.queues.states(world.clock.now())["main"][0] == "paused"
    world.sender.default = SENT
    wanted = second if asked == "retry" else first
    view = await getattr(deliveries(world), asked)(wanted)
    assert (await world.reached(view.id, S.DELIVERED)).destination == "main"


@pytest.mark.parametrize("asked", ["retry", "resend"])
async def test_a_destination_that_is_switched_off_says_so(world: World, asked: str) -> None:
    delivery = await world.one()
    await world.reached(delivery, S.DELIVERED)
    world.config = make_config(destinations=(make_destination(enabled=False),))
    with pytest.raises(UsageError, match="switched off in the config"):
        await getattr(deliveries(world), asked)(delivery)
    assert len(await world.ledger.deliveries()) == 1
