"""The file itself: whole or not at all, for its owner only, never through a link."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.storage.secrets import vaultdisk

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and signals")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "secrets.vault"
    assert vaultdisk.read(path) is None
    vaultdisk.replace(path, b"one\r\n\x1a")
    vaultdisk.replace(path, b"two\r\n\x1a")
    assert vaultdisk.read(path) == b"two\r\n\x1a"
    assert [entry.name for entry in tmp_path.iterdir()] == ["secrets.vault"]


@posix
def test_only_the_owner_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "secrets.vault"
    path.write_bytes(b"old")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        vaultdisk.replace(path, b"new")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


@posix
def test_a_link_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"target")
    path = tmp_path / "secrets.vault"
    path.symlink_to(target)
    with pytest.raises(OSError) as caught:
        vaultdisk.read(path)
    assert caught.value.errno == errno.ELOOP
    (tmp_path / ".secrets.vault.new").symlink_to(target)
    vaultdisk.replace(path, b"new")
    assert target.read_bytes() == b"target"
    assert not path.is_symlink()


def test_what_a_kill_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "secrets.vault"
    (tmp_path / ".secrets.vault.new").write_bytes(b"half a fi")
    vaultdisk.replace(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert not (tmp_path / ".secrets.vault.new").exists()


@posix
@pytest.mark.parametrize("point", ["os.fsync", "pathlib.Path.replace"])
def test_a_kill_during_the_write_leaves_the_old_file(tmp_path: Path, point: str) -> None:
    path = tmp_path / "secrets.vault"
    vaultdisk.replace(path, b"old")
    module, _, name = point.rpartition(".")
    script = f"""
import os, pathlib, signal
from unittest import mock
from itsjustintv_desktop.engine.storage.secrets import vaultdisk
with mock.patch.object({module}, {name!r}, lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
    vaultdisk.replace(pathlib.Path({str(path)!r}), b"new")
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert vaultdisk.read(path) == b"old"
    vaultdisk.replace(path, b"newer")
    assert vaultdisk.read(path) == b"newer"


def test_a_disk_that_refuses_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secrets.vault"
    vaultdisk.replace(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        vaultdisk.replace(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["secrets.vault"]
    assert path.read_bytes() == b"old"


def test_what_is_put_aside_keeps_its_bytes_and_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "secrets.vault"
    assert vaultdisk.last_put_aside(path) is None
    path.write_bytes(b"first")
    first = vaultdisk.put_aside(path, 1_700_000_000.0)
    path.write_bytes(b"second")
    second = vaultdisk.put_aside(path, 1_700_000_000.0)
    assert first.name == "secrets.vault.damaged-20231114T221320Z"
    assert (first.read_bytes(), second.read_bytes()) == (b"first", b"second")
    assert vaultdisk.last_put_aside(path) == second
    assert not path.exists()
