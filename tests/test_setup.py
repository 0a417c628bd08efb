"""What the Makefile sets up: a virtual environment that was left half-built is completed, never taken for finished."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("make") is None, reason="needs make and a POSIX shell"
)


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def stand_in(path: Path, *, without: str) -> Path:
    """This Python, as Debian's is without python3-venv: the modules named are not there."""
    path.mkdir()
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in without.split())
    (path / "sitecustomize.py").write_text(f"import sys\n{blocked}")
    program = path / "python3"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    return program


def has_pip(folder: Path) -> bool:
    return subprocess.run([folder / "bin" / "python", "-c", "import pip"], check=False).returncode == 0


@pytest.mark.slow
def test_a_half_built_environment_is_completed(tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    for stamp in (".venv", ".run", ".dev"):  # it had been whole once: its pip was lost since
        (folder / "bin" / stamp).touch()
    done = make(f"VENV={folder}", f"{folder}/bin/.venv")
    assert done.returncode == 0, done.stderr
    assert has_pip(folder)
    assert not (folder / "bin" / ".run").exists(), "what was installed is installed again"


def test_without_ensurepip_and_pip_it_says_what_to_install_and_leaves_nothing(tmp_path: Path) -> None:
    python = stand_in(tmp_path / "bin", without="ensurepip pip")
    folder = tmp_path / "venv"
    done = make(f"PYTHON={python}", f"VENV={folder}", f"{folder}/bin/.venv")
    assert done.returncode != 0
    assert "sudo apt install python3-venv" in done.stderr
    assert not folder.exists()
    again = make("--dry-run", f"VENV={folder}", f"{folder}/bin/.venv")
    assert "make_venv" in again.stdout, "the next run tries again"


@pytest.mark.slow
def test_without_ensurepip_a_pip_of_the_system_serves(tmp_path: Path) -> None:
    python = stand_in(tmp_path / "bin", without="ensurepip")
    folder = tmp_path / "venv"
    done = make(f"PYTHON={python}", f"VENV={folder}", f"{folder}/bin/.venv")
    assert done.returncode == 0, done.stderr
    assert has_pip(folder)


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    script = (ROOT / "tools" / "make_venv.py").read_text()
    newer = script.replace("LEAST = (3, 11)", "LEAST = (99, 0)")
    assert newer != script
    (tmp_path / "make_venv.py").write_text(newer)
    done = subprocess.run(
        [sys.executable, tmp_path / "make_venv.py", tmp_path / "venv"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / "venv").exists()
