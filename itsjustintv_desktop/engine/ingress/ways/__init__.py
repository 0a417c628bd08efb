"""How Twitch reaches us: one small interface, and one room for each way."""

from itsjustintv_desktop.engine.ingress.ways.base import BaseWay, Conduit, Target, Way, Webhook
from itsjustintv_desktop.engine.ingress.ways.choose import WayKind, way_kind
from itsjustintv_desktop.engine.ingress.ways.status import WayState, WayStatus

__all__ = ["BaseWay", "Conduit", "Target", "Way", "WayKind", "WayState", "WayStatus", "Webhook", "way_kind"]
