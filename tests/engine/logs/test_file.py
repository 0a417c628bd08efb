"""The file under trouble: links, full and read-only disks, rotation, a disk that hangs."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.logs import background, file
from itsjustintv_desktop.engine.logs.background import Background
from itsjustintv_desktop.engine.logs.file import LogFile
from tests.support.disks import small_disk

log = structlog.get_logger("itsjustintv_desktop.engine.part")


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    logs.reset()


def wait_for(stream: io.StringIO, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in stream.getvalue():
        assert time.monotonic() < deadline, f"{text!r} was not said:\n{stream.getvalue()}"
        time.sleep(0.005)


def wait_until_written(path: Path, event: str) -> None:
    deadline = time.monotonic() + 10
    while not path.exists() or event not in path.read_text("utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def events(path: Path) -> list[str]:
    return [json.loads(line)["event"] for line in path.read_text("utf-8").splitlines() if line]


def test_it_rotates_and_never_grows_without_end(
    console: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "SIZE", 4096)
    monkeypatch.setattr(LogFile.__init__, "__kwdefaults__", {"size": 4096, "files": 5, "clock": None})
    logs.open_file(tmp_path)
    for number in range(1000):
        log.info("line", number=number, padding="x" * 100)
    logs.close_file()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["itsjustintv.log", *(f"itsjustintv.log.{number}" for number in range(1, 5))]
    kept = []
    for path in sorted(tmp_path.iterdir(), key=lambda path: path.name, reverse=True):
        assert path.stat().st_size < 4096 + 400
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        if path.name != "itsjustintv.log":
            kept += [json.loads(line)["number"] for line in path.read_text().splitlines()]
    kept += [json.loads(line)["number"] for line in (tmp_path / "itsjustintv.log").read_text().splitlines()]
    assert kept == list(range(1000 - len(kept), 1000))


def test_it_goes_on_where_it_was_and_closes_a_line_that_was_cut_off(console: io.StringIO, tmp_path: Path) -> None:
    path = tmp_path / "itsjustintv.log"
    path.write_text('{"event": "one"}\n{"event": "cut of')
    path.chmod(0o644)
    logs.open_file(tmp_path)
    log.info("two")
    logs.close_file()
    lines = path.read_text().splitlines()
    assert lines[:2] == ['{"event": "one"}', '{"event": "cut of']
    assert json.loads(lines[2])["event"] == "two"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_deleted_file_is_begun_anew(console: io.StringIO, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "itsjustintv.log"
    logs.open_file(path.parent)
    log.info("before")
    wait_until_written(path, "before")
    path.unlink()
    path.parent.rmdir()
    log.info("after")
    logs.close_file()
    assert events(path) == ["after"]


@pytest.mark.skipif(sys.platform == "win32", reason="making links takes a privilege there")
@pytest.mark.parametrize("what", ["file", "folder", "dangling", "pipe", "directory"])
def test_what_is_no_plain_file_of_ours_is_refused(console: io.StringIO, tmp_path: Path, what: str) -> None:
    folder, elsewhere = tmp_path / "logs", tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "itsjustintv.log"
    if what == "folder":
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir()
    path = folder / "itsjustintv.log"
    if what == "file":
        target.write_text("mine")
        path.symlink_to(target)
    elif what == "dangling":
        path.symlink_to(target)
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "directory":
        path.mkdir()
    logs.open_file(folder)
    log.info("one")
    log.info("two")
    wait_for(console, "the log file cannot be written")
    assert target.exists() is (what == "file")
    if what == "file":
        assert target.read_text() == "mine"
    # It heals as soon as the thing is gone.
    if what == "folder":
        folder.unlink()
    elif what == "directory":
        path.rmdir()
    else:
        path.unlink()
    log.info("three")
    wait_for(console, "the log file is written again")
    logs.close_file()
    assert "three" in events(path)
    assert console.getvalue().count("cannot be written") == 1


@pytest.mark.small_disk
def test_a_full_disk_is_said_once_and_heals(console: io.StringIO, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        logs.open_file(disk.path / "logs")
        log.info("before")
        wait_until_written(disk.path / "logs" / "itsjustintv.log", "before")
        disk.fill()
        for number in range(200):
            log.info("lost", number=number, padding="x" * 500)
        wait_for(console, "the log file cannot be written")
        logs.close_file()  # every line was tried
        assert "reason='the disk is full'" in console.getvalue()
        assert console.getvalue().count("cannot be written") == 1
        disk.free()
        logs.open_file(disk.path / "logs")
        log.info("after")
        logs.close_file()
        lines = (disk.path / "logs" / "itsjustintv.log").read_text().splitlines()
        assert json.loads(lines[0])["event"] == "before"
        assert json.loads(lines[-1])["event"] == "after"


@pytest.mark.small_disk
def test_the_disk_heals_while_it_runs(console: io.StringIO, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        logs.open_file(disk.path / "logs")
        log.info("before")
        wait_until_written(disk.path / "logs" / "itsjustintv.log", "before")
        disk.fill()
        for number in range(20):
            log.info("lost", number=number, padding="x" * 1000)
        wait_for(console, "the log file cannot be written")
        disk.free()
        log.info("after")
        wait_for(console, "the log file is written again")
        logs.close_file()
        told = (disk.path / "logs" / "itsjustintv.log").read_text().splitlines()
        again = json.loads(told[-1])
        assert again["event"] == "the log file is written again"
        assert 1 <= again["lines_lost"] <= 21


@pytest.mark.small_disk
def test_a_read_only_disk_is_said_once(console: io.StringIO, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        disk.read_only(True)
        logs.open_file(disk.path / "logs")
        log.info("one")
        log.info("two")
        wait_for(console, "the disk is read-only")
        disk.read_only(False)
        log.info("three")
        wait_for(console, "written again")
        logs.close_file()
        assert console.getvalue().count("cannot be written") == 1


class Stuck(LogFile):
    """A disk that does not answer until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.go = threading.Event()
        self.reached = threading.Event()

    def emit(self, record: Any) -> None:
        self.reached.set()
        assert self.go.wait(30)
        super().emit(record)


