"""The whole program over a conduit: no address of ours is known to anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.models import DeliveryState
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.waiting import until

CONFIG = '[twitch]\ntransport = "conduit"\n' + ONE_STREAMER


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_engine(tmp_path, CONFIG, subscribe=False) as running:
        yield running


async def _subscribed(running: Running) -> None:
    await until(lambda: running.engine.reach.way.status.code == "ready")
    await until(
        lambda: any(
            held.type == "stream.online" and held.status == "enabled"
            for held in running.simulator.eventsub.subscriptions
        )
    )


async def _delivered(running: Running, count: int) -> bool:
    return len(await running.deliveries(states=[DeliveryState.DELIVERED])) == count


async def test_a_stream_is_announced_once(running: Running) -> None:
    await _subscribed(running)
    for held in running.simulator.eventsub.subscriptions:
        assert held.transport.method == "conduit"
        assert not held.transport.callback
    running.simulator.faults.duplicates = 2
    await running.simulator.go_live("alice")
    await until(lambda: _delivered(running, 1))
    await running.settled()
    assert len(running.simulator.receiver.accepted("main")) == 1


async def test_streams_go_on_being_announced_after_a_drop_and_a_restart(running: Running) -> None:
    await _subscribed(running)
    conduits = [each.id for each in running.simulator.conduits]
    await running.simulator.drop_sockets()
    await until(lambda: running.simulator.other_calls["websocket"] == 2)
    await _subscribed(running)
    await running.simulator.go_live("alice")
    await until(lambda: _delivered(running, 1))
    await running.restart()
    await _subscribed(running)
    await running.simulator.go_offline("alice")
    await running.simulator.go_live("alice", stream_id="another-one")

    async def stored() -> bool:
        return any(record.event.stream_id == "another-one" for record in await running.engine.ledger.events())

    await until(stored)
    assert [each.id for each in running.simulator.conduits] == conduits


async def test_what_began_while_the_socket_was_away_is_found(running: Running) -> None:
    await _subscribed(running)
    running.simulator.faults.ws_refuse = True
    await running.simulator.drop_sockets()
    await until(lambda: running.engine.reach.way.status.code == "twitch_down")
    await running.simulator.go_live("alice")
    await until(lambda: running.simulator.eventsub.lost == 1)
    running.simulator.faults.ws_refuse = False
    running.engine.reach.way.trigger()
    await until(lambda: _delivered(running, 1))


async def test_a_good_start_warns_of_nothing(tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with running_engine(tmp_path, CONFIG, subscribe=False) as running:
            await _subscribed(running)
            await until(lambda: running.engine.reach.subscriptions.status.code == "ok")
    assert [line for line in lines if line["log_level"] not in {"debug", "info"}] == []


async def test_without_a_client_id_that_is_what_is_said(tmp_path: Path) -> None:
    """And not that there is no keyring, where nothing helps as long as the id is missing."""
    environ = {
        "ITSJUSTINTV_TWITCH_CLIENT_ID": "",
        "ITSJUSTINTV_TWITCH_CLIENT_SECRET": "",
        "ITSJUSTINTV_SECRETS_STORE": "passphrase",
    }
    async with running_engine(tmp_path, CONFIG, subscribe=False, environ=environ) as running:
        way = running.engine.reach.way
        await until(lambda: way.status.code in {"no_client", "secrets"})
        assert way.status.code == "no_client"
        assert "client id" in way.status.message
