"""Waking up, as logind tells it on a bus of the test's own."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop.power import INTERFACE, MEMBER, PATH, SERVICE, Power
from tests.keyring_session import require_program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="logind is Linux's")

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
  <allow own="*"/></policy>
</busconfig>
"""


@pytest.fixture
def bus(tmp_path: Path, qtbot: QtBot) -> Iterator[str]:
    """The address of a bus."""
    program = require_program("dbus-daemon", "dbus")
    path, config = tmp_path / "bus", tmp_path / "bus.conf"
    config.write_text(_CONFIG.format(socket=path))
    process = subprocess.Popen([program, f"--config-file={config}", "--nofork", "--nopidfile"])
    try:
        qtbot.waitUntil(lambda: _takes_connections(path))
        yield f"unix:path={path}"
    finally:
        process.terminate()
        process.wait(10)


def _takes_connections(path: Path) -> bool:
    """The file is there before anybody listens at it."""
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect_ex(str(path)) == 0


class Logind:
    """Says what logind says."""

    def __init__(self, address: str) -> None:
        self._name = f"logind-{uuid.uuid4()}"
        self._bus = QDBusConnection.connectToBus(address, self._name)
        assert self._bus.isConnected()

    def own(self) -> None:
        assert self._bus.registerService(SERVICE)

    def say(self, sleeping: bool) -> None:
        message = QDBusMessage.createSignal(PATH, INTERFACE, MEMBER)
        message.setArguments([sleeping])
        assert self._bus.send(message)

    def leave(self) -> None:
        self._bus.unregisterService(SERVICE)
        QDBusConnection.disconnectFromBus(self._name)


@pytest.fixture
def power(bus: str) -> Iterator[Power]:
    name = f"power-{uuid.uuid4()}"
    made = Power(lambda: QDBusConnection.connectToBus(bus, name))
    yield made
    QDBusConnection.disconnectFromBus(name)


def test_a_wake_up_is_heard_and_a_falling_asleep_is_not(bus: str, power: Power, qtbot: QtBot) -> None:
    logind = Logind(bus)
    logind.own()
    power.start()
    qtbot.waitUntil(lambda: power.listening)
    heard: list[bool] = []
    power.woke.connect(lambda: heard.append(True))
    with qtbot.waitSignal(power.woke):
        logind.say(True)
        logind.say(False)
    with qtbot.waitSignal(power.woke):
        logind.say(False)
    assert len(heard) == 2, "one for each waking, none for falling asleep"
    logind.leave()


def test_a_logind_that_comes_later_and_again(bus: str, power: Power, qtbot: QtBot) -> None:
    power.start()
    qtbot.waitUntil(lambda: power.listening)
    for _ in range(2):
        logind = Logind(bus)
        logind.own()
        # Whoever owns the name now is known to Qt only after the bus said so; a signal before that is not believed.
        with qtbot.waitSignal(power.woke, timeout=5000):
            again = QTimer(power, interval=20)
            again.timeout.connect(lambda to=logind: to.say(False))
            again.start()
        again.stop()
        logind.leave()


def test_another_program_is_not_believed(bus: str, power: Power, qtbot: QtBot) -> None:
    logind, stranger = Logind(bus), Logind(bus)
    logind.own()
    power.start()
    qtbot.waitUntil(lambda: power.listening)
    heard: list[bool] = []
    power.woke.connect(lambda: heard.append(True))
    stranger.say(False)
    with qtbot.waitSignal(power.woke):
        logind.say(False)
    assert heard == [True]
    logind.leave()
    stranger.leave()


def test_without_a_bus_it_costs_nothing_and_says_no_error(tmp_path: Path, qtbot: QtBot) -> None:
    ended: list[bool] = []

    def connect() -> QDBusConnection:
        made = QDBusConnection.connectToBus(f"unix:path={tmp_path}/none", f"none-{uuid.uuid4()}")
        ended.append(made.isConnected())
        return made

    power = Power(connect)
    power.start()
    qtbot.waitUntil(lambda: ended == [False])
    assert not power.listening


def test_a_bus_is_opened_by_the_thread_of_the_screen_alone(tmp_path: Path, qtbot: QtBot) -> None:
    """Opened by two threads at a time, Qt's lock and Python's wait for each other for ever."""
    opened: list[threading.Thread] = []

    def connect() -> QDBusConnection:
        opened.append(threading.current_thread())
        return QDBusConnection.connectToBus(f"unix:path={tmp_path}/none", f"none-{uuid.uuid4()}")

    power = Power(connect)
    power.start()
    qtbot.waitUntil(lambda: bool(opened))
    assert opened == [threading.main_thread()]
