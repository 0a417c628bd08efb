"""Stream events to feed a ledger with."""

from __future__ import annotations

from itertools import count
from typing import Any

from itsjustintv_desktop.engine.core.models import StreamEvent
from tests.support.clock import START

_number = count(1)


def online(**details: Any) -> StreamEvent:
    """A stream.online of alice (id 100), a new message about a new stream unless `details` say otherwise."""
    number = next(_number)
    values: dict[str, Any] = {
        "source": "twitch",
        "kind": "stream.online",
        "message_id": f"message-{number}",
        "received_at": START,
        "broadcaster_id": "100",
        "broadcaster_login": "alice",
        "broadcaster_name": "Alice",
        "stream_id": f"stream-{number}",
        "started_at": START - 5,
    }
    return StreamEvent(**{**values, **details})
