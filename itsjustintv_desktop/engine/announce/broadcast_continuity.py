"""An encoder that crashed and came back is one broadcast to people: nobody is pinged twice for it.

Twitch gives the second half a new stream id. It is recognised by time: its start lies within `[twitch]
restart_window` of the end of a broadcast of the same channel that was announced (or was itself such a second half).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.models import SOURCE, EventState, StreamEvent
from itsjustintv_desktop.engine.storage.ledger import FEED, EventOutcome, EventRecord, Ledger
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Broadcast, BroadcastStream, End, Sight

SLACK = 600.0
"""Seconds for which a new broadcast may begin before the end of the old one was reported. More than that is a wrong
clock, and an event that is pushed does not take longer either."""
_TOLERANCE = 60.0
"""Seconds that an event may seem to arrive before what it reports has happened."""
_LOOK = 0.5
"""Seconds between the first two looks at a broadcast that is still being announced; then more, up to the next."""
_LONGEST_LOOK = 2.0
_PATIENCE = 30.0
"""How long it is waited for."""


class Candidate(NamedTuple):
    """An event that may be announced, for whom, and to which destinations (enabled ones).

    `entry` is the streamer's key where several stand for the channel: what became of the stream for the others is none
    of its business then. Else "".
    """

    record: EventRecord
    streamer: Streamer
    destinations: tuple[str, ...]
    entry: str = ""

    @property
    def stream(self) -> tuple[str, str, str]:
        return self.record.event.broadcaster_id, self.record.event.stream_id, self.entry


class PreviousBroadcast(msgspec.Struct, frozen=True):
    """The broadcast that this one may be the second half of: `gap` seconds before it. `fate` as in broadcasting.fates:
    announced, paused (held back) or accepted (not settled yet). `ended`: when it was last known to run, by Twitch's
    clock."""

    stream: BroadcastStream
    gap: float
    fate: str
    ended: float


def gap_before(event: StreamEvent, before: Broadcast, skew: float, window: float) -> float | None:
    """Seconds between two broadcasts (0 at least) if they are one by `window`; None if not, or in doubt.

    `skew` is Twitch's time minus ours. A clock that is wrong must not keep a stream from being announced.
    """
    if window <= 0:
        return None
    arrived = event.received_at + skew
    start = arrived if event.started_at is None else event.started_at
    delay = arrived - start
    if delay < -_TOLERANCE or (event.message_id is not None and delay > SLACK):
        return None
    gap = start - before.last_known
    return max(gap, 0.0) if -SLACK <= gap <= window else None


def suppressed(
    record: EventRecord, streamer: Streamer, reason: str, why: str, body: bytes | None = None
) -> EventOutcome:
    """The end of an event that is not announced; "send anyway" announces it."""
    return EventOutcome(
        event_id=record.id,
        state=EventState.SUPPRESSED,
        reason=reason,
        explanation=why,
        streamer=streamer.key,
        payload=body,
    )


def settlement(
    record: EventRecord, streamer: Streamer, gap: float, window: float, body: bytes | None = None
) -> EventOutcome:
    """The end of an event that is the second half of a broadcast."""
    why = (
        f"The stream before ended {_minutes(gap)} this one began, within [twitch] restart_window "
        f'({render(window)}): it is taken for the same broadcast going on. If it is a new one, use "send anyway".'
    )
    return suppressed(record, streamer, "restarted", why, body)


def too_late(record: EventRecord, streamer: Streamer) -> EventOutcome:
    """The end of an event that a newer stream has overtaken."""
    why = (
        "A newer stream of this channel was known before the message about this one came, so this one was over. "
        'To announce it all the same, use "send anyway".'
    )
    return suppressed(record, streamer, "overtaken", why)


class BroadcastContinuity:
    """Notes who goes live and offline, and finds what is the second half of something. All raise LedgerError."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Clock,
        skew: Callable[[], float],
        on_broadcast: Callable[[StreamEvent], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._skew = skew
        self._on_broadcast = on_broadcast

    async def note(self, events: Sequence[EventRecord]) -> dict[int, Broadcast]:
        """Note them in order. By event id: the channel's broadcast before the one that the event reports."""
        skew = self._skew()
        words = [(record, word) for record in events if (word := _word(record, skew)) is not None]
        if not words:
            return {}
        before = await self._ledger.note_broadcasts([word for _, word in words])
        for record, _ in words:
            self._on_broadcast(record.event)
        return {record.id: row for (record, _), row in zip(words, before, strict=True) if row is not None}

    async def overtaken(self, chosen: Sequence[Candidate]) -> set[int]:
        """Ids of those events that came when a newer stream of their channel was known."""
        records = [each.record for each in chosen]
        dated = [each for each in records if isinstance(_word(each, 0.0), Sight) and each.event.started_at is not None]
        return await self._ledger.overtaken(dated) if dated else set()

    async def rivals(
        self, chosen: Sequence[Candidate], before: Mapping[int, Broadcast], window: float
    ) -> dict[int, PreviousBroadcast]:
        """By event id: the broadcast that it may be the second half of, announced, being announced or held back."""
        skew = self._skew()
        near: dict[int, tuple[BroadcastStream, float, float]] = {}
        for record, _, destinations, entry in chosen:
            row = before.get(record.id)
            gap = None if row is None else gap_before(record.event, row, skew, window)
            if row is not None and gap is None and window > 0 and await self._ledger.is_half(record.event, entry):
                gap = max((record.event.started_at or row.last_known) - row.last_known, 0.0)
            if row is not None and gap is not None:
                stream = BroadcastStream(row.broadcaster_id, row.stream_id, destinations or (FEED,), entry)
                near[record.id] = (stream, gap, row.last_known)
        if not near:
            return {}
        fates = await self._ledger.broadcast_fates([stream for stream, _, _ in near.values()])
        return {
            event_id: PreviousBroadcast(stream, gap, fate, ended)
            for (event_id, (stream, gap, ended)), fate in zip(near.items(), fates, strict=True)
            if fate
        }

    async def fate(self, rival: PreviousBroadcast) -> str:
        """What became of the broadcast before; one that is in work is waited for. In doubt "": nothing to heed."""
        deadline = self._clock.monotonic() + _PATIENCE
        looks = Backoff(_LOOK, _LONGEST_LOOK)  # a thousand may wait here, and each look reads all that is in work
        while True:
            (fate,) = await self._ledger.broadcast_fates([rival.stream])
            if fate != "accepted" or self._clock.monotonic() >= deadline:
                return "" if fate == "accepted" else fate
            await self._clock.sleep(looks.next())


def _word(record: EventRecord, skew: float) -> Sight | End | None:
    """What an event says about a broadcast of Twitch's; None = nothing."""
    event = record.event
    if event.source != SOURCE or event.test or event.detail or not event.broadcaster_id:
        return None
    at = event.received_at + skew
    if event.kind == "stream.offline":
        return End(broadcaster_id=event.broadcaster_id, stream_id=event.stream_id, at=at)
    if event.kind != "stream.online" or not event.stream_id:
        return None
    return Sight(
        broadcaster_id=event.broadcaster_id,
        stream_id=event.stream_id,
        started_at=event.started_at,
        at=at,
        event_id=record.id,
    )


def _minutes(gap: float) -> str:
    if gap < 1:
        return "just when"
    return f"{gap:.0f} s before" if gap < 60 else f"{gap / 60:.0f} min before"
