"""The shards of a conduit: where its messages go, and how each one is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ShardStatus(StrEnum):
    """https://dev.twitch.tv/docs/api/reference/#get-conduit-shards"""

    ENABLED = "enabled"
    PENDING = "webhook_callback_verification_pending"
    VERIFICATION_FAILED = "webhook_callback_verification_failed"
    FAILURES_EXCEEDED = "notification_failures_exceeded"
    DISCONNECTED = "websocket_disconnected"
    FAILED_PING_PONG = "websocket_failed_ping_pong"
    INBOUND_TRAFFIC = "websocket_received_inbound_traffic"
    INTERNAL_ERROR = "websocket_internal_error"
    NETWORK_TIMEOUT = "websocket_network_timeout"
    NETWORK_ERROR = "websocket_network_error"
    FAILED_TO_RECONNECT = "websocket_failed_to_reconnect"


@dataclass(slots=True)
class Shard:
    """A shard that was given a transport: a `callback` with its `secret`, or a WebSocket session by its id.

    The stamps are RFC 3339. `failures` counts notifications its callback did not take, in a row.
    """

    id: str
    status: ShardStatus
    callback: str = ""
    secret: str = field(default="", repr=False)
    session_id: str = ""
    connected_at: str = ""
    disconnected_at: str = ""
    failures: int = 0

    def public(self) -> dict[str, object]:
        """The object as Twitch shows it, without the secret."""
        if self.callback:
            transport = {"method": "webhook", "callback": self.callback}
        else:
            transport = {"method": "websocket", "session_id": self.session_id, "connected_at": self.connected_at}
            if self.disconnected_at:
                transport["disconnected_at"] = self.disconnected_at
        return {"id": self.id, "status": self.status.value, "transport": transport}
