"""How Twitch reaches us: one small interface, and one room for each way."""

from itsjustintv_desktop.engine.ingress.transports.base import BaseTransport, Conduit, Target, Transport, Webhook
from itsjustintv_desktop.engine.ingress.transports.choose import TransportKind, transport_kind
from itsjustintv_desktop.engine.ingress.transports.status import TransportState, TransportStatus

__all__ = [
    "BaseTransport",
    "Conduit",
    "Target",
    "Transport",
    "TransportKind",
    "TransportState",
    "TransportStatus",
    "Webhook",
    "transport_kind",
]
