"""The ledger's job behind the watchdog: few rows that show whether work goes on, however long the queue is."""

from __future__ import annotations

import sqlite3

import msgspec

from itsjustintv_desktop.engine.storage.ledger.claiming import waiting_destinations


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """`due`: the destinations with waiting deliveries, and when the first of each is due (Unix seconds)."""

    due: dict[str, float]
    sending: int
    """Deliveries that are being sent, as far as the file says."""
    unfinished: int | None
    """The oldest accepted event that is not worked on to its end."""


def progress(connection: sqlite3.Connection) -> Progress:
    (sending,) = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'sending'").fetchone()
    (unfinished,) = connection.execute("SELECT min(id) FROM events WHERE state = 'accepted'").fetchone()
    return Progress(due=dict(waiting_destinations(connection)), sending=sending, unfinished=unfinished)