def test_a_disk_that_hangs_holds_up_nobody(
    console: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = Stuck(tmp_path)
    monkeypatch.setattr(file, "LogFile", lambda _: stuck)
    monkeypatch.setattr(Background.__init__, "__defaults__", (10,))
    logs.open_file(tmp_path)
    log.info("first")
    assert stuck.reached.wait(10)
    for number in range(100):
        log.info("line", number=number)
    began = time.monotonic()
    for _ in range(100):
        log.info("another")
    assert time.monotonic() - began < 5
    stuck.go.set()
    wait_for(console, "the disk was too slow for the log")
    logs.close_file()
    lines = [json.loads(line) for line in (tmp_path / "itsjustintv.log").read_text().splitlines()]
    written = [line for line in lines if line["event"] in {"first", "line", "another"}]
    (dropped,) = [line["lines_lost"] for line in lines if "lines_lost" in line]
    assert len(written) + dropped == 201
    assert [line["number"] for line in written if "number" in line] == list(range(10))


def test_a_flood_of_lines_wakes_the_writer_once(
    console: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, reached, gathered = threading.Event(), threading.Event(), []

    def gather(_: object) -> None:
        gathered.append(1)
        reached.set()
        assert go.wait(30)

    monkeypatch.setattr(background._Writer, "gather", gather)
    logs.open_file(tmp_path)
    log.info("first")
    assert reached.wait(10)
    for _ in range(500):
        log.info("line")
    go.set()
    logs.close_file()
    assert events(tmp_path / "itsjustintv.log") == ["first", *["line"] * 500]
    assert len(gathered) == 1


def test_the_end_does_not_wait_for_a_disk_that_hangs(
    console: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = Stuck(tmp_path)
    monkeypatch.setattr(file, "LogFile", lambda _: stuck)
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 0.1)
    logs.open_file(tmp_path)
    log.info("first")
    assert stuck.reached.wait(10)
    began = time.monotonic()
    logs.close_file()
    assert time.monotonic() - began < 5
    stuck.go.set()
    deadline = time.monotonic() + 10
    while any("_monitor" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    stuck.close()


def test_all_that_was_said_is_there_after_closing(console: io.StringIO, tmp_path: Path) -> None:
    logs.open_file(tmp_path)
    for number in range(background.SIZE // 2):
        log.info("line", number=number)
    logs.close_file()
    lines = (tmp_path / "itsjustintv.log").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(background.SIZE // 2))
