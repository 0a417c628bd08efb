"""Which events are not announced, and why: nothing to announce, announced before (here or by the Go service), paused.

A stream that began while announcements were paused is not announced later, however often it is reported. Nor is what
goes on as the same broadcast after a crash (broadcast_continuity.py), if the first half still ran when announcements
were resumed: one that was over by then was a rehearsal, and what follows is the real thing. Whatever a person sent
anyway counts as announced.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from itsjustintv_desktop.engine.announce.broadcast_continuity import (
    BroadcastContinuity,
    Candidate,
    PreviousBroadcast,
    settlement,
    suppressed,
    too_late,
)
from itsjustintv_desktop.engine.announce.pause import REASON, WHY_PAUSED, began_under
from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.models import EventState, StreamEvent
from itsjustintv_desktop.engine.storage.ledger import FEED, EventOutcome, EventRecord, Ledger
from itsjustintv_desktop.engine.storage.ledger.importing import key_of

_ANNOUNCED_BEFORE = "This stream was announced before."
_FOR_ANOTHER = "This stream was announced before, for this streamer or for another one with the same channel."


def why_already(chosen: Candidate) -> str:
    return _FOR_ANOTHER if chosen.entry else _ANNOUNCED_BEFORE


def already(chosen: Candidate) -> EventOutcome:
    """Its stream was announced before."""
    return suppressed(chosen.record, chosen.streamer, "already_announced", why_already(chosen))


def keys(chosen: Candidate) -> list[tuple[str, str, str]]:
    """What the ledger remembers the stream by, once a destination."""
    event = chosen.record.event
    return [(name, event.broadcaster_id, event.stream_id) for name in chosen.destinations or (FEED,)]


def without_announcement(record: EventRecord, streamer: Streamer | None, live: ActiveConfig) -> EventOutcome | None:
    """Why this event is not announced; None = it may be."""
    event = record.event
    state = EventState.NOTED
    key = streamer.key if streamer else None
    if event.kind == "revocation":
        reason, why = "revoked", f"Twitch ended a subscription ({event.detail})."
    elif streamer is None and event.broadcaster_id:
        reason, why = "not_watched", "No streamer in the config has this channel."
    elif event.kind != "stream.online":
        reason, why = "nothing_to_announce", f"{event.kind} is noted, not announced."
    elif streamer is None:
        reason, why = "not_watched", "The event names no channel."
    elif event.detail:
        reason, why = "not_live", f"The broadcast is a {event.detail}, not a live stream."
        state = EventState.SUPPRESSED
    elif not streamer.enabled:
        reason, why = "streamer_disabled", "The streamer is switched off in the config."
        state = EventState.SUPPRESSED
    elif live.has_only_disabled_destinations(streamer):
        reason, why = "destinations_disabled", "All destinations of the streamer are switched off in the config."
        state = EventState.SUPPRESSED
    else:
        return None
    return EventOutcome(event_id=record.id, state=state, reason=reason, explanation=why, streamer=key)


class PausedStreams:
    """`active`: whether announcements are paused now; `covers`: whether they were at a moment (Unix seconds by our
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


def held_back(
    record: EventRecord, streamer: Streamer, why: str = WHY_PAUSED, body: bytes | None = None
) -> EventOutcome:
    """The end of an event that is held back."""
    return suppressed(record, streamer, REASON, why, body)


def why_goes_on(window: float) -> str:
    """Of the second half of a broadcast whose first half was held back."""
    return (
        "Announcements were paused when the stream before began, and this one followed it within [twitch] "
        f"restart_window ({render(window)}): it is taken for the same broadcast going on. If it shall go out all the "
        'same, use "send anyway".'
    )


def announced_elsewhere(record: EventRecord, streamer: Streamer) -> EventOutcome:
    """The end of an event whose stream was announced elsewhere."""
    why = "The Go service had announced this stream before this program took over from it."
    return suppressed(record, streamer, "already_announced", why)


class TriageResult(NamedTuple):
    """`ended` with how, `chosen` to be announced, and what those may be the second half of, by event id."""

    ended: list[tuple[EventRecord, EventOutcome]]
    chosen: list[Candidate]
    rivals: dict[int, PreviousBroadcast]


class Triage:
    """Notes who goes live and offline on the way. Raises LedgerError."""

    def __init__(
        self,
        ledger: Ledger,
        held: PausedStreams,
        restarts: BroadcastContinuity,
    ) -> None:
        self._ledger = ledger
        self._held = held
        self._restarts = restarts
        self._anything_imported: bool | None = None

    async def sort(self, page: Sequence[EventRecord], live: ActiveConfig) -> TriageResult:
        entries = {record.id: live.matcher.entries(record.event) for record in page}
        await self._part(page, entries)
        matched = [(record, live.matcher.match(record.event, record.streamer)) for record in page]
        before = await self._restarts.note([record for record, streamer in matched if streamer is not None])
        ended: list[tuple[EventRecord, EventOutcome]] = []
        chosen: list[Candidate] = []
        for record, streamer in matched:
            outcome = without_announcement(record, streamer, live)
            if outcome is not None:
                ended.append((record, outcome))
            elif streamer is not None:
                entry = streamer.key if len(entries[record.id]) > 1 else ""
                chosen.append(Candidate(record, streamer, live.destinations_of(streamer), entry))

        def left(
            some: list[Candidate], out: Collection[int], end: Callable[[Candidate], EventOutcome]
        ) -> list[Candidate]:
            ended.extend((each.record, end(each)) for each in some if each.record.id in out)
            return [each for each in some if each.record.id not in out]

        announced = await self._ledger.announced_to([key for each in chosen for key in keys(each)]) if chosen else set()
        chosen = left(chosen, {each.record.id for each in chosen if announced.issuperset(keys(each))}, already)
        chosen = left(chosen, await self._held.before(chosen), lambda each: held_back(*each[:2]))
        chosen = left(chosen, await self._imported(chosen), lambda each: announced_elsewhere(*each[:2]))
        chosen = left(chosen, await self._restarts.overtaken(chosen), lambda each: too_late(*each[:2]))
        window = live.config.twitch.restart_window
        rivals = await self._restarts.rivals(chosen, before, window)
        halves = {event_id: rival.gap for event_id, rival in rivals.items() if rival.fate == "announced"}
        chosen = left(chosen, halves, lambda each: settlement(*each[:2], halves[each.record.id], window))
        return TriageResult(ended, chosen, rivals)

    async def _part(self, page: Sequence[EventRecord], entries: Mapping[int, Sequence[Streamer]]) -> None:
        """Where several streamers of the config share the channel, each gets an event of its own."""
        parts = {
            record.id: [each.key for each in entries[record.id]]
            for record in page
            if len(entries[record.id]) > 1
            and record.streamer is None
            and record.event.kind == "stream.online"
            and not record.event.detail
        }
        if parts:
            await self._ledger.part(parts)

    async def _imported(self, chosen: Sequence[Candidate]) -> set[int]:
        """Ids of those events whose stream the Go service announced."""
        if self._anything_imported is None:
            self._anything_imported = await self._ledger.has_told()  # no import happens while the program runs
        if not self._anything_imported or not chosen:
            return set()
        keys = {
            record.id: key_of(record.event.broadcaster_id, record.event.stream_id, record.event.started_at)
            for record, _, _, _ in chosen
            if not record.event.test
        }
        found = await self._ledger.told([key for key in keys.values() if key is not None])
        return {event_id for event_id, key in keys.items() if key in found}
