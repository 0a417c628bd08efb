"""Twitch's messages over a WebSocket that we open: no address, no port and no tunnel is needed."""

from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitManager, MetaStore
from itsjustintv_desktop.engine.ingress.conduit.transport import ConduitTransport

__all__ = ["ConduitManager", "ConduitTransport", "MetaStore"]
