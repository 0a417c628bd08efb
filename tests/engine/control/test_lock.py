"""One instance a data directory, whatever an earlier one left behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.errors import AlreadyRunningError, DataDirectoryError
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.engine import Engine
from tests.support.engine import running_engine

_HOLD = """
import sys
from pathlib import Path
from itsjustintv_desktop.engine.control.lock import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_it_is_held_once(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path / "instance.lock"), InstanceLock(tmp_path / "instance.lock")
    first.acquire()
    with pytest.raises(AlreadyRunningError, match="--data-dir"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_stale_file_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "instance.lock"
    path.write_text("4242\n")
    lock = InstanceLock(path)
    lock.acquire()
    lock.release()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can do what it must not do here")
def test_root_makes_nothing_in_the_directory_of_another(tmp_path: Path) -> None:
    """The service would find an output.json that it can neither read nor write, and nothing would mend that."""
    for uid, name in ((12345, "the user with number 12345"), (1, "daemon")):
        os.chown(tmp_path, uid, uid)
        with pytest.raises(DataDirectoryError, match=name):
            InstanceLock(tmp_path / "instance.lock").acquire()
        assert list(tmp_path.iterdir()) == []
    os.chown(tmp_path, 0, 0)
    lock = InstanceLock(tmp_path / "instance.lock")
    lock.acquire()
    lock.release()


def test_it_ends_with_the_process_however_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "instance.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        lock = InstanceLock(path)
        with pytest.raises(AlreadyRunningError):
            lock.acquire()
        holder.kill()
    lock.acquire()
    lock.release()


def test_a_place_that_cannot_hold_it(tmp_path: Path) -> None:
    (tmp_path / "instance.lock").mkdir()
    with pytest.raises(DataDirectoryError, match="--data-dir"):
        InstanceLock(tmp_path / "instance.lock").acquire()


def test_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match="--data-dir"):
        Paths(tmp_path / "config.toml", tmp_path / "file" / "data").create()


async def test_a_second_engine_leaves_the_first_alone(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        before = running.paths.control.read_bytes()
        second = Engine(EngineOptions(paths=running.paths, environ=running.simulator.environment()))
        with pytest.raises(AlreadyRunningError):
            await second.start()
        assert running.paths.control.read_bytes() == before
        await running.simulator.go_live("alice")
        await running.simulator.receiver.wait_for(1, "main")


async def test_another_data_directory_runs_beside_it(tmp_path: Path) -> None:
    async with running_engine(tmp_path / "one") as one, running_engine(tmp_path / "two") as two:
        assert one.engine.address != two.engine.address


async def test_a_stale_control_json_is_replaced(tmp_path: Path) -> None:
    async with running_engine(tmp_path, start=False) as running:
        running.paths.create()
        stale = ControlAddress(port=9, token="stale", pid=2**22 + 1)
        address.write(running.paths.control, stale)
        await running.start()
        found = address.read(running.paths.control)
        assert found is not None
        assert found != stale


async def test_a_failed_start_lets_go_of_everything(tmp_path: Path) -> None:
    """control.json cannot be written: the port, the ledger and the lock are free again at once."""
    async with running_engine(tmp_path, start=False) as running:
        running.paths.create()
        running.paths.control.mkdir()
        with pytest.raises(DataDirectoryError, match=r"control\.json"):
            await running.start()
        assert running.paths.control.is_dir()  # not ours to remove
        running.paths.control.rmdir()
        await asyncio.sleep(0)
        await running.start()
