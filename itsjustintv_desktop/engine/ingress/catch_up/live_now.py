"""Who is live now: by what Twitch tells, and by what it answers; and a stream of Get Streams in our own terms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from itsjustintv_desktop.engine.core.clock import parse_rfc3339
from itsjustintv_desktop.engine.core.events import Bus, LiveChanged
from itsjustintv_desktop.engine.core.models import SOURCE, STREAM_ONLINE, LiveStream, StreamEvent
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Broadcast
from itsjustintv_desktop.engine.twitch.helix import Stream


class LiveNow:
    """`streams` by user id. Changes of who is live are published by `tell`, those of titles and viewers are not."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.streams: dict[str, LiveStream] = {}
        self._told: dict[str, LiveStream] = {}

    def heard(self, event: StreamEvent) -> None:
        """Twitch told that a watched channel went live or offline."""
        key = event.broadcaster_id
        known = self.streams.get(key)
        if event.kind != "stream.online":
            if known is not None and event.stream_id in {"", known.stream_id}:
                del self.streams[key]
                self._publish((), (key,))
        elif known is None or known.stream_id != event.stream_id:
            self.streams[key] = _of_event(event)
            self._publish((self.streams[key],), ())

    def learn(self, asked: Sequence[str], live: Sequence[Broadcast], shown: Mapping[str, LiveStream]) -> None:
        """The outcome of one question: who of `asked` is live, and what Twitch showed of them."""
        running = {row.broadcaster_id: row for row in live}
        for user_id in asked:
            row = running.get(user_id)
            if row is None:
                self.streams.pop(user_id, None)
                continue
            for known in (shown.get(user_id), self.streams.get(user_id)):
                if known is not None and known.stream_id == row.stream_id:
                    self.streams[user_id] = known
                    break
            else:
                self.streams[user_id] = LiveStream(
                    broadcaster_id=user_id, stream_id=row.stream_id, started_at=row.started_at
                )

    def keep_only(self, watched: Collection[str]) -> None:
        """Forget channels that are no longer watched."""
        for user_id in self.streams.keys() - set(watched):
            del self.streams[user_id]

    def tell(self) -> None:
        """Publish what changed since the last time, if anything did."""
        before, now = self._told, self.streams
        began = tuple(
            stream for key, stream in now.items() if key not in before or before[key].stream_id != stream.stream_id
        )
        ended = tuple(key for key in before if key not in now)
        if began or ended:
            self._publish(began, ended)

    def _publish(self, began: tuple[LiveStream, ...], ended: tuple[str, ...]) -> None:
        """Hundreds may go live in one second, so only what changed is touched."""
        self._told.update((stream.broadcaster_id, stream) for stream in began)
        for key in ended:
            self._told.pop(key, None)
        self._bus.publish(LiveChanged(began=began, ended=ended, count=len(self.streams)))


def _of_event(event: StreamEvent) -> LiveStream:
    return LiveStream(
        broadcaster_id=event.broadcaster_id,
        stream_id=event.stream_id,
        login=event.broadcaster_login,
        name=event.broadcaster_name,
        started_at=event.started_at,
    )


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
