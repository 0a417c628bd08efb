"""The ledger's job when the clock was set: what was written down before counts by the clock as it is now."""

from __future__ import annotations

import sqlite3

import msgspec

from itsjustintv_desktop.engine.storage.ledger import keyed_values

_KEY = "clock_frame"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The clock by which the times in the ledger were written down."""

    boot: str = ""
    """Which start of the machine it belongs to; "" where the system does not tell."""
    offset: float = 0.0
    """The wall clock minus the seconds since that start, those asleep included."""
    skew: float | None = None
    """Twitch's time minus this clock's, None while it was never compared."""
    before: float | None = None
    """The same for rows up to the ids below, which are of an earlier start of the machine."""
    events: int = 0
    deliveries: int = 0


def frame(connection: sqlite3.Connection) -> Frame | None:
    text = keyed_values.meta(connection, _KEY)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Frame)
    except (msgspec.DecodeError, UnicodeError):
        return None


def keep_frame(connection: sqlite3.Connection, kept: Frame) -> None:
    keyed_values.set_meta(connection, _KEY, msgspec.json.encode(kept).decode())


def next_boot(connection: sqlite3.Connection, kept: Frame) -> Frame:
    """Whatever is there now is of an earlier start of the machine."""
    (events,) = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()
    (deliveries,) = connection.execute("SELECT coalesce(max(id), 0) FROM deliveries").fetchone()
    kept = msgspec.structs.replace(kept, events=events, deliveries=deliveries)
    keep_frame(connection, kept)
    return kept


def shift(connection: sqlite3.Connection, by: float, kept: Frame, *, earlier: bool = False) -> None:
    """Move the times of all that waits, and of what was announced, by so many seconds, and keep the frame.

    Those since the start of the machine, or the `earlier` ones. One transaction: half of it would be worse than none.
    """
    which = "<=" if earlier else ">"
    connection.execute(
        "UPDATE deliveries SET born_at = born_at + ?, created_at = created_at + ?, next_at = next_at + ? "  # noqa: S608
        f"WHERE state IN ('pending', 'sending') AND id {which} ?",
        (by, by, by, kept.deliveries),
    )
    connection.execute(
        f"UPDATE events SET received_at = received_at + ? WHERE state = 'accepted' AND id {which} ?",  # noqa: S608
        (by, kept.events),
    )
    connection.execute(f"UPDATE once SET at = at + ? WHERE event_id {which} ?", (by, kept.events))  # noqa: S608
    if not earlier:
        connection.execute("UPDATE told_elsewhere SET until = until + ?", (by,))
        keep_frame(connection, kept)
    else:
        keep_frame(connection, msgspec.structs.replace(kept, before=None, events=0, deliveries=0))
