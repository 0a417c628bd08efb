"""Ledger jobs of the dispatcher: claim what is due, finish what was tried, recover after a kill."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.storage.ledger.records import (
    ClaimBatch,
    Claimed,
    Finish,
    WaitingPage,
    pad_to,
    placeholders,
    source_id,
)

# Hops from destination to destination in the partial index: the cost is destinations, not queued deliveries.
# Named, because SQLite would rather take deliveries_state and read every waiting row.
_HEADS = """WITH RECURSIVE heads(name) AS (
        SELECT min(destination) FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending'
        UNION ALL
        SELECT (SELECT min(destination) FROM deliveries INDEXED BY deliveries_due
            WHERE state = 'pending' AND destination > heads.name)
        FROM heads WHERE heads.name IS NOT NULL)
    SELECT name, (SELECT min(next_at) FROM deliveries INDEXED BY deliveries_due
        WHERE state = 'pending' AND destination = name)
    FROM heads WHERE name IS NOT NULL"""

_TAKE = """SELECT d.id, d.webhook_id, d.event_id, d.streamer, d.destination, d.attempts + 1, d.forced, d.born_at,
        e.source, e.broadcaster_id, e.stream_id, e.test, e.message_id, e.received_at, e.payload, d.lost
    FROM deliveries d INDEXED BY deliveries_due JOIN events e ON e.id = d.event_id
    WHERE d.state = 'pending' AND d.destination = ? AND d.next_at <= ? ORDER BY d.next_at LIMIT ?"""

_LATER = """SELECT min(next_at) FROM deliveries INDEXED BY deliveries_due
    WHERE state = 'pending' AND destination = ? AND next_at > ?"""


def _forced(statement: str) -> str:
    """The same about nothing but what a person asked for."""
    return statement.replace("deliveries_due", "deliveries_forced").replace(
        "state = 'pending'", "state = 'pending' AND forced = 1"
    )


_OF_ALL = (_HEADS, _TAKE, _LATER)
_OF_FORCED = (_forced(_HEADS), _forced(_TAKE), _forced(_LATER))


def claim(
    connection: sqlite3.Connection,
    now: float,
    limit: int,
    slots: Mapping[str, int],
    default_slots: int,
    failing: Collection[str] = (),
    failing_limit: int = 0,
    only_forced: bool = False,
) -> ClaimBatch:
    """Take up to `limit` due deliveries, oldest destination first, none above its free `slots` (0 = blocked).

    The destinations in `failing` together get no more than `failing_limit` of them. With `only_forced` nothing is
    looked at but what a person asked for.
    """
    all_heads, take, until = _OF_FORCED if only_forced else _OF_ALL
    heads = sorted(
        (due, name) for name, due in connection.execute(all_heads).fetchall() if slots.get(name, default_slots) > 0
    )
    taken: list[Claimed] = []
    next_due: float | None = None
    failing_left = failing_limit
    for due, name in heads:
        fails = name in failing
        if fails and due <= now and failing_left <= 0:
            continue  # its turn comes when an attempt to a failing destination ends
        if due > now or len(taken) >= limit:
            next_due = due if next_due is None else min(next_due, due)
            continue
        wanted = min(slots.get(name, default_slots), limit - len(taken), failing_left if fails else limit)
        rows = connection.execute(take, (name, now, wanted)).fetchall()
        failing_left -= len(rows) if fails else 0
        taken.extend(
            Claimed(
                id=row[0], webhook_id=row[1], event_id=row[2], streamer=row[3], destination=row[4], attempt=row[5],
                forced=bool(row[6]), born_at=row[7], source=row[8], broadcaster_id=row[9], stream_id=row[10],
                test=bool(row[11]), message_id=source_id(row[12]), received_at=row[13], stored=row[14], lost=row[15],
            )
            for row in rows
        )  # fmt: skip
        if len(rows) < slots.get(name, default_slots):
            # Slots are left, so what is still to come of this destination sets the alarm too.
            (later,) = connection.execute(until, (name, now)).fetchone()
            if later is not None:
                next_due = later if next_due is None else min(next_due, later)
    if taken:
        connection.executemany(
            "UPDATE deliveries SET state = 'sending', attempts = attempts + 1 WHERE id = ?",
            [(each.id,) for each in taken],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO attempts(delivery_id, number, started_at) VALUES (?,?,?)",
            [(each.id, each.attempt, now) for each in taken],
        )
    return ClaimBatch(deliveries=tuple(taken), next_due=next_due)


def finish(connection: sqlite3.Connection, finishes: Sequence[Finish], now: float) -> None:
    """Record what became of claimed deliveries. One that is no longer `sending` is left alone."""
    for each in finishes:
        result = each.result
        error = each.reason if each.reason is not None else result.error if result else None
        settled = None if each.state is DeliveryState.PENDING else now
        known = connection.execute(
            "UPDATE deliveries SET state = ?, next_at = ?, forced = forced AND ?, "
            "last_status = coalesce(?, last_status), "
            "last_error = iif(?, last_error, ?), settled_at = ?, attempts = attempts - ?, lost = ? "
            "WHERE id = ? AND state = 'sending'",
            (
                each.state.value, each.next_at, result is None, result.status if result else None,
                settled is None and error is None, error, settled, 0 if result else 1, each.lost, each.id,
            ),
        ).rowcount  # fmt: skip
        if not known:
            continue
        if result is None:
            connection.execute("DELETE FROM attempts WHERE delivery_id = ? AND number = ?", (each.id, each.attempt))
        else:
            connection.execute(
                "UPDATE attempts SET duration = ?, status = ?, error = ?, answer = ? "
                "WHERE delivery_id = ? AND number = ?",
                (result.duration, result.status, result.error, result.answer or None, each.id, each.attempt),
            )


def posting(connection: sqlite3.Connection, delivery_id: int) -> None:
    """An attempt that must be the last if its response is lost, too. Counted before the POST: a kill may follow."""
    connection.execute("UPDATE deliveries SET lost = lost + 1 WHERE id = ? AND state = 'sending'", (delivery_id,))


def recover(connection: sqlite3.Connection, now: float, latest: float) -> int:
    """After a start: what was being sent is due again (same webhook-id), no due time lies beyond `latest`.

    A first attempt may have arrived; what `posting` counted is counted already.
    """
    interrupted = [row[0] for row in connection.execute("SELECT id FROM deliveries WHERE state = 'sending'").fetchall()]
    for start in range(0, len(interrupted), 500):
        some = pad_to(interrupted[start : start + 500])
        connection.execute(
            "UPDATE deliveries SET state = 'pending', next_at = ?, lost = max(lost, 1), "  # noqa: S608
            "last_error = 'the program ended before the answer came' "
            f"WHERE id IN ({placeholders(len(some))})",
            (now, *some),
        )
        connection.execute(
            "UPDATE attempts SET error = 'the program ended before the answer came' "  # noqa: S608
            f"WHERE duration IS NULL AND error IS NULL AND delivery_id IN ({placeholders(len(some))})",
            some,
        )
    while cap_due(connection, latest):
        pass
    return len(interrupted)


def cap_due(connection: sqlite3.Connection, latest: float, spread: float = 0.0, limit: int = 500) -> int:
    """Bring due times beyond `latest` (a wall clock that was wrong) back to it, about `limit` at a time.

    With `spread` each goes to a moment of its own within so many seconds before `latest`.
    """
    capped = 0
    for name, _ in connection.execute(_HEADS).fetchall():
        capped += connection.execute(
            "UPDATE deliveries SET next_at = ? - ? * abs(random() % 1000000) / 1e6 WHERE id IN "
            "(SELECT id FROM deliveries INDEXED BY deliveries_due "
            "WHERE state = 'pending' AND destination = ? AND next_at > ? LIMIT ?)",
            (latest, spread, name, latest, limit - capped),
        ).rowcount
        if capped >= limit:
            break
    return capped


def clamp_created_at(connection: sqlite3.Connection, latest: float, now: float, limit: int = 500) -> int:
    """Waiting deliveries born after `latest`, in the future, would never be too old: their age counts from now."""
    return connection.execute(
        "UPDATE deliveries SET born_at = ? WHERE id IN (SELECT id FROM deliveries INDEXED BY deliveries_age "
        "WHERE state = 'pending' AND born_at > ? LIMIT ?)",
        (now, latest, limit),
    ).rowcount


def give_up(connection: sqlite3.Connection, born_before: float, reason: str, now: float, limit: int = 500) -> int:
    """Make waiting deliveries older than max_age dead letters, at most `limit` at a time.

    What a person asked for counts from when it was asked: that is when it came due.
    """
    return connection.execute(
        "UPDATE deliveries SET state = 'dead', next_at = NULL, last_error = CASE WHEN last_error IS NULL THEN ? "
        "ELSE ? || ' Last: ' || last_error END, settled_at = ? WHERE id IN (SELECT id FROM deliveries "
        "INDEXED BY deliveries_age WHERE state = 'pending' AND born_at < ? AND (forced = 0 OR next_at < ?) LIMIT ?)",
        (reason, reason, now, born_before, born_before, limit),
    ).rowcount


def fail_removed(connection: sqlite3.Connection, destination: str, reason: str, now: float, limit: int = 500) -> int:
    """Make the waiting deliveries of a removed destination dead letters, at most `limit` at a time."""
    return connection.execute(
        "UPDATE deliveries SET state = 'dead', next_at = NULL, last_error = ?, settled_at = ? WHERE id IN "
        "(SELECT id FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending' AND destination = ? LIMIT ?)",
        (reason, now, destination, limit),
    ).rowcount


def waiting_destinations(connection: sqlite3.Connection) -> list[tuple[str, float]]:
    """Destinations with waiting deliveries, and when the first of each is due."""
    return connection.execute(_HEADS).fetchall()


def waiting_page(connection: sqlite3.Connection, after: int, limit: int) -> WaitingPage:
    """Counts the next `limit` waiting deliveries with ids above `after`."""
    waiting, tried, last = connection.execute(
        "SELECT count(*), coalesce(sum(attempts > 0), 0), coalesce(max(id), ?) FROM (SELECT id, attempts "
        "FROM deliveries INDEXED BY deliveries_state WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?)",
        (after, after, limit),
    ).fetchone()
    return WaitingPage(waiting=waiting, tried=tried, last_id=last)
