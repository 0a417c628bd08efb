"""A stream as Get Streams shows it, in our own terms."""

from __future__ import annotations

from itsjustintv_desktop.engine.core.clock import parse_rfc3339
from itsjustintv_desktop.engine.core.models import SOURCE, STREAM_ONLINE, LiveStream, StreamEvent
from itsjustintv_desktop.engine.twitch.helix import Stream


def event_of(stream: Stream, now: float) -> StreamEvent:
    """The event it would make at `now` (our clock, Unix seconds)."""
    return StreamEvent(
        source=SOURCE,
        kind=STREAM_ONLINE,
        message_id=None,
        received_at=now,
        broadcaster_id=stream.user_id,
        broadcaster_login=stream.user_login,
        broadcaster_name=stream.user_name,
        stream_id=stream.id,
        started_at=_started_at(stream),
        detail="" if stream.is_live else stream.type,
    )


def live_stream_of(stream: Stream) -> LiveStream:
    return LiveStream(
        broadcaster_id=stream.user_id,
        stream_id=stream.id,
        login=stream.user_login,
        name=stream.user_name,
        started_at=_started_at(stream),
        title=stream.title or "",
        category=stream.game_name or "",
        viewer_count=stream.viewer_count,
    )


def _started_at(stream: Stream) -> float | None:
    try:
        return parse_rfc3339(stream.started_at)
    except ValueError:
        return None
