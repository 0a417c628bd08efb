"""Files of the data directory that somebody deletes while the program runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.errors import AlreadyRunningError
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.monitoring import files
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.waiting import until

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no file that is held open")


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """It does not look by itself: two looks at a time would get in each other's way."""

    async def never(_: files.FilesWatch) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(files.FilesWatch, "run", never)
    async with running_engine(tmp_path) as running:
        await running.settled()
        yield running


async def test_control_json_is_written_again(running: Running) -> None:
    before = address.read(running.paths.control)
    running.paths.control.unlink()
    await running.engine.files.look()
    assert before is not None
    assert address.read(running.paths.control) == before
    if sys.platform != "win32":
        assert running.paths.control.stat().st_mode & 0o777 == 0o600
    async with ControlClient(before) as client:
        assert (await client.health())["status"] in {"ok", "waiting", "failing"}


async def test_it_looks_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "EVERY", 0.02)
    async with running_engine(tmp_path) as running:
        before = address.read(running.paths.control)
        running.paths.control.write_bytes(b"{}")  # a sync tool brought an old one back
        await until(lambda: address.read(running.paths.control) == before)


async def test_output_json_is_written_again(running: Running) -> None:
    await running.simulator.go_live("alice")
    await running.settled()
    before = running.output()
    assert len(before) == 1
    (running.paths.data / "output.json").unlink()
    await running.engine.files.look()
    await running.engine.feed.settled()
    assert running.output() == before


async def test_output_json_that_is_switched_off_is_not(tmp_path: Path) -> None:
    async with running_engine(tmp_path, ONE_STREAMER + "[output]\nenabled = false\n") as running:
        await running.engine.files.look()
        await running.engine.feed.settled()
        assert not (running.paths.data / "output.json").exists()


@posix
async def test_the_lock_is_taken_again(running: Running) -> None:
    running.paths.lock.unlink()
    await running.engine.files.look()
    with pytest.raises(AlreadyRunningError):
        InstanceLock(running.paths.lock).acquire()
    await running.stop()
    free = InstanceLock(running.paths.lock)
    free.acquire()
    free.release()


@posix
async def test_a_folder_that_another_part_made_again_is_nobody_elses_to_read(running: Running) -> None:
    """The log and output.json make what is missing above them."""
    running.paths.lock.unlink()
    running.paths.data.chmod(0o755)
    await running.engine.files.look()
    assert running.paths.data.stat().st_mode & 0o777 == 0o700


@posix
@pytest.mark.expected_errors("cannot be made again")
async def test_another_program_that_was_quicker_is_a_failure_that_shows(running: Running) -> None:
    engine = running.engine
    running.paths.lock.unlink()
    other = InstanceLock(running.paths.lock)
    other.acquire()
    theirs = address.ControlAddress(port=9, token="theirs", pid=1)
    address.write(running.paths.control, theirs)
    await engine.files.look()
    part, _ = engine.health.observe()["files"]
    assert (part.level, "another program runs with this data directory" in part.reason) == ("failing", True)
    assert address.read(running.paths.control) == theirs, "it belongs to the one that holds the lock"
    other.release()
    await engine.files.look()
    assert engine.health.observe()["files"][0].level == "ok"
    assert address.read(running.paths.control) != theirs


@posix
async def test_what_another_program_announced_stays_when_this_one_ends(running: Running) -> None:
    theirs = address.ControlAddress(port=9, token="theirs", pid=1)
    address.write(running.paths.control, theirs)
    await running.stop()
    assert address.read(running.paths.control) == theirs


@pytest.mark.expected_errors("cannot be made again")
async def test_a_place_that_cannot_be_written_is_a_failure_that_shows(running: Running) -> None:
    engine, control = running.engine, running.paths.control
    control.unlink()
    control.mkdir()
    with structlog.testing.capture_logs() as logs:
        await engine.files.look()
        await engine.files.look()
    assert [line["log_level"] for line in logs if "cannot be made again" in line["event"]] == ["error"]
    part, _ = engine.health.observe()["files"]
    assert part.level == "failing"
    assert part.reason.startswith("control.json was deleted and cannot be made again: ")
    control.rmdir()
    await engine.files.look()
    assert engine.health.observe()["files"][0].level == "ok"
    assert address.read(control) is not None


@posix
async def test_a_data_directory_that_is_gone_is_made_again(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config.toml", tmp_path / "volume" / "data")
    paths.create()
    shutil.rmtree(paths.data)
    assert paths.keep()
    assert paths.data.stat().st_mode & 0o777 == 0o700
    assert not paths.keep()
    shutil.rmtree(tmp_path / "volume")
    with pytest.raises(FileNotFoundError):
        paths.keep()  # its disk is gone: nothing is made in its place


@posix
@pytest.mark.timeout(20)
async def test_a_pipe_in_its_place_holds_nobody_up(running: Running) -> None:
    before = address.read(running.paths.control)
    running.paths.control.unlink()
    os.mkfifo(running.paths.control)
    assert address.read(running.paths.control) is None
    await running.engine.files.look()
    assert address.read(running.paths.control) == before
