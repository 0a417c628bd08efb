"""Whether the desktop reads markup in the body of a notification, as freedesktop.org lets it say.

Qt hands the text of a tray icon's message on as it is. Where the desktop takes "<" for the begin of a tag, it has to be
escaped, and elsewhere it must not be.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from PySide6.QtCore import QObject, QTimer, Signal

from itsjustintv_desktop.desktop import bus

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection, QDBusPendingCallWatcher

SERVICE = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
MARKUP = "body-markup"

_log = structlog.get_logger(__name__)


class Notifications(QObject):
    """`reads_markup` is assumed on Linux until the desktop says otherwise: an "&amp;" too many does no harm."""

    answered = Signal()

    def __init__(self, connect: Callable[[], QDBusConnection] | None = None, parent: QObject | None = None) -> None:
        """`connect` opens the bus; without it that is the session's bus, on Linux."""
        super().__init__(parent)
        self._connect = connect
        self._asking: QDBusPendingCallWatcher | None = None
        self.reads_markup = connect is not None or sys.platform == "linux"

    def start(self) -> None:
        """Ask, at a turn of the screen's loop (see desktop/power.py), once the bus answers."""
        if self._connect is not None:
            QTimer.singleShot(0, self, self._ask)
        elif self.reads_markup:
            bus.once_it_answers(bus.session_bus(), self, self._ask, self._leave_it)

    def _leave_it(self) -> None:
        _log.info("the desktop cannot be asked about notifications", reason="the session's bus does not answer")

    def _ask(self) -> None:
        try:
            from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher
        except ImportError as error:  # libdbus is not on this machine
            _log.info("the desktop cannot be asked about notifications", reason=str(error))
            return
        opened = self._connect() if self._connect is not None else QDBusConnection.sessionBus()
        if opened.isConnected():
            call = opened.asyncCall(QDBusMessage.createMethodCall(SERVICE, PATH, SERVICE, "GetCapabilities"))
            self._asking = QDBusPendingCallWatcher(call, self)
            self._asking.finished.connect(self._answered)

    def _answered(self, asked: QDBusPendingCallWatcher) -> None:
        said = asked.reply().arguments()
        if not asked.isError() and said:
            self.reads_markup = MARKUP in said[0]
        self._asking = None
        self.answered.emit()
