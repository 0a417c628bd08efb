"""output.json in the hands of others: announcements go on, its health says what is wrong, and it is made up for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.storage import output
from itsjustintv_desktop.simulator import Simulator
from tests.support.disks import small_disk
from tests.support.engine import HEAD, Running, running_engine
from tests.support.process import Serve
from tests.support.waiting import until

pytestmark = pytest.mark.expected_errors("output.json cannot be written")

Record = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def _tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "RETRY_SECONDS", 0.2)


def _path(running: Running) -> Path:
    return running.paths.data / "output.json"


@contextmanager
def _a_link(running: Running, aside: Path) -> Iterator[None]:
    precious = aside / "precious"
    precious.write_bytes(b"precious")
    _path(running).unlink()
    _path(running).symlink_to(precious)
    yield
    assert precious.read_bytes() == b"precious"
    _path(running).unlink()


@contextmanager
def _held(running: Running, aside: Path) -> Iterator[None]:
    """Busy: the system refuses to replace it, as Windows does while a program has it open."""
    other = aside / "other"
    other.write_bytes(_path(running).read_bytes())
    subprocess.run(["mount", "--bind", str(other), str(_path(running))], check=True, timeout=10)
    try:
        yield
    finally:
        subprocess.run(["umount", str(_path(running))], check=True, timeout=10)


@contextmanager
def _a_folder(running: Running, aside: Path) -> Iterator[None]:
    _path(running).unlink()
    (_path(running) / "inside").mkdir(parents=True)
    yield
    (_path(running) / "inside").rmdir()
    _path(running).rmdir()


@contextmanager
def _a_pipe(running: Running, aside: Path) -> Iterator[None]:
    _path(running).unlink()
    os.mkfifo(_path(running))
    yield
    _path(running).unlink()


def _fault(line: str, hand: Callable[..., Any], says: str, *more: Any) -> Any:
    seen = f'the health says "output.json cannot be written: {says}"; announcements go on'
    return pytest.param(hand, says, id=line, marks=[pytest.mark.fault(f"output.json: {line}", seen=seen), *more])


@pytest.mark.parametrize(
    ("hand", "says"),
    [
        _fault("a symbolic link", _a_link, "it is a symbolic link"),
        _fault("another program holds it", _held, "Device or resource busy", pytest.mark.small_disk),
        _fault("a folder in its place", _a_folder, "it is a folder"),
        _fault("a named pipe in its place", _a_pipe, "it is a pipe, a socket or a device, and not a file"),
    ],
)
async def test_it_cannot_be_written(
    tmp_path: Path, hand: Callable[..., Any], says: str, record_property: Record
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    async with running_engine(tmp_path, environ={"ITSJUSTINTV_TWITCH_RESTART_WINDOW": "0s"}) as running:
        await _stream(running, 1)
        await running.settled()
        with hand(running, aside):
            await _stream(running, 2)
            await until(lambda: running.engine.feed.problem, what="it is noticed")
            part = (await running.engine.doctor.health())["parts"]["feed"]
            assert part["status"] == "failing"
            assert f"output.json cannot be written: {says}" in part["reason"]
        await until(lambda: running.engine.feed.problem is None, timeout=40, what="it is written again by itself")
        await running.settled()
        assert len(running.output()) == 2
        assert all(entry["success"] for entry in running.output())
    record_property("acknowledged", 2)


async def _stream(running: Running, number: int) -> None:
    """Alice's stream of that number is announced."""
    await running.simulator.go_offline("alice")
    await running.simulator.go_live("alice", stream_id=f"stream-{number}")
    await running.simulator.receiver.wait_for(number, "main")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            content,
            id=how,
            marks=pytest.mark.fault(
                f"output.json: {how}",
                seen="it is kept beside as output.json.damaged, and written anew with what the ledger knows",
            ),
        )
        for how, content in (("truncated", None), ("rubbish", b"\x00\xff not JSON"), ("emptied", b""))
    ],
)
async def test_somebody_damaged_it(tmp_path: Path, content: bytes | None, record_property: Record) -> None:
    async with running_engine(tmp_path, environ={"ITSJUSTINTV_TWITCH_RESTART_WINDOW": "0s"}) as running:
        await _stream(running, 1)
        await running.settled()
        whole = _path(running).read_bytes()
        damaged = whole[: len(whole) // 2] if content is None else content
        _path(running).write_bytes(damaged)
        await _stream(running, 2)
        await running.settled()
        assert [entry["payload"]["stream"]["id"] for entry in running.output()] == ["stream-1", "stream-2"]
        assert (running.paths.data / "output.json.damaged").read_bytes() == damaged
    record_property("acknowledged", 2)


@pytest.mark.small_disk
@pytest.mark.fault(
    "output.json: its disk is full",
    seen='the health says "the disk is full"; the old file stays whole, announcements go on',
)
async def test_its_disk_is_full(tmp_path: Path, record_property: Record) -> None:
    with small_disk(tmp_path / "out", "64k") as disk:
        environ = {
            "ITSJUSTINTV_TWITCH_RESTART_WINDOW": "0s",
            "ITSJUSTINTV_OUTPUT_FILE_PATH": str(disk.path / "output.json"),
        }
        async with running_engine(tmp_path, environ=environ) as running:
            await _stream(running, 1)
            await running.settled()
            before = (disk.path / "output.json").read_bytes()
            disk.fill()
            await _stream(running, 2)
            await until(lambda: running.engine.feed.problem, what="it is noticed")
            part = (await running.engine.doctor.health())["parts"]["feed"]
            assert "the disk is full" in part["reason"]
            assert (disk.path / "output.json").read_bytes() == before
            disk.free()
            await until(lambda: running.engine.feed.problem is None, timeout=40, what="it is written again")
            await running.settled()
            entries = msgspec.json.decode((disk.path / "output.json").read_bytes())
            assert len(entries) == 2
    record_property("acknowledged", 2)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are no files there")
@pytest.mark.fault(
    "output.json: a named pipe in its place, then the program is stopped", seen="it stops within seconds"
)
async def test_a_pipe_in_its_place_does_not_keep_the_program_from_stopping(tmp_path: Path) -> None:
    async with Simulator() as simulator:
        paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
        paths.config.parent.mkdir()
        paths.config.write_text(HEAD, encoding="utf-8")
        paths.data.mkdir()
        os.mkfifo(paths.data / "output.json")
        serve = Serve(paths, simulator.environment())
        try:
            await serve.started()
            await until(lambda: "output.json cannot be written" in serve.log.read_text())
            assert await serve.stop(timeout=25) == 0
        finally:
            await serve.close()
