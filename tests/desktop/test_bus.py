"""A bus that takes connections and never answers holds nothing up."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop import bus as module
from itsjustintv_desktop.desktop.bus import once_it_answers
from itsjustintv_desktop.desktop.notifications import Notifications
from itsjustintv_desktop.desktop.power import Power
from tests.desktop.test_power import bus

__all__ = ["bus"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is Linux's")


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """The address of a bus that takes connections and never answers."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "silent"))
        made.listen()
        yield f"unix:path={tmp_path / 'silent'}"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_MS", 300)


def asked(qtbot: QtBot, address: str) -> str:
    said: list[str] = []
    once_it_answers(address, owner := QObject(), lambda: said.append("answers"), lambda: said.append("never"))
    began = time.monotonic()
    qtbot.waitUntil(lambda: bool(said))
    qtbot.wait(400)
    assert len(said) == 1
    assert time.monotonic() - began < 3
    owner.deleteLater()
    return said[0]


def test_one_that_answers(qtbot: QtBot, bus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_MS", 20_000)
    assert asked(qtbot, bus) == "answers"


def test_one_that_never_answers(qtbot: QtBot, silent: str) -> None:
    assert asked(qtbot, silent) == "never"


def test_one_that_is_not_there(qtbot: QtBot, tmp_path: Path) -> None:
    assert asked(qtbot, f"unix:path={tmp_path}/none") == "never"


def test_what_cannot_be_asked_is_believed(qtbot: QtBot) -> None:
    assert asked(qtbot, "unix:abstract=/tmp/x") == "answers"


@pytest.mark.parametrize(
    ("made", "variable"), [(Power, "DBUS_SYSTEM_BUS_ADDRESS"), (Notifications, "DBUS_SESSION_BUS_ADDRESS")]
)
def test_the_window_goes_on_beside_a_bus_that_never_answers(
    silent: str, made: Callable[[], QObject], variable: str
) -> None:
    code = (
        f"from PySide6.QtCore import QCoreApplication, QTimer; from {made.__module__} import {made.__name__} as Asks\n"
        "app = QCoreApplication([]); asks = Asks(); asks.start(); QTimer.singleShot(1000, app.quit); app.exec()"
    )
    environ = {"PATH": "/usr/bin:/bin", variable: silent}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20, env=environ)
