"""Whether a D-Bus answers, before Qt opens it: Qt waits for that on the thread of the window, however long it takes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import structlog
from PySide6.QtCore import QObject, QTimer
from PySide6.QtNetwork import QLocalSocket

DEADLINE_MS = 3000
_SYSTEM = "unix:path=/var/run/dbus/system_bus_socket"
_PATH = "unix:path="
_NO_BUS = "unix:path=/dev/null"
"""An address at which every attempt to connect fails at once."""
_START_SECONDS = 4.0
_ACCESSIBILITY = "org.a11y.Bus"

_log = structlog.get_logger(__name__)


def system_bus() -> str:
    return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _SYSTEM)


def session_bus() -> str:
    return os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")


def avoid_what_hangs() -> None:
    """Before the QApplication: keep Qt away from a session bus, or an accessibility service on it, that hangs.

    Qt asks both while the first widget is made: the bus without a deadline, the service with 25 s a call. What does not
    answer within four seconds is replaced in the environment by an address that fails at once.
    """
    address = session_bus()
    if not address and (runtime := os.environ.get("XDG_RUNTIME_DIR")):
        address = f"{_PATH}{runtime}/bus" if Path(runtime, "bus").exists() else ""  # where libdbus looks as well
    if sys.platform != "linux" or not address:
        return
    reached: list[str] = []
    asking = threading.Thread(target=_reach, args=(address, reached), name="session bus", daemon=True)
    asking.start()
    asking.join(_START_SECONDS)
    if not asking.is_alive():
        return
    if not reached:
        _log.warning("the session's D-Bus does not answer; the window does without it until the next start")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = _NO_BUS
    else:
        _log.warning("the accessibility service does not answer; the window does without it until the next start")
    os.environ["AT_SPI_BUS_ADDRESS"] = _NO_BUS


def _reach(address: str, reached: list[str]) -> None:
    """Runs in a separate thread, however long that takes."""
    try:
        from jeepney import DBusAddress, message_bus, new_method_call
        from jeepney.io.blocking import open_dbus_connection
    except ImportError:  # it comes with keyring, and only there
        return
    try:
        with open_dbus_connection(address, auth_timeout=60.0) as bus:
            reached.append("bus")
            if bus.send_and_get_reply(message_bus.NameHasOwner(_ACCESSIBILITY)).body == (True,):
                peer = DBusAddress("/org/a11y/bus", _ACCESSIBILITY, "org.freedesktop.DBus.Peer")
                bus.send_and_get_reply(new_method_call(peer, "Ping"))
    except Exception as error:  # noqa: BLE001 - one that fails at once holds nothing up
        _log.debug("the session's D-Bus cannot be used", error=type(error).__name__)


def once_it_answers(address: str, owner: QObject, then: Callable[[], object], never: Callable[[], object]) -> None:
    """Ask the bus for the first step of its handshake; `then`, or `never` if nothing came in time.

    Nothing waits for it. Only a socket with a path can be asked like this: what has another address is believed.
    """
    first = address.split(";")[0].split(",")[0]
    if not first.startswith(_PATH):
        QTimer.singleShot(0, owner, then)
        return
    asked = QLocalSocket(owner)
    deadline = QTimer(asked, singleShot=True, interval=DEADLINE_MS)

    ended = False

    def end(what: Callable[[], object]) -> None:
        nonlocal ended
        if not ended:
            ended = True
            deadline.stop()
            asked.abort()
            asked.deleteLater()
            what()

    user = str(os.getuid()).encode().hex() if hasattr(os, "getuid") else ""
    asked.connected.connect(lambda: asked.write(f"\0AUTH EXTERNAL {user}\r\n".encode()))
    asked.readyRead.connect(lambda: end(then))
    asked.errorOccurred.connect(lambda _: end(never))
    deadline.timeout.connect(lambda: end(never))
    deadline.start()
    asked.connectToServer(first.removeprefix(_PATH))
