"""Whether a D-Bus answers, before Qt opens it: Qt waits for that on the thread of the window, however long it takes."""

from __future__ import annotations

import os
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtNetwork import QLocalSocket

DEADLINE_MS = 3000
_SYSTEM = "unix:path=/var/run/dbus/system_bus_socket"
_PATH = "unix:path="


def system_bus() -> str:
    return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _SYSTEM)


def session_bus() -> str:
    return os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")


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
