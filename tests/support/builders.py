"""What most tests need one of: each is valid as it stands, and says what a test is about by what it changes."""

from __future__ import annotations

from itertools import count
from typing import Any

from itsjustintv_desktop.engine.config.schema import Config, Destination, Streamer, Twitch
from itsjustintv_desktop.engine.core.models import StreamEvent
from tests.support.clock import START

ALICE = Streamer(key="alice", user_id="100", login="alice", destinations=("main",))

_number = count(1)


def make_event(**details: Any) -> StreamEvent:
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


def make_destination(name: str = "main", **details: Any) -> Destination:
    return Destination(**{"name": name, "url": f"https://{name}.example/hook", **details})


def make_config(
    *streamers: Streamer, destinations: tuple[Destination, ...] = (make_destination(),), **tables: Any
) -> Config:
    """A config with these streamers (alice when none is given), whose destinations exist.

    Every stream is a broadcast of its own, however soon it follows another, unless `tables` say otherwise.
    """
    tables.setdefault("twitch", Twitch(restart_window=0.0))
    return Config(
        streamers={each.key: each for each in streamers or (ALICE,)},
        destinations={each.name: each for each in destinations},
        **tables,
    )
