"""Replacing a file in one step, and setting a damaged one aside: whole or not at all, never through a link."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core import files

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and signals")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept.bin"


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_written_is_read(path: Path, durable: bool) -> None:
    files.write_atomic(path, b"one\r\n\x1a", durable=durable)
    files.write_atomic(path, b"two\r\n\x1a", durable=durable)
    assert files.read(path) == b"two\r\n\x1a"
    assert names(path) == ["kept.bin"]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_is_as_asked_for_whatever_the_umask_and_the_old_file(path: Path, mode: int) -> None:
    path.write_bytes(b"old")
    path.chmod(0o640)
    before = os.umask(0)
    try:
        files.write_atomic(path, b"new", mode=mode)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


@posix
def test_a_link_makes_way_or_is_refused_and_is_never_written_through(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"target")
    path.symlink_to(target)
    with pytest.raises(OSError) as caught, files.replacing(path, over_link=False):
        pass
    assert caught.value.errno == errno.ELOOP
    assert path.is_symlink()
    files.write_atomic(path, b"new")
    assert (path.is_symlink(), path.read_bytes(), target.read_bytes()) == (False, b"new", b"target")


@posix
@pytest.mark.parametrize("point", ["os.fsync", "pathlib.Path.replace"])
def test_a_kill_during_the_write_leaves_the_old_file(path: Path, point: str) -> None:
    files.write_atomic(path, b"old")
    module, _, name = point.rpartition(".")
    script = f"""
import os, pathlib, signal
from unittest import mock
from itsjustintv_desktop.engine.core import files
with mock.patch.object({module}, {name!r}, lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
    files.write_atomic(pathlib.Path({str(path)!r}), b"new")
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert files.read(path) == b"old"
    assert len(names(path)) == 2
    files.clear_leftovers(path)
    assert names(path) == ["kept.bin"]


def test_a_disk_that_refuses_leaves_the_old_file_and_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_atomic(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        files.write_atomic(path, b"new")
    assert (names(path), path.read_bytes()) == (["kept.bin"], b"old")


def test_an_error_of_the_writer_leaves_the_old_file_and_no_other(path: Path) -> None:
    files.write_atomic(path, b"old")

    def break_off() -> None:
        with files.replacing(path) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert (names(path), path.read_bytes()) == (["kept.bin"], b"old")


@pytest.mark.parametrize(("refusals", "written"), [(4, True), (5, False)])
def test_a_reader_that_does_not_share_it_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int, written: bool
) -> None:
    """As on Windows, where nobody can rename over a file that is open."""
    files.write_atomic(path, b"old")
    real, calls, pauses = Path.replace, list[Path](), list[float]()

    def replace(fresh: Path, target: Path) -> Path:
        calls.append(fresh)
        if len(calls) <= refusals:
            raise PermissionError(errno.EACCES, "Access is denied")
        return real(fresh, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(time, "sleep", pauses.append)
    if written:
        files.write_atomic(path, b"new")
    else:
        with pytest.raises(PermissionError):
            files.write_atomic(path, b"new")
    assert (path.read_bytes(), names(path)) == (b"new" if written else b"old", ["kept.bin"])
    assert pauses == [0.02, 0.04, 0.08, 0.16]


@pytest.mark.parametrize("leftover", [".kept.bin.new", ".kept.bin.x7f3.new", ".kept.bin.bak.x7f3.new"])
def test_what_a_kill_left_behind_is_removed_and_nothing_else(path: Path, leftover: str) -> None:
    others = ["kept.bin", ".other.bin.x7f3.new", "kept.bin.new", ".kept.bin"]
    for name in (leftover, *others):
        path.with_name(name).write_bytes(b"half a fi")
    files.clear_leftovers(path, older_than=60.0)
    assert leftover in names(path), "another process may be at it"
    os.utime(path.with_name(leftover), (0, 0))
    files.clear_leftovers(path, older_than=60.0)
    assert names(path) == sorted(others)


def test_what_is_set_aside_keeps_its_bytes_and_has_a_name_of_its_own(path: Path) -> None:
    asides = []
    for content in (b"first", b"second"):
        path.write_bytes(content)
        aside = files.aside_of(path, at=1_700_000_000.0)
        assert files.set_aside(path, aside) == [aside]
        asides.append(aside)
    assert [aside.name for aside in asides] == [
        "kept.bin.damaged-20231114T221320Z",
        "kept.bin.damaged-20231114T221320Z-2",
    ]
    assert [aside.read_bytes() for aside in asides] == [b"first", b"second"]
    assert not path.exists()


def test_files_that_belong_together_are_set_aside_together_the_main_one_last(path: Path) -> None:
    beside = ("", "-wal", "-shm")
    for ending in ("", "-wal"):
        path.with_name(path.name + ending).write_bytes(ending.encode())
    taken = files.aside_of(path, "replaced", at=0.0, beside=beside)
    taken.with_name(f"{taken.name}-shm").touch()
    aside = files.aside_of(path, "replaced", at=0.0, beside=beside)
    assert aside.name == "kept.bin.replaced-19700101T000000Z-2"
    moved = files.set_aside(path, aside, beside=beside)
    assert [each.name for each in moved] == [f"{aside.name}-wal", aside.name]


def test_a_fixed_name_makes_way_for_the_next_one(path: Path) -> None:
    aside = path.with_name("kept.bin.damaged")
    for content in (b"first", b"second"):
        path.write_bytes(content)
        files.set_aside(path, aside)
    assert (aside.read_bytes(), names(path)) == (b"second", ["kept.bin.damaged"])
