"""One window a data directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop.single import SingleInstance

SCRIPT = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from itsjustintv_desktop.desktop.single import SingleInstance
app = QCoreApplication([])
one = SingleInstance(Path(sys.argv[1]))
print(one.claim(), flush=True)
one.asked.connect(app.quit)
if sys.argv[2] == "stay":
    app.exec()
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(how: str) -> subprocess.Popen[str]:
        made = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), how], stdout=subprocess.PIPE, text=True)
        started.append(made)
        return made

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=10)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_process_brings_the_first_to_the_front_and_ends(start: Start) -> None:
    first = start("stay")
    assert line(first) == "True"
    second = start("stay")
    assert line(second) == "False"
    assert first.wait(10) == 0, "it was asked"


def test_one_that_was_killed_stands_in_nobodys_way(start: Start) -> None:
    first = start("stay")
    assert line(first) == "True"
    first.kill()
    first.wait(10)
    assert line(start("go")) == "True"


def test_each_data_directory_has_one_of_its_own(tmp_path: Path, qtbot: QtBot) -> None:
    one, other, again = (SingleInstance(tmp_path / name) for name in ("a", "b", "a"))
    try:
        assert one.claim()
        assert other.claim()
        with qtbot.waitSignal(one.asked):
            assert not again.claim()
        one.release()
        assert again.claim()
    finally:
        for each in (one, other, again):
            each.release()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no files there")
def test_nobody_else_may_speak_to_it(tmp_path: Path) -> None:
    one = SingleInstance(tmp_path)
    assert one.claim()
    try:
        path = Path(one._server.fullServerName())
        assert path.stat().st_mode & 0o077 == 0
        assert path.stat().st_uid == os.getuid()
    finally:
        one.release()
