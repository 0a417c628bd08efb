"""Ledger jobs that change many deliveries, or one in a finer way, because a person wants it so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from itsjustintv_desktop.engine.core.errors import NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.storage.ledger import managing
from itsjustintv_desktop.engine.storage.ledger.records import pad_to, placeholders

MOST = 500
"""Most deliveries that are changed in one transaction."""

BITE = 200
"""Most in one of many transactions, between which messages are accepted."""

Action = Literal["retry", "drop", "resend"]
_ACTIONS: Mapping[Action, Callable[[sqlite3.Connection, int, float], DeliveryView]] = {
    "retry": managing.retry,
    "drop": managing.drop,
    "resend": managing.resend,
}


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was left as it was, and the sentence why."""

    id: int
    reason: str


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """`done`: as they are now (of a resend: the new ones)."""

    done: tuple[DeliveryView, ...]
    refused: tuple[Refused, ...]


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as it was written down. `duration` None: it has no end (yet)."""

    number: int
    started_at: float
    duration: float | None
    status: int | None
    error: str | None
    answer: str


def many(
    connection: sqlite3.Connection, action: Action, ids: Sequence[int], blocked: Mapping[str, str], now: float
) -> Changed:
    """Do it to at most MOST, all in one transaction. `blocked`: sentences for destinations nothing may go to."""
    change = _ACTIONS[action]
    done: list[DeliveryView] = []
    refused: list[Refused] = []
    for delivery_id in dict.fromkeys(ids[:MOST]):
        try:
            if blocked and action != "drop":
                name = managing.one(connection, delivery_id).destination
                if name in blocked:
                    raise UsageError(blocked[name])
            done.append(change(connection, delivery_id, now))
        except (NotFoundError, UsageError) as error:  # each looks before it writes: nothing is half done
            refused.append(Refused(id=delivery_id, reason=error.message))
    return Changed(done=tuple(done), refused=tuple(refused))


_NOW = "next_at = min(next_at, ?)"
_NOW_AS_RETRIED = f"{_NOW}, forced = 1, lost = min(lost, 1)"


def retry_all(
    connection: sqlite3.Connection,
    destination: str | None,
    after: int,
    blocked: Sequence[str],
    now: float,
    forced: bool = True,
) -> tuple[int, int | None]:
    """Make the next few waiting deliveries above the id `after` due now.

    `forced`: as if each were retried; else their age and a pause count as before. How many that were, and where to go
    on; None = that was all.
    """
    rows = connection.execute(
        "SELECT id, destination FROM deliveries INDEXED BY deliveries_state WHERE state = 'pending' AND id > ? "
        "ORDER BY id LIMIT ?",
        (after, BITE),
    ).fetchall()
    ids = [each for each, name in rows if (destination is None or name == destination) and name not in blocked]
    if ids:
        among = pad_to(ids)
        connection.execute(
            f"UPDATE deliveries SET {_NOW_AS_RETRIED if forced else _NOW} "  # noqa: S608
            f"WHERE id IN ({placeholders(len(among))})",
            (now, *among),
        )
    return len(ids), rows[-1][0] if len(rows) == BITE else None


def set_due(connection: sqlite3.Connection, delivery_id: int, at: float, max_age: float, now: float) -> DeliveryView:
    """Another time for the next attempt of a waiting delivery. Raises NotFoundError, UsageError."""
    delivery = managing.one(connection, delivery_id)
    if delivery.state is not DeliveryState.PENDING:
        raise UsageError(f"Delivery {delivery_id} is {delivery.state.value}; only a waiting one has a next time.")
    (born_at,) = connection.execute("SELECT born_at FROM deliveries WHERE id = ?", (delivery_id,)).fetchone()
    if at >= born_at + max_age:
        raise UsageError(
            f"Delivery {delivery_id} would be too old by then ([retry] max_age), and given up. Choose an earlier time."
        )
    connection.execute("UPDATE deliveries SET next_at = ? WHERE id = ?", (max(at, now), delivery_id))
    return managing.one(connection, delivery_id)


def attempts(connection: sqlite3.Connection, delivery_id: int) -> list[Attempted]:
    """Oldest first; of very many the last 200."""
    rows = connection.execute(
        "SELECT number, started_at, duration, status, error, answer FROM attempts WHERE delivery_id = ? "
        "ORDER BY number DESC LIMIT ?",
        (delivery_id, managing.PAGE),
    ).fetchall()
    return [
        Attempted(number=row[0], started_at=row[1], duration=row[2], status=row[3], error=row[4], answer=row[5] or "")
        for row in reversed(rows)
    ]
