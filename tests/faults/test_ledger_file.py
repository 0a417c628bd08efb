"""Somebody deletes the ledger of a running program, which is killed then: what Twitch heard 204 for is announced."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engine import Running, running_engine
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be deleted there"),
    pytest.mark.expected_errors("cannot be written", "put aside", "was deleted"),
]


def _ledger(running: Running) -> Path:
    return running.paths.ledger


def _its_log(running: Running) -> Path:
    return running.paths.ledger.with_name("ledger.db-wal")


@pytest.mark.parametrize("which", [_ledger, _its_log])
async def test_deleted_while_the_program_runs(tmp_path: Path, which: Callable[[Running], Path]) -> None:
    async with running_engine(tmp_path, environ={"ITSJUSTINTV_TWITCH_RESTART_WINDOW": "0s"}) as running:
        await running.simulator.go_live("alice", stream_id="one")
        await running.settled()
        which(running).unlink()
        await running.simulator.go_offline("alice")
        await running.simulator.go_live("alice", stream_id="two")
        await running.simulator.receiver.wait_for(2, "main")
        await running.settled()
        part = (await running.engine.doctor.health())["parts"]["ledger"]
        assert part["status"] == "ok"
        assert "The ledger was deleted or replaced while the program ran." in part["reason"]
        # What a kill at this moment would leave.
        for name in ("ledger.db", "ledger.db-wal"):
            shutil.copy(running.paths.data / name, tmp_path / name)
        await running.stop()
        shutil.copy(tmp_path / "ledger.db", running.paths.ledger)
        shutil.copy(tmp_path / "ledger.db-wal", running.paths.data)
        await running.start()
        streams = {view.event_id: view.state for view in await running.deliveries()}
        assert len(streams) == 2
        await running.settled()
        assert len(running.simulator.receiver.accepted("main")) == 2, "nothing is sent twice"


async def test_the_data_directory_removed(tmp_path: Path) -> None:
    async with running_engine(tmp_path, environ={"ITSJUSTINTV_TWITCH_RESTART_WINDOW": "0s"}) as running:
        await running.simulator.go_live("alice", stream_id="one")
        await running.settled()
        shutil.rmtree(running.paths.data)
        await until(lambda: running.engine.ledger.lately is not None)
        await running.simulator.go_offline("alice")
        await running.simulator.go_live("alice", stream_id="two")
        await running.simulator.receiver.wait_for(2, "main")
        await running.settled()
        assert [view.state for view in await running.deliveries()] == ["delivered", "delivered"]
        assert running.paths.data.stat().st_mode & 0o777 == 0o700
