"""Which events of a page are to be announced, and what ends at once: asked of the ledger, and of nobody else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from itsjustintv_desktop.engine.announce import broadcast_continuity
from itsjustintv_desktop.engine.announce.broadcast_continuity import Candidate
from itsjustintv_desktop.engine.announce.suppression import (
    ImportedStreams,
    PausedStreams,
    already,
    announced_elsewhere,
    held_back,
    keys,
    without_announcement,
)
from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, EventRecord, Ledger


class TriageResult(NamedTuple):
    """`ended` with how, `chosen` to be announced, and what those may be the second half of, by event id."""

    ended: list[tuple[EventRecord, EventOutcome]]
    chosen: list[Candidate]
    rivals: dict[int, broadcast_continuity.PreviousBroadcast]


class Triage:
    """Notes who goes live and offline on the way. Raises LedgerError."""

    def __init__(
        self,
        ledger: Ledger,
        held: PausedStreams,
        restarts: broadcast_continuity.BroadcastContinuity,
        told: ImportedStreams,
    ) -> None:
        self._ledger = ledger
        self._held = held
        self._restarts = restarts
        self._elsewhere = told

    async def sift(self, page: Sequence[EventRecord], live: ActiveConfig) -> TriageResult:
        entries = {record.id: live.matcher.entries(record.event) for record in page}
        await self._part(page, entries)
        matched = [(record, live.matcher.match(record.event, record.streamer)) for record in page]
        before = await self._restarts.note([record for record, streamer in matched if streamer is not None])
        ended: list[tuple[EventRecord, EventOutcome]] = []
        chosen: list[Candidate] = []
        for record, streamer in matched:
            settlement = without_announcement(record, streamer, live)
            if settlement is not None:
                ended.append((record, settlement))
            elif streamer is not None:
                entry = streamer.key if len(entries[record.id]) > 1 else ""
                chosen.append(Candidate(record, streamer, live.destinations_of(streamer), entry))

        def left(
            some: list[Candidate], out: Collection[int], end: Callable[[Candidate], EventOutcome]
        ) -> list[Candidate]:
            ended.extend((each.record, end(each)) for each in some if each.record.id in out)
            return [each for each in some if each.record.id not in out]

        had = await self._ledger.announced_to([key for each in chosen for key in keys(each)]) if chosen else set()
        chosen = left(chosen, {each.record.id for each in chosen if had.issuperset(keys(each))}, already)
        chosen = left(chosen, await self._held.before(chosen), lambda each: held_back(*each[:2]))
        chosen = left(chosen, await self._elsewhere.told(chosen), lambda each: announced_elsewhere(*each[:2]))
        chosen = left(
            chosen, await self._restarts.overtaken(chosen), lambda each: broadcast_continuity.too_late(*each[:2])
        )
        window = live.config.twitch.restart_window
        rivals = await self._restarts.rivals(chosen, before, window)
        halves = {event_id: rival.gap for event_id, rival in rivals.items() if rival.fate == "announced"}
        chosen = left(
            chosen, halves, lambda each: broadcast_continuity.settlement(*each[:2], halves[each.record.id], window)
        )
        return TriageResult(ended, chosen, rivals)

    async def _part(self, page: Sequence[EventRecord], entries: Mapping[int, Sequence[Streamer]]) -> None:
        """Where several streamers of the config stand for the channel, each gets an event of its own."""
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
