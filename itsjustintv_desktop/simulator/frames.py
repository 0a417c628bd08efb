"""The text messages of an EventSub WebSocket.

https://dev.twitch.tv/docs/eventsub/websocket-reference/
"""

from __future__ import annotations

import uuid
from typing import Any

from itsjustintv_desktop.simulator import answers
from itsjustintv_desktop.simulator.messages import Sent

WELCOME = "session_welcome"
KEEPALIVE = "session_keepalive"
RECONNECT = "session_reconnect"


def session(kind: str, timestamp: str, details: dict[str, Any] | None = None) -> str:
    """A message about the session itself; `details` are its payload's `session` (a keepalive has none)."""
    metadata = {"message_id": str(uuid.uuid4()), "message_type": kind, "message_timestamp": timestamp}
    return answers.body({"metadata": metadata, "payload": {} if details is None else {"session": details}}).decode()


def wrapped(sent: Sent) -> str:
    """A notification or revocation: what a callback gets as headers and body, as one frame.

    The body goes in as it is, so that one which is no JSON makes a frame which is none either.
    """
    metadata = {
        "message_id": sent.message_id,
        "message_type": sent.kind,
        "message_timestamp": sent.timestamp,
    }
    if sent.subscription is not None:
        metadata["subscription_type"] = sent.subscription.type
        metadata["subscription_version"] = sent.subscription.version
    return f'{{"metadata":{answers.body(metadata).decode()},"payload":{sent.body.decode(errors="replace")}}}'
