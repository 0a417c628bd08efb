"""Ledger jobs of a destination that gets another name. Each is one bite, so that accepting never waits for long."""

from __future__ import annotations

import sqlite3

BITE = 500


def count_waiting(connection: sqlite3.Connection, destination: str) -> int:
    """Deliveries that wait for it, or are being sent to it."""
    (waiting,) = connection.execute(
        "SELECT count(*) FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending' AND destination = ?",
        (destination,),
    ).fetchone()
    (sending,) = connection.execute(
        "SELECT count(*) FROM deliveries INDEXED BY deliveries_state WHERE state = 'sending' AND destination = ?",
        (destination,),
    ).fetchone()
    return int(waiting) + int(sending)


def copy_once(
    connection: sqlite3.Connection, old: str, new: str, after: tuple[str, str], limit: int = BITE
) -> tuple[str, str] | None:
    """What was announced to `old` counts as announced to `new`. Where the next bite begins; None = done."""
    rows = connection.execute(
        "SELECT broadcaster_id, stream_id, event_id, at FROM once WHERE destination = ? "
        "AND (broadcaster_id, stream_id) > (?, ?) ORDER BY broadcaster_id, stream_id LIMIT ?",
        (old, *after, limit),
    ).fetchall()
    connection.executemany(
        "INSERT INTO once(destination, broadcaster_id, stream_id, event_id, at) VALUES (?,?,?,?,?) "
        "ON CONFLICT DO NOTHING",
        [(new, *row) for row in rows],
    )
    return (rows[-1][0], rows[-1][1]) if len(rows) == limit else None


def rename_waiting(connection: sqlite3.Connection, old: str, new: str, limit: int = BITE) -> int:
    """Waiting deliveries go to `new`; those being sent at this moment are left alone. Returns how many did."""
    return connection.execute(
        "UPDATE deliveries SET destination = ? WHERE id IN (SELECT id FROM deliveries INDEXED BY deliveries_due "
        "WHERE state = 'pending' AND destination = ? LIMIT ?)",
        (new, old, limit),
    ).rowcount


def rename_finished(
    connection: sqlite3.Connection, old: str, new: str, after: int, limit: int = 4 * BITE
) -> int | None:
    """Finished deliveries above the id `after`, so that they can be sent again. Where the next bite begins."""
    rows = connection.execute(
        "SELECT id, destination, state FROM deliveries WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()
    connection.executemany(
        "UPDATE deliveries SET destination = ? WHERE id = ?",
        [(new, row[0]) for row in rows if row[1] == old and row[2] not in {"pending", "sending"}],
    )
    return rows[-1][0] if len(rows) == limit else None
