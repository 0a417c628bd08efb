"""A stream that began while announcements were paused is not announced later, however often it is told of.

Nor is what goes on as the same broadcast after a crash (broadcast_continuity.py), if the first half still ran when
announcements were resumed: one that was over by then was a rehearsal, and what follows is the real thing. Whatever a
person sent anyway counts as announced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from itsjustintv_desktop.engine.announce.broadcast_continuity import Candidate
from itsjustintv_desktop.engine.announce.pause import REASON, WHY_PAUSED, began_under
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.models import EventState, StreamEvent
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, EventRecord, Ledger


class PausedStreams:
    """`active` tells whether announcements are paused now, `covers` whether they were at a moment (Unix seconds by our
    clock); `skew` is the source's time minus ours."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        active: Callable[[], bool],
        covers: Callable[[float], bool],
        skew: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._active = active
        self._covers = covers
        self._skew = skew

    async def before(self, chosen: Sequence[Candidate]) -> set[int]:
        """Ids of those events whose stream was held back before. Raises LedgerError."""
        keys = {each.record.id: each.stream for each in chosen if not each.record.event.test}
        if not keys:
            return set()
        held = await self._ledger.held_back(list(keys.values()))
        return {event_id for event_id, key in keys.items() if key in held}

    def was_on_at(self, at: float) -> bool:
        """Whether announcements were paused then (Unix seconds by the source's clock)."""
        return self._covers(at - self._skew())

    def covers(self, event: StreamEvent) -> bool:
        """Whether a pause holds this one back: it is on, or was when the event came or its stream began."""
        if event.test:
            return False
        began = event.started_at
        return (
            self._active()
            or self._covers(event.received_at)
            or (began is not None and began_under(self._covers, began - self._skew()))
        )


def settlement(
    record: EventRecord, streamer: Streamer, why: str = WHY_PAUSED, body: bytes | None = None
) -> EventOutcome:
    """The end of an event that is held back."""
    return EventOutcome(
        event_id=record.id,
        state=EventState.SUPPRESSED,
        reason=REASON,
        explanation=why,
        streamer=streamer.key,
        payload=body,
    )


def why_goes_on(window: float) -> str:
    """Of the second half of a broadcast whose first half was held back."""
    return (
        "Announcements were paused when the stream before began, and this one followed it within [twitch] "
        f"restart_window ({render(window)}): it is taken for the same broadcast going on. If it shall go out all the "
        'same, use "send anyway".'
    )
