"""The ledger's job behind catching up: what was found by asking is noted, judged and stored in one transaction.

An event found by asking has no message id, so nothing else would keep two polls, or a poll and a kill, from storing
one stream twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import EventState, StreamEvent
from itsjustintv_desktop.engine.storage.ledger import broadcasting, importing, keyed_values, parting
from itsjustintv_desktop.engine.storage.ledger.accepting import accept
from itsjustintv_desktop.engine.storage.ledger.announcing import announced_to, settle_many
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Broadcast, Sight
from itsjustintv_desktop.engine.storage.ledger.connection import BEGUN_ANEW
from itsjustintv_desktop.engine.storage.ledger.records import EventOutcome

LAG = 300.0
"""Seconds for which Get Streams may not show yet a stream that has begun."""
GAP = 60.0
"""Seconds after a sight for which not being shown means nothing."""


class Action(StrEnum):
    """What becomes of a stream that was found."""

    NOTHING = "nothing"
    SUBMIT = "submit"
    """It goes through the pipeline like any other event."""
    LIST = "list"
    """It is listed with a reason, and not announced."""
    LATER = "later"
    """It is looked at once more, soon."""


class Known(NamedTuple):
    """What the ledger knows of a stream: announced to all its destinations (or by the Go service), and what became of
    each of its events."""

    announced: bool
    events: tuple[tuple[str, str], ...]
    """State and reason of each, oldest first; ("accepted", "") at the end while one is in work."""
    begun_anew: float | None = None
    """When a damaged ledger was replaced, Unix seconds by our clock: of earlier streams nothing is known."""


class Decision(NamedTuple):
    action: Action
    streamer: str | None = None
    reason: str = ""
    explanation: str = ""
    """For LIST: as in Settlement."""


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch came to. `verdicts` has one for each stream found; `ids` its new event, None without one."""

    verdicts: tuple[Decision, ...]
    ids: tuple[int | None, ...]
    live: tuple[Broadcast, ...]
    """Who is live now of those asked for: shown, or told so lately."""


class Find(NamedTuple):
    """The event a stream found would make, the destinations (or FEED) it would go to, and the streamer that it is
    about where several stand for the channel (each has a find then); else ""."""

    event: StreamEvent
    destinations: tuple[str, ...]
    entry: str = ""


Judge = Callable[[Find, Known], Decision]
"""Called in the ledger's thread, so it only looks at what never changes."""


def catch_up(
    connection: sqlite3.Connection, asked: Sequence[str], finds: Sequence[Find], judge: Judge, at: float, now: float
) -> Caught:
    """Note what a question for at most 100 channels (`asked`) found, and store what `judge` says.

    `at` is the source's time of the answer, `now` ours, both Unix seconds. A listed stream's event is settled at once.
    """
    for event, _, _ in finds:
        if event.detail:
            continue  # a rerun and its like is no broadcast
        broadcasting.see(
            connection,
            Sight(
                broadcaster_id=event.broadcaster_id,
                stream_id=event.stream_id,
                started_at=event.started_at,
                at=at,
                told=False,
            ),
        )
    had = announced_to(
        connection, [(name, event.broadcaster_id, event.stream_id) for event, names, _ in finds for name in names]
    )
    begun = keyed_values.meta(connection, BEGUN_ANEW)
    working = broadcasting.in_work(connection) if finds else {}
    verdicts: list[Decision] = []
    ids: list[int | None] = []
    for find in finds:
        event, names, entry = find
        known = Known(
            announced=had.issuperset((name, event.broadcaster_id, event.stream_id) for name in names)
            or importing.was_told(connection, event.broadcaster_id, event.stream_id, event.started_at),
            events=_events(connection, find, working),
            begun_anew=float(begun) if begun else None,
        )
        verdict = judge(find, known)
        verdicts.append(verdict)
        ids.append(_store(connection, find, verdict, now))
        if verdict.action is Action.SUBMIT and ids[-1] is not None:
            # An answer may name a stream twice.
            working.setdefault((event.broadcaster_id, event.stream_id), set()).add(entry)
    return Caught(verdicts=tuple(verdicts), ids=tuple(ids), live=_live(connection, asked, finds, at))


def _events(connection: sqlite3.Connection, find: Find, working: broadcasting.Working) -> tuple[tuple[str, str], ...]:
    broadcaster_id, stream_id = find.event.broadcaster_id, find.event.stream_id
    settled = tuple(broadcasting.settled_events(connection, broadcaster_id, stream_id, find.entry))
    in_work = broadcasting.works_on(working, broadcaster_id, stream_id, find.entry)
    return (*settled, ("accepted", "")) if in_work else settled


def _store(connection: sqlite3.Connection, find: Find, verdict: Decision, now: float) -> int | None:
    if verdict.action not in {Action.SUBMIT, Action.LIST}:
        return None
    (stored,) = accept(connection, [find.event])
    if isinstance(stored, LedgerError):
        return None  # one that can't be kept must not keep the others from being kept
    event_id: int = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
    if find.entry:
        parting.assign(connection, event_id, find.entry)
    if verdict.action is Action.LIST:
        settlement = EventOutcome(
            event_id=event_id,
            state=EventState.SUPPRESSED,
            reason=verdict.reason,
            explanation=verdict.explanation,
            streamer=verdict.streamer,
        )
        settle_many(connection, [settlement], now)
    return event_id


def _live(
    connection: sqlite3.Connection, asked: Sequence[str], finds: Sequence[Find], at: float
) -> tuple[Broadcast, ...]:
    """The running ones; one that was not shown ended between its last sight and now: the last sight is kept."""
    shown = {(event.broadcaster_id, event.stream_id) for event, _, _ in finds if not event.detail}
    live: list[Broadcast] = []
    for row in broadcasting.running(connection, asked):
        # Far ahead of now is what a wrong clock wrote down: that is no sight either, or it would be live for a year.
        seen_lately = abs(at - row.started_at) <= LAG or abs(at - row.seen_at) <= GAP
        if seen_lately or (row.broadcaster_id, row.stream_id) in shown:
            live.append(row)
        else:
            broadcasting.close(connection, row)
    return tuple(live)
