"""Hears of the network coming back, or being another one, by asking for the route to the internet now and then.

A UDP socket that is connected sends nothing: the system only says from which of its addresses it would. That takes
microseconds, everywhere. Qt's QNetworkInformation reports at once, but queries system services for it on the thread
of the window, without a deadline: where such a service does not answer, the window never comes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

LOOK_MS = 2000
SETTLE_MS = 1500
"""Names are found a moment after the route is there; several changes become one."""
_FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that belong to nobody (RFC 5737, RFC 3849): what leads there is the way to the internet."""
_PORT = 9


class Network(QObject):
    """`returned` is emitted once the internet is there again, or is reached another way (Wi-Fi after cable, say)."""

    returned = Signal()

    def __init__(self, parent: QObject | None = None, route: Callable[[], tuple[str, ...]] | None = None) -> None:
        """`route`: the own addresses from which the internet is reached, none without a way there."""
        super().__init__(parent)
        self._route = route or own_addresses
        self._before: tuple[str, ...] = ()
        self._soon = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._soon.timeout.connect(self.returned)
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self.look)

    def start(self) -> None:
        self._before = self._route()
        self._look.start()

    def look(self) -> None:
        now = self._route()
        if now == self._before:
            return
        self._before = now
        if now:
            self._soon.start()
        else:
            self._soon.stop()


def own_addresses() -> tuple[str, ...]:
    """Waits for nothing, and sends nothing."""
    return tuple(filter(None, (_own_address(family, far) for family, far in _FAR)))


def _own_address(family: socket.AddressFamily, far: str) -> str:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as made:
            made.setblocking(False)
            made.connect((far, _PORT))
            return str(made.getsockname()[0])
    except OSError:  # no way there, or no such protocol here
        return ""
