"""What becomes of a stream that was found by asking. Nothing here waits, and nothing changes."""

from __future__ import annotations

import msgspec

from itsjustintv_desktop.engine.announce.pause import REASON as PAUSED
from itsjustintv_desktop.engine.announce.pause import WHY_PAUSED
from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.durations import render
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.tags import passes
from itsjustintv_desktop.engine.storage.ledger.catching import Action, Decision, Known

GRACE = 120.0
"""Seconds a message of Twitch's may take: a stream that may not be announced by asking is not missed before."""
TRIES = 5
"""Most entries that one stream gets because its tags could not be had."""

_NOTHING = Decision(Action.NOTHING)


class Circumstances(msgspec.Struct, frozen=True):
    """What the answer of the filters hangs on. The same ones are not tried twice."""

    streamer: Streamer
    tags: tuple[str, ...]
    """The stream's own."""
    destinations: tuple[str, ...]

    @property
    def passes(self) -> bool:
        return passes(self.streamer.tag_filter, self.tags)


def decide(
    event: StreamEvent,
    known: Known,
    around: Circumstances,
    *,
    live: ActiveConfig,
    tried: bool,
    now: float,
    paused: bool = False,
) -> Decision:
    """What to do with a stream that runs.

    `now` is Twitch's time, Unix seconds. `tried`: it was handed in again before under these very circumstances.
    `paused`: it began while announcements were paused, so it is not announced when they are made again.
    """
    streamer = around.streamer
    # An event that was only noted came when nobody watched the channel: nothing was decided about the stream.
    known = known._replace(events=tuple(each for each in known.events if each[0] != "noted"))
    if known.announced or not streamer.enabled:
        return _NOTHING
    if event.detail:  # no live stream: it is treated like one that an event tells of
        return _NOTHING if known.events else Decision(Action.SUBMIT, streamer.key)
    if known.events and ((tried and not _had_no_luck(known)) or not _may_differ(known, around, live)):
        return _NOTHING
    longest = live.config.twitch.catch_up_max_age
    age = None if event.started_at is None else now - event.started_at
    if known.begun_anew is not None and not known.events and (event.started_at or 0.0) <= known.begun_anew:
        return Decision(Action.LIST, streamer.key, "missed", _WHY_UNKNOWN)
    if paused and around.passes:
        if not known.events and age is not None and age <= GRACE:
            return Decision(Action.LATER)  # Twitch's own message may be on its way, and makes an entry with details
        return Decision(Action.LIST, streamer.key, PAUSED, WHY_PAUSED)
    if longest > 0 and age is not None and age <= longest:
        return Decision(Action.SUBMIT, streamer.key)
    if known.events:
        return _NOTHING  # it has its entry, with "send anyway"
    if age is not None and age <= GRACE:
        return Decision(Action.LATER)
    if not around.passes:
        why = f"None of its tags is in the filter ({', '.join(streamer.tag_filter)})."
        return Decision(Action.LIST, streamer.key, "filtered", why)
    return Decision(Action.LIST, streamer.key, "missed", _why_missed(age, longest))


_WHY_UNKNOWN = (
    "It began before the ledger was damaged and begun anew, so it is not known whether it was announced. "
    'If it was not, use "send anyway".'
)


def _had_no_luck(known: Known) -> bool:
    """Whether it hung on Twitch's answers, which may come the next time; not without an end."""
    return known.events[-1][1] == "tags_unknown" and len(known.events) < TRIES


def _may_differ(known: Known, around: Circumstances, live: ActiveConfig) -> bool:
    """Whether what kept the stream from being announced is different now."""
    if any(state != "suppressed" for state, _ in known.events):
        return False  # announced, or in work
    reasons = {"filtered", "tags_unknown", "streamer_disabled", "destinations_disabled"}
    return known.events[-1][1] in reasons and around.passes and not live.has_only_disabled_destinations(around.streamer)


def _why_missed(age: float | None, longest: float) -> str:
    if age is None:
        return "Twitch does not say when it began, so it was not announced by itself."
    ago = _ago(age)
    if longest <= 0:
        return (
            f"It was found by asking, {ago} after it began, and [twitch] catch_up_max_age is 0s: such streams are "
            "listed, not announced."
        )
    return f"It began {ago} before it could be seen, longer than [twitch] catch_up_max_age ({render(longest)})."


def _ago(seconds: float) -> str:
    minutes = max(round(seconds / 60), 1)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
