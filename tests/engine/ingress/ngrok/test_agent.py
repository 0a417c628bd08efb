"""An agent left behind by a kill is ended at the next start, and never any other process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from itsjustintv_desktop.engine.ingress.ngrok import agent, settings
from itsjustintv_desktop.engine.ingress.ngrok.agent import Record
from tests.engine.ingress.ngrok.conftest import TOKEN, Rig
from tests.support.process import ROOT
from tests.support.waiting import until


@pytest.mark.parametrize("stubborn", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_after_a_kill_the_next_start_ends_what_was_left(rig: Rig, stubborn: bool) -> None:
    rig.script(stubborn=stubborn)
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.engine.ingress.ngrok.leave_orphan", rig.folder, rig.place, TOKEN,
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert killed.stdout is not None
    async with asyncio.timeout(20):
        await killed.stdout.readline()
        killed.kill()
        await killed.wait()
    (left,) = rig.running()
    assert (rig.folder / "agent.json").exists()
    rig.script()
    rig.start()
    await rig.ready()
    (running,) = rig.running()
    assert running.pid != left.pid
    await until(lambda: not left.is_running() or left.status() == psutil.STATUS_ZOMBIE)


@pytest.fixture
def bystander(tmp_path: Path) -> Iterator[psutil.Process]:
    """A process whose command line looks like an agent's of ours in every way."""
    code = "import sys, time; print('up', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(settings.settings_path(tmp_path))], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.kill()


def write(folder: Path, record: Record) -> None:
    (folder / "agent.json").write_bytes(msgspec.json.encode(record))


def test_the_very_process_is_ended(tmp_path: Path, bystander: psutil.Process) -> None:
    agent.remember(tmp_path, bystander.pid)
    assert (tmp_path / "agent.json").stat().st_mode & 0o777 == 0o600
    assert agent.reap(tmp_path)
    assert not bystander.is_running() or bystander.status() == psutil.STATUS_ZOMBIE
    assert not (tmp_path / "agent.json").exists()
    assert not agent.reap(tmp_path)


def test_another_process_with_its_number_is_left_alone(tmp_path: Path, bystander: psutil.Process) -> None:
    other = tmp_path / "other"
    other.mkdir()
    right = Record(bystander.pid, bystander.create_time(), bystander.exe())
    for folder, record in [
        (tmp_path, msgspec.structs.replace(right, started=right.started - 60)),
        (tmp_path, msgspec.structs.replace(right, program="/usr/bin/ngrok")),
        (other, right),  # the agent of another data directory
    ]:
        write(folder, record)
        assert not agent.reap(folder)
        assert bystander.is_running()
        assert not (folder / "agent.json").exists()


def test_one_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    write(tmp_path, Record(done.pid, 1.0, "/usr/bin/ngrok"))
    assert not agent.reap(tmp_path)
    agent.remember(tmp_path, done.pid)
    assert not (tmp_path / "agent.json").exists()


def test_a_damaged_note_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text("{")
    assert not agent.reap(tmp_path)
    assert not (tmp_path / "agent.json").exists()
