"""Twitch's messages over a WebSocket that we open: no address, no port and no tunnel is needed."""

from itsjustintv_desktop.engine.ingress.conduit.manage import ConduitManager
from itsjustintv_desktop.engine.ingress.conduit.ours import MetaStore
from itsjustintv_desktop.engine.ingress.conduit.way import ConduitWay

__all__ = ["ConduitManager", "ConduitWay", "MetaStore"]
