"""Ledger jobs that remember the last few broadcasts of each channel: since when, last seen when, ended when.

All times here are the source's own, Unix seconds: ours plus the measured skew. A job can be repeated with the same
words, as happens after a kill, and leaves the same rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from itsjustintv_desktop.engine.storage.ledger import importing, parting
from itsjustintv_desktop.engine.storage.ledger.records import EventRecord, pad_to, placeholders

KEPT = 5
"""Broadcasts remembered of a channel."""
ECHO = 180.0
"""Seconds for which Get Streams may go on showing a stream that has ended."""
LATE_END = 60.0
"""An end told that soon after the next broadcast began is the end of the one before, if that was not told yet."""
OWN_END = 900.0
"""An end told longer than that after a broadcast ended is another's, whose beginning was never told."""
PAGE = 200


class Broadcast(NamedTuple):
    """`started_at` is when it began, or when it was first seen where the source does not say.

    `ended_at` None: it runs, or its end was never told; `seen_at` is the last sight of it.
    """

    broadcaster_id: str
    stream_id: str
    started_at: float
    seen_at: float
    ended_at: float | None

    @property
    def last_known(self) -> float:
        """Its end, or the last sight of it if the end was never told."""
        return self.seen_at if self.ended_at is None else self.ended_at


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A stream was seen at `at`: told by the source (`told`), or found by asking, which may show what is over.

    `event_id` is the event that tells of it; 0 where none does.
    """

    broadcaster_id: str
    stream_id: str
    started_at: float | None
    at: float
    told: bool = True
    event_id: int = 0


class End(msgspec.Struct, frozen=True, kw_only=True):
    """A channel went offline; it was told at `at`. `stream_id` "": which stream that was is not said."""

    broadcaster_id: str
    at: float
    stream_id: str = ""


Key = tuple[str, str, str]
"""Broadcaster, stream, and the streamer it is about where several stand for the channel (else "")."""


class BroadcastStream(NamedTuple):
    """What to look up, and where it would be announced to (destinations, or FEED). `entry`: as in Key."""

    broadcaster_id: str
    stream_id: str
    destinations: tuple[str, ...]
    entry: str = ""


_COLUMNS = "broadcaster_id, stream_id, started_at, seen_at, ended_at"


def of_channel(connection: sqlite3.Connection, broadcaster_id: str) -> list[Broadcast]:
    """What is remembered of a channel, the newest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM broadcasts WHERE broadcaster_id = ? "  # noqa: S608
        "ORDER BY started_at DESC, stream_id DESC",
        (broadcaster_id,),
    )
    return [Broadcast(*row) for row in rows.fetchall()]


def note(connection: sqlite3.Connection, words: Sequence[Sight | End]) -> list[Broadcast | None]:
    """Note them in order. For each sight: the channel's broadcast before that one, if any is remembered."""
    found: list[Broadcast | None] = []
    for word in words:
        if isinstance(word, Sight):
            found.append(see(connection, word))
        else:
            end(connection, word)
            found.append(None)
    return found


def see(connection: sqlite3.Connection, sight: Sight) -> Broadcast | None:
    """Note one sight; the channel's broadcast before that one."""
    rows = of_channel(connection, sight.broadcaster_id)
    known = next((row for row in rows if row.stream_id == sight.stream_id), None)
    if known is None:
        # A start in the future would stay the newest for ever.
        started_at = sight.at if sight.started_at is None else min(sight.started_at, sight.at)
        known = Broadcast(sight.broadcaster_id, sight.stream_id, started_at, sight.at, None)
        connection.execute(f"INSERT INTO broadcasts({_COLUMNS}) VALUES (?,?,?,?,?)", known)  # noqa: S608
        _date(connection, sight)
        _forget(connection, sorted([*rows, known], key=_age, reverse=True))
    else:
        _date(connection, sight)
        if known is rows[0]:
            _see_again(connection, known, sight)
    return next((row for row in rows if _age(row) < _age(known)), None)


def all_overtaken(connection: sqlite3.Connection, events: Sequence[EventRecord]) -> set[int]:
    """Ids of those that are `overtaken`."""
    return {event.id for event in events if overtaken(connection, event)}


def overtaken(connection: sqlite3.Connection, event: EventRecord) -> bool:
    """Whether a stream of the channel that began later was known already when this event came.

    By the order in which they came, and not by what is known now: after a kill the answer is the same.
    """
    told, came = event.event, event.id
    if event.streamer is not None and told.message_id is not None:
        came = parting.events_of_message(connection, told.source, told.message_id)[0].id
    row = connection.execute(
        "SELECT 1 FROM broadcasts "
        "WHERE broadcaster_id = ? AND stream_id != ? AND started_at > ? AND known_at_event < ?",
        (told.broadcaster_id, told.stream_id, told.started_at, came),
    ).fetchone()
    return row is not None


