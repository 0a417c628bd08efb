"""A bus that takes connections and never answers holds nothing up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop import bus as module
from itsjustintv_desktop.desktop.bus import once_it_answers
from tests.desktop.test_power import bus
from tests.keyring_session import require_program
from tests.support.desktop_session import x_server

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


def test_the_window_goes_on_beside_a_bus_that_never_answers(silent: str) -> None:
    code = (
        "from PySide6.QtCore import QCoreApplication, QTimer; from itsjustintv_desktop.desktop.power import Power\n"
        "app = QCoreApplication([]); asks = Power(); asks.start(); QTimer.singleShot(1000, app.quit); app.exec()"
    )
    environ = {"PATH": "/usr/bin:/bin", "DBUS_SYSTEM_BUS_ADDRESS": silent}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20, env=environ)


WIDGET = (
    "import os, time; from itsjustintv_desktop.desktop.bus import avoid_what_hangs; from itsjustintv_desktop.desktop "
    "import bus\n"
    "bus._START_SECONDS = 0.5; avoid_what_hangs()\n"
    "from PySide6.QtWidgets import QApplication, QLabel\n"
    "app = QApplication([]); label = QLabel(); label.setText('seen'); label.show(); app.processEvents()\n"
    "print(os.environ.get('DBUS_SESSION_BUS_ADDRESS'), os.environ.get('AT_SPI_BUS_ADDRESS'))\n"
)
OWNER = (
    "from jeepney import message_bus; from jeepney.io.blocking import open_dbus_connection\n"
    "bus = open_dbus_connection(); bus.send_and_get_reply(message_bus.RequestName('org.a11y.Bus'))\n"
    "import time; print('owned', flush=True); time.sleep(60)\n"
)


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An X server: Qt asks for accessibility with one only."""
    require_program("Xvfb", "xvfb")
    with ExitStack() as stack:
        yield x_server(stack, tmp_path_factory.mktemp("screen"))


def shown(screen: str, address: str) -> list[str]:
    """The addresses that Qt was left with when a first label was on the screen."""
    environ = {"PATH": "/usr/bin:/bin", "DBUS_SESSION_BUS_ADDRESS": address, "DISPLAY": screen}
    done = subprocess.run([sys.executable, "-c", WIDGET], check=True, timeout=20, env=environ, stdout=subprocess.PIPE)
    return done.stdout.decode().split("\n")[-2].split()


def test_the_first_widget_does_not_wait_for_a_session_bus_that_never_answers(screen: str, silent: str) -> None:
    assert shown(screen, silent) == ["unix:path=/dev/null", "unix:path=/dev/null"]


def test_nor_for_an_accessibility_service_that_never_answers(screen: str, bus: str) -> None:
    environ = os.environ | {"DBUS_SESSION_BUS_ADDRESS": bus}
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, env=environ) as owner:
        assert owner.stdout is not None
        try:
            assert owner.stdout.readline() == b"owned\n"
            assert shown(screen, bus) == [bus, "unix:path=/dev/null"]
        finally:
            owner.kill()


def test_a_bus_that_answers_is_left_alone(screen: str, bus: str) -> None:
    assert shown(screen, bus) == [bus, "None"]


def test_one_that_is_not_there_is_left_alone(screen: str, tmp_path: Path) -> None:
    assert shown(screen, f"unix:path={tmp_path}/none") == [f"unix:path={tmp_path}/none", "None"]
