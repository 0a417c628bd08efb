"""The source archive holds everything that git tracks: its Makefile works, its tests can run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from installers import ROOT


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.slow
def test_the_source_archive_is_the_whole_checkout(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stdout
    tracked = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    if not tracked:
        pytest.skip("this is not a checkout")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path], cwd=ROOT, check=True, timeout=120,
        capture_output=True,
    )  # fmt: skip
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    root = next(path for path in tmp_path.iterdir() if path.is_dir())
    inside = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert tracked - inside == set()
    assert inside - tracked <= {"PKG-INFO"}
    help_text = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    assert "make" not in help_text.stderr
