"""Streams that the Go service announced before this program took over from it: nobody is told of them twice."""

from __future__ import annotations

from collections.abc import Sequence

from itsjustintv_desktop.engine.announce.broadcast_continuity import Candidate
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, EventRecord, Ledger
from itsjustintv_desktop.engine.storage.ledger.importing import key_of


class ImportedStreams:
    """Looks events up among the imported ones. Costs one question at the start where nothing was ever imported."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._anything: bool | None = None

    async def told(self, chosen: Sequence[Candidate]) -> set[int]:
        """Ids of those events whose stream was announced elsewhere. Raises LedgerError."""
        if self._anything is None:
            self._anything = await self._ledger.has_told()  # no import happens while the program runs
        if not self._anything or not chosen:
            return set()
        keys = {
            record.id: key_of(record.event.broadcaster_id, record.event.stream_id, record.event.started_at)
            for record, _, _, _ in chosen
            if not record.event.test
        }
        found = await self._ledger.told([key for key in keys.values() if key is not None])
        return {event_id for event_id, key in keys.items() if key in found}


def settlement(record: EventRecord, streamer: Streamer) -> EventOutcome:
    """The end of an event whose stream was announced elsewhere."""
    return EventOutcome(
        event_id=record.id,
        state=EventState.SUPPRESSED,
        reason="already_announced",
        explanation="The Go service had announced this stream before this program took over from it.",
        streamer=streamer.key,
    )
