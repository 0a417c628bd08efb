"""Listing, adopting and deleting conduits, with the way noticing at once."""

from __future__ import annotations

import aiohttp
import pytest

from itsjustintv_desktop.engine.core.errors import NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import Conduit
from itsjustintv_desktop.engine.ingress.conduit import ConduitManager
from tests.engine.ingress.conduit.rig import Rig
from tests.support.waiting import until

NOWHERE = "26b1c993-bfcf-44d9-b876-379dacafe75a"


@pytest.fixture
def manager(rig: Rig) -> ConduitManager:
    return ConduitManager(rig.conduits, rig, lambda: rig.way.trigger())


async def test_the_list_shows_ours_first_and_who_is_connected(rig: Rig, manager: ConduitManager) -> None:
    assert await manager.list() == []
    others = [rig.simulator.conduits.create(count) for count in (1, 2, 3)]
    await rig.ready()
    views = await manager.list()
    assert [view.ours for view in views] == [True, False, False, False]
    assert views[0].id == rig.target
    assert views[0].in_use
    (shard,) = views[0].shards
    assert (shard.id, shard.status, shard.method) == ("0", "enabled", "websocket")
    assert shard.since.startswith("2026-")
    assert {(view.id, view.shard_count, view.in_use) for view in views[1:]} == {
        (other.id, other.shard_count, False) for other in others
    }


async def test_an_adopted_conduit_is_used_at_once_and_the_one_before_is_left_alone(
    rig: Rig, manager: ConduitManager
) -> None:
    other = rig.simulator.conduits.create()
    await rig.ready()
    before = rig.target
    view = await manager.adopt(other.id)
    assert view.ours
    await until(lambda: rig.way.target == Conduit(other.id))
    await rig.reached("ready")
    assert other.shards[0].status == "enabled"
    assert {each.id for each in rig.simulator.conduits} == {before, other.id}
    assert await rig.ledger.meta("conduit") == other.id
    assert len(rig.gaps) == 2


async def test_a_taken_conduit_is_taken_back_by_adopting_it(rig: Rig, manager: ConduitManager) -> None:
    await rig.ready()
    ours = rig.target
    async with aiohttp.ClientSession() as http, http.ws_connect(rig.simulator.eventsub_url) as other:
        theirs = (await other.receive_json())["payload"]["session"]["id"]
        await rig.conduits.attach(ours, theirs)
        rig.clock.advance(31.0)
        await rig.keepalive()
        rig.way.trigger()
        await rig.reached("conduit_taken")
        await manager.adopt(ours)
        await rig.reached("ready")
        (conduit,) = rig.simulator.conduits
        assert conduit.shards[0].session_id == rig.session != theirs


async def test_ours_is_deleted_only_by_force_and_replaced_at_once(rig: Rig, manager: ConduitManager) -> None:
    await rig.ready()
    before = rig.target
    with pytest.raises(UsageError, match="--force"):
        await manager.delete(before)
    assert len(rig.simulator.conduits) == 1
    await manager.delete(before, force=True)
    await until(lambda: rig.way.target != Conduit(before))
    await rig.reached("ready")
    (made,) = rig.simulator.conduits
    assert rig.target == made.id


async def test_one_of_the_others_is_deleted(rig: Rig, manager: ConduitManager) -> None:
    other = rig.simulator.conduits.create()
    await rig.ready()
    session = rig.session
    assert (await manager.delete(other.id)).id == other.id
    assert [each.id for each in rig.simulator.conduits] == [rig.target]
    assert rig.session == session


async def test_what_is_not_there(manager: ConduitManager) -> None:
    with pytest.raises(NotFoundError, match="conduit list"):
        await manager.adopt(NOWHERE)
    with pytest.raises(NotFoundError, match="conduit list"):
        await manager.delete(NOWHERE, force=True)
