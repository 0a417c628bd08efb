"""Hears of the machine waking up, from logind.

Qt has no signal for it: applicationStateChanged is about windows, and on Windows and macOS the native messages would
cost a call into Python for each event of the whole program. There, and without logind, the engine's own look at the
clocks (engine/core/sleep_detector.py, every 15 s) notices it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from PySide6.QtCore import SLOT, QObject, QTimer, Signal, Slot

from itsjustintv_desktop.desktop import bus

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection

SERVICE = "org.freedesktop.login1"
PATH = "/org/freedesktop/login1"
INTERFACE = "org.freedesktop.login1.Manager"
MEMBER = "PrepareForSleep"

_log = structlog.get_logger(__name__)


class Power(QObject):
    """`woke` is emitted after the machine woke up, on the thread that made this."""

    woke = Signal()

    def __init__(self, connect: Callable[[], QDBusConnection] | None = None, parent: QObject | None = None) -> None:
        """`connect` opens the bus; without it that is the system's bus, on Linux."""
        super().__init__(parent)
        self._connect = connect
        self.listening = False
        """Whether logind would be heard."""

    def start(self) -> None:
        """Begin to listen, at a turn of the screen's loop, once the bus answers.

        Not in a thread: QtDBus keeps Python's lock while it opens a bus. If the screen's thread opens one at that
        moment, too (Qt does so for the network), each waits for what the other holds, and the program hangs.
        """
        if self._connect is not None:
            QTimer.singleShot(0, self, self._listen)
        elif sys.platform == "linux":
            bus.once_it_answers(bus.system_bus(), self, self._listen, self._stay_deaf)

    def _stay_deaf(self) -> None:
        _log.info("wake-ups are noticed by the clock alone", reason="the system's bus does not answer")

    def _listen(self) -> None:
        try:
            from PySide6.QtDBus import QDBusConnection  # loaded only here: elsewhere it would cost for nothing
        except ImportError as error:  # libdbus is not on this machine
            _log.info("wake-ups are noticed by the clock alone", reason=str(error))
            return
        opened = self._connect() if self._connect is not None else QDBusConnection.systemBus()
        slot: Any = SLOT("prepare(bool)")  # it wants a str, whatever its types say
        if not opened.isConnected() or not opened.connect(SERVICE, PATH, INTERFACE, MEMBER, self, slot):
            _log.info("wake-ups are noticed by the clock alone", reason=opened.lastError().message() or "no logind")
            return
        self.listening = True

    @Slot(bool)
    def prepare(self, sleeping: bool) -> None:
        """logind's signal: True just before the machine sleeps, False once it woke."""
        if not sleeping:
            self.woke.emit()
