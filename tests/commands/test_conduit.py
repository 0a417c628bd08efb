"""`conduit`, beside a running program and without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.models import Conduit
from tests.support.commands import Result, beside
from tests.support.engine import Running, running_engine
from tests.support.waiting import until

NOWHERE = "26b1c993-bfcf-44d9-b876-379dacafe75a"


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    config = '[twitch]\ntransport = "conduit"\n'
    async with running_engine(tmp_path, config, logins=(), secret=None, subscribe=False, start=False) as running:
        yield running


async def _run(running: Running, *command: str, stdin: bytes = b"") -> Result:
    return await beside(running.paths, "conduit", *command, environ=running.simulator.environment(), stdin=stdin)


@pytest.mark.slow
async def test_beside_a_running_program(running: Running) -> None:
    other = running.simulator.conduits.create(2)
    await running.start()
    way = running.engine.reach.way
    await until(lambda: way.status.code == "ready")
    (ours,) = [each.id for each in running.simulator.conduits if each.id != other.id]

    found = (await _run(running, "list", "--json")).json
    assert [(each["id"], each["ours"], each["shard_count"]) for each in found] == [
        (ours, True, 1),
        (other.id, False, 2),
    ]
    assert found[0]["shards"][0]["status"] == "enabled"
    lines = (await _run(running, "list")).out.splitlines()
    assert lines[0].split() == ["ID", "OURS", "SHARDS", "CONNECTED"]
    assert lines[1].split() == [ours, "yes", "1", "websocket", "enabled"]
    assert lines[2].split() == [other.id, "no", "2", "nobody", "yet"]

    refused = await _run(running, "delete", ours, "--yes")
    assert refused.code == 1
    assert "--force" in refused.err
    asked = await _run(running, "adopt", other.id, stdin=b"n\n")
    assert asked.code == 1
    assert "loses its events" in asked.out
    assert way.target == Conduit(ours)
    assert (await _run(running, "adopt", other.id, stdin=b"y\n")).code == 0
    await until(lambda: way.target == Conduit(other.id))
    assert (await _run(running, "delete", ours, "--yes")).code == 0
    assert [each.id for each in running.simulator.conduits] == [other.id]


@pytest.mark.slow
async def test_without_a_running_program(running: Running) -> None:
    """Nothing is connected and nothing is made just because somebody looks."""
    assert (await _run(running, "list")).out == "This client id has no conduits.\n"
    other = running.simulator.conduits.create()
    missing = await _run(running, "adopt", NOWHERE, "--yes")
    assert missing.code == 1
    assert "has no conduit" in missing.err
    assert (await _run(running, "adopt", other.id, "--yes")).out == f"The conduit {other.id} is this machine's now.\n"
    assert [each.id for each in running.simulator.conduits] == [other.id]
    assert running.simulator.other_calls["websocket"] == 0
    await running.start()
    await until(lambda: running.engine.reach.way.target == Conduit(other.id))
