"""One window a data directory: a second start brings the first to the front and ends."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

WAIT_MS = 1500
_SHOW = b"show\n"


class SingleInstance(QObject):
    """`asked` is emitted when a second start wants the window in front."""

    asked = Signal()

    def __init__(self, data: Path) -> None:
        super().__init__()
        self._name = "itsjustintv-desktop-" + hashlib.sha256(str(data).encode()).hexdigest()[:16]
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._heard)

    def claim(self) -> bool:
        """True: this is the first one. False: there is another, and it was asked to come to the front."""
        if self._ask_the_other():
            return False
        QLocalServer.removeServer(self._name)  # left behind by one that was killed
        return self._server.listen(self._name) or not self._ask_the_other()

    def release(self) -> None:
        self._server.close()

    def _ask_the_other(self) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(WAIT_MS):
            return False
        socket.write(_SHOW)
        socket.flush()
        socket.waitForBytesWritten(WAIT_MS)
        socket.disconnectFromServer()
        return True

    def _heard(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            socket.disconnected.connect(socket.deleteLater)
        self.asked.emit()
