"""Hears of the network coming back, or being another one, from Qt's QNetworkInformation."""

from __future__ import annotations

import structlog
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QNetworkInformation

SETTLE_MS = 1500
"""Names are found and routes are set a moment after the link is there; several changes become one."""

_Reach = QNetworkInformation.Reachability
_log = structlog.get_logger(__name__)


class Network(QObject):
    """`returned` is emitted once the internet is there again, or is reached another way (Wi-Fi after cable, say)."""

    returned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._online = True
        self._medium: object = None
        self._soon = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._soon.timeout.connect(self.returned)

    def start(self) -> bool:
        """Begin to listen; False where this system has nothing that tells. Loads the backend."""
        if not QNetworkInformation.loadBackendByFeatures(QNetworkInformation.Feature.Reachability):
            _log.info("changes of the network are noticed by their consequences alone")
            return False
        information = QNetworkInformation.instance()
        self._online = _is_online(information.reachability())
        information.reachabilityChanged.connect(self.reach_changed)
        if information.supports(QNetworkInformation.Feature.TransportMedium):
            self._medium = information.transportMedium()
            information.transportMediumChanged.connect(self.medium_changed)
        return True

    def reach_changed(self, reach: QNetworkInformation.Reachability) -> None:
        was, self._online = self._online, _is_online(reach)
        if self._online and not was:
            self._soon.start()
        elif not self._online:
            self._soon.stop()

    def medium_changed(self, medium: QNetworkInformation.TransportMedium) -> None:
        was, self._medium = self._medium, medium
        if self._online and medium is not was and medium is not QNetworkInformation.TransportMedium.Unknown:
            self._soon.start()


def _is_online(reach: QNetworkInformation.Reachability) -> bool:
    """What is unknown counts as there: behind a proxy or a captive check that is blocked it stays so."""
    return reach in {_Reach.Online, _Reach.Unknown}