def end(connection: sqlite3.Connection, word: End) -> None:
    """Note that a stream ended, or where it has no name, whatever ran at that moment."""
    rows = of_channel(connection, word.broadcaster_id)
    if word.stream_id:
        index = next((number for number, row in enumerate(rows) if row.stream_id == word.stream_id), None)
        if index is not None:
            _end_at(connection, rows, index, word.at)
        return
    index = next((number for number, row in enumerate(rows) if row.started_at <= word.at), None)
    if index is None:
        return
    row = rows[index]
    older = rows[index + 1] if index + 1 < len(rows) else None
    if older and word.at < row.started_at + LATE_END and older.ended_at in {None, row.started_at}:
        _set(connection, older, older.seen_at, row.started_at)
        return
    if row.ended_at is not None and word.at > row.ended_at + OWN_END:
        return
    _end_at(connection, rows, index, word.at)


def _end_at(connection: sqlite3.Connection, rows: Sequence[Broadcast], index: int, at: float) -> None:
    """Not later than the one after it began, and not before it was last seen."""
    row = rows[index]
    if index:
        at = min(at, rows[index - 1].started_at)
    if at >= row.seen_at and at > (row.ended_at or 0.0):
        _set(connection, row, row.seen_at, at)


def close(connection: sqlite3.Connection, row: Broadcast) -> None:
    """It is no longer seen: its end is somewhere after the last sight, which is kept for it."""
    _set(connection, row, row.seen_at, row.seen_at)


def running(connection: sqlite3.Connection, broadcaster_ids: Sequence[str]) -> list[Broadcast]:
    """The broadcast that each of these channels (at most PAGE) has now, as far as is known."""
    among = pad_to(broadcaster_ids)
    return _running(connection, f"b.broadcaster_id IN ({placeholders(len(among))})", among)


def all_running(connection: sqlite3.Connection, after: str = "", limit: int = PAGE) -> list[Broadcast]:
    """Everything that is live, one page (at most PAGE) by broadcaster id above `after`."""
    return _running(connection, "b.broadcaster_id > ?", (after,), f"LIMIT {min(limit, PAGE)}")


def fates(connection: sqlite3.Connection, streams: Sequence[BroadcastStream]) -> list[str]:
    """For each: "announced" (itself, or taken for the same broadcast as one that was), "paused" (held back),
    "accepted" (still in work), or "" (none of it)."""
    working = in_work(connection) if streams else {}
    return [_fate(connection, stream, working) for stream in streams]


def continuation(connection: sqlite3.Connection, broadcaster_id: str, stream_id: str) -> str:
    """The stream that this one goes on as, where those after it were taken for the same broadcast; else itself."""
    rows = of_channel(connection, broadcaster_id)
    ids = [row.stream_id for row in rows]
    for later in reversed(ids[: ids.index(stream_id)] if stream_id in ids else []):
        if all(reason != "restarted" for _, reason in settled_events(connection, broadcaster_id, later)):
            break
        stream_id = later
    return stream_id


def told_over(connection: sqlite3.Connection, broadcaster_id: str, stream_id: str) -> bool:
    """Whether the end of this stream was told: one that was only no longer seen ends with its last sight (`close`)."""
    row = next((row for row in of_channel(connection, broadcaster_id) if row.stream_id == stream_id), None)
    return row is not None and row.ended_at is not None and row.ended_at > row.seen_at


def is_half(connection: sqlite3.Connection, broadcaster_id: str, stream_id: str, entry: str = "") -> bool:
    """Whether this stream was taken for the second half of a broadcast before, and nobody sent it anyway."""
    events = settled_events(connection, broadcaster_id, stream_id, entry)
    return any(reason == "restarted" for _, reason in events) and all(state != "announced" for state, _ in events)


def held_back(connection: sqlite3.Connection, streams: Sequence[Key]) -> set[Key]:
    """Those of `streams` that a pause held back and nobody sent anyway."""
    held = set()
    for stream in set(streams):
        events = settled_events(connection, *stream)
        if any(reason == "paused" for _, reason in events) and all(state != "announced" for state, _ in events):
            held.add(stream)
    return held


def settled_events(
    connection: sqlite3.Connection, broadcaster_id: str, stream_id: str, entry: str = ""
) -> list[tuple[str, str]]:
    """State and reason ("" = none) of every event that this stream began and that found its end, oldest first.

    With an `entry` those of that streamer alone.
    """
    rows = connection.execute(
        "SELECT state, coalesce(reason, '') FROM events INDEXED BY events_stream WHERE state != 'accepted' "
        "AND kind = 'stream.online' AND broadcaster_id = ? AND stream_id = ? AND NOT test "
        "AND (? = '' OR streamer = ?) ORDER BY id",
        (broadcaster_id, stream_id, entry, entry),
    )
    return rows.fetchall()


