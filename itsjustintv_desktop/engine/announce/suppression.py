"""Why an event is not announced, where that can be said without asking anybody."""

from __future__ import annotations

from itsjustintv_desktop.engine.announce.broadcast_continuity import Candidate
from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.models import EventState
from itsjustintv_desktop.engine.storage.ledger import FEED, EventOutcome, EventRecord

_ANNOUNCED_BEFORE = "This stream was announced before."
_FOR_ANOTHER = "This stream was announced before, for this streamer or for another one with the same channel."


def why_already(chosen: Candidate) -> str:
    return _FOR_ANOTHER if chosen.entry else _ANNOUNCED_BEFORE


def already(chosen: Candidate) -> EventOutcome:
    """Its stream was announced before."""
    return EventOutcome(
        event_id=chosen.record.id,
        state=EventState.SUPPRESSED,
        reason="already_announced",
        explanation=why_already(chosen),
        streamer=chosen.streamer.key,
    )


def keys(chosen: Candidate) -> list[tuple[str, str, str]]:
    """What the ledger remembers the stream by, once a destination."""
    event = chosen.record.event
    return [(name, event.broadcaster_id, event.stream_id) for name in chosen.destinations or (FEED,)]


def without_announcement(record: EventRecord, streamer: Streamer | None, live: ActiveConfig) -> EventOutcome | None:
    """Why this event is none to announce; None = it is one."""
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
