"""How Twitch reaches us: one small interface, and one room for each way."""

from itsjustintv_desktop.engine.ingress.transports.base import BaseTransport, Transport
from itsjustintv_desktop.engine.ingress.transports.choose import TransportKind, transport_kind
from itsjustintv_desktop.engine.ingress.transports.status import TransportState, TransportStatus

__all__ = [
    "BaseTransport",
    "Transport",
    "TransportKind",
    "TransportState",
    "TransportStatus",
    "transport_kind",
]