Working = dict[tuple[str, str], set[str]]
"""By broadcaster and stream: the entries (as in Key) that something is in work for."""


def in_work(connection: sqlite3.Connection) -> Working:
    """The events still in work that began a stream: mostly a handful.

    They are in no index by stream, which accepting would have to write: ask once for many streams.
    """
    rows = connection.execute(
        "SELECT broadcaster_id, stream_id, coalesce(streamer, '') FROM events INDEXED BY events_todo "
        "WHERE state = 'accepted' AND kind = 'stream.online' AND NOT test"
    )
    working: Working = {}
    for broadcaster_id, stream_id, entry in rows:
        working.setdefault((broadcaster_id, stream_id), set()).add(entry)
    return working


def works_on(working: Working, broadcaster_id: str, stream_id: str, entry: str) -> bool:
    """Whether one of those `in_work` is this stream's, for that entry or for all."""
    entries = working.get((broadcaster_id, stream_id), set())
    return bool(entries) if not entry else not entries.isdisjoint({entry, ""})


def _fate(connection: sqlite3.Connection, stream: BroadcastStream, working: Working) -> str:
    events = settled_events(connection, stream.broadcaster_id, stream.stream_id, stream.entry)
    if any(state == "announced" or reason in {"restarted", "already_announced"} for state, reason in events):
        return "announced"
    once = connection.execute(
        f"SELECT 1 FROM once WHERE destination IN ({','.join('?' * len(stream.destinations))}) "  # noqa: S608
        "AND broadcaster_id = ? AND stream_id = ? LIMIT 1",
        (*stream.destinations, stream.broadcaster_id, stream.stream_id),
    ).fetchone()
    if once is not None:
        return "announced"
    if any(reason == "paused" for _, reason in events):
        return "paused"
    if works_on(working, stream.broadcaster_id, stream.stream_id, stream.entry):
        return "accepted"
    began = connection.execute(
        "SELECT started_at FROM broadcasts WHERE broadcaster_id = ? AND stream_id = ?",
        (stream.broadcaster_id, stream.stream_id),
    ).fetchone()
    told = began is not None and importing.was_told(connection, stream.broadcaster_id, stream.stream_id, began[0])
    return "announced" if told else ""


def _date(connection: sqlite3.Connection, sight: Sight) -> None:
    """From when on it is known when the broadcast began, as the source says it: once, and for good."""
    if sight.started_at is None:
        return
    began = min(sight.started_at, sight.at)
    connection.execute(
        "UPDATE broadcasts SET started_at = ?, known_at_event = "
        "coalesce(nullif(?, 0), (SELECT max(id) FROM events), 0) "
        "WHERE broadcaster_id = ? AND stream_id = ? AND known_at_event IS NULL",
        (began, sight.event_id, sight.broadcaster_id, sight.stream_id),
    )


def _see_again(connection: sqlite3.Connection, known: Broadcast, sight: Sight) -> None:
    if known.ended_at is None:
        if sight.at > known.seen_at:
            _set(connection, known, sight.at, None)
    elif sight.at > known.ended_at + (0.0 if sight.told else ECHO):
        _set(connection, known, sight.at, None)  # it goes on: the end was a gap, or was wrong


def _set(connection: sqlite3.Connection, row: Broadcast, seen_at: float, ended_at: float | None) -> None:
    connection.execute(
        "UPDATE broadcasts SET seen_at = ?, ended_at = ? WHERE broadcaster_id = ? AND stream_id = ?",
        (seen_at, ended_at, row.broadcaster_id, row.stream_id),
    )


def _forget(connection: sqlite3.Connection, rows: Sequence[Broadcast]) -> None:
    for row in rows[KEPT:]:
        connection.execute(
            "DELETE FROM broadcasts WHERE broadcaster_id = ? AND stream_id = ?", (row.broadcaster_id, row.stream_id)
        )


def _running(
    connection: sqlite3.Connection, where: str, parameters: tuple[str, ...], limit: str = ""
) -> list[Broadcast]:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM broadcasts AS b WHERE {where} AND ended_at IS NULL AND NOT EXISTS ("  # noqa: S608
        "SELECT 1 FROM broadcasts AS n WHERE n.broadcaster_id = b.broadcaster_id "
        f"AND (n.started_at, n.stream_id) > (b.started_at, b.stream_id)) ORDER BY b.broadcaster_id {limit}",
        parameters,
    )
    return [Broadcast(*row) for row in rows.fetchall()]


def _age(row: Broadcast) -> tuple[float, str]:
    return row.started_at, row.stream_id
