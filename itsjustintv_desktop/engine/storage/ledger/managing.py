"""Ledger jobs behind a person's wishes: list, retry, drop, resend."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from itsjustintv_desktop.engine.core.errors import NotFoundError, UsageError
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, DeliveryView, Outcome
from itsjustintv_desktop.engine.storage.ledger.announcing import insert_delivery
from itsjustintv_desktop.engine.storage.ledger.claiming import waiting_destinations
from itsjustintv_desktop.engine.storage.ledger.records import Counts, fetch_deliveries

PAGE = 200
"""Most rows one job reads."""


def page(
    connection: sqlite3.Connection,
    *,
    before: int | None,
    states: Sequence[DeliveryState],
    streamer: str | None,
    destination: str | None,
    event_id: int | None,
    limit: int,
) -> list[DeliveryView]:
    """Deliveries below the id `before`, newest first, at most 200."""
    where, parameters = ["id < ?"], list[Any]([before if before is not None else 2**62])
    if states:
        where.append(f"state IN ({','.join('?' * len(states))})")
        parameters.extend(state.value for state in states)
    for column, value in (("streamer", streamer), ("destination", destination), ("event_id", event_id)):
        if value is not None:
            where.append(f"{column} = ?")
            parameters.append(value)
    tail = f"{' AND '.join(where)} ORDER BY id DESC LIMIT ?"
    return fetch_deliveries(connection, tail, (*parameters, min(limit, PAGE)))


def one(connection: sqlite3.Connection, delivery_id: int) -> DeliveryView:
    """Raises NotFoundError."""
    found = fetch_deliveries(connection, "id = ?", (delivery_id,))
    if not found:
        raise NotFoundError(f"There is no delivery {delivery_id}. See `deliveries list` for those there are.")
    return found[0]


def retry(connection: sqlite3.Connection, delivery_id: int, now: float) -> DeliveryView:
    """Make a waiting or given-up delivery due at once, with the same webhook-id. Raises NotFoundError, UsageError."""
    delivery = one(connection, delivery_id)
    if delivery.state is DeliveryState.DELIVERED:
        raise UsageError(f"Delivery {delivery_id} was delivered. To send it once more, use resend.")
    _not_while_sending(delivery)
    connection.execute(
        "UPDATE deliveries SET state = 'pending', next_at = ?, forced = 1, settled_at = NULL, lost = min(lost, 1) "
        "WHERE id = ?",
        (now, delivery_id),
    )
    return one(connection, delivery_id)


def drop(connection: sqlite3.Connection, delivery_id: int, now: float) -> DeliveryView:
    """Give up a waiting delivery. Raises NotFoundError, UsageError."""
    delivery = one(connection, delivery_id)
    _not_while_sending(delivery)
    if delivery.state is not DeliveryState.PENDING:
        raise UsageError(
            f"Delivery {delivery_id} is {delivery.state.value} already; only a waiting one can be dropped."
        )
    connection.execute(
        "UPDATE deliveries SET state = 'dropped', next_at = NULL, settled_at = ? WHERE id = ?",
        (now, delivery_id),
    )
    return one(connection, delivery_id)


def resend(connection: sqlite3.Connection, delivery_id: int, now: float) -> DeliveryView:
    """A new delivery of the same announcement to the same destination. Raises NotFoundError, UsageError."""
    delivery = one(connection, delivery_id)
    if delivery.state in {DeliveryState.PENDING, DeliveryState.SENDING}:
        raise UsageError(f"Delivery {delivery_id} is still on its way. To try it now, use retry.")
    new = insert_delivery(
        connection,
        delivery.event_id,
        delivery.streamer,
        delivery.destination,
        born_at=now,
        forced=True,
        now=now,
    )
    return one(connection, new)


def attempts(connection: sqlite3.Connection, delivery_id: int) -> list[tuple[float, AttemptResult]]:
    """The attempts of a delivery, oldest first: when each began and what came of it (at most 200)."""
    rows = connection.execute(
        "SELECT started_at, duration, status, error, answer FROM attempts WHERE delivery_id = ? "
        "ORDER BY number DESC LIMIT ?",
        (delivery_id, PAGE),
    ).fetchall()
    return [
        (
            started,
            AttemptResult(
                outcome=Outcome.DELIVERED if error is None else Outcome.RETRY,
                status=status,
                error=error,
                answer=answer or "",
                duration=duration or 0.0,
            ),
        )
        for started, duration, status, error, answer in reversed(rows)
    ]


def counts(connection: sqlite3.Connection) -> Counts:
    """How many deliveries are in each state; those in which none is are left out."""
    by_state = dict(
        connection.execute("SELECT state, sum(count) FROM tally GROUP BY state HAVING sum(count) > 0").fetchall()
    )
    oldest = min((due for _, due in waiting_destinations(connection)), default=None)
    (events,) = connection.execute("SELECT count(*) FROM events WHERE state = 'accepted'").fetchone()
    return Counts(by_state=by_state, oldest_due=oldest, unfinished_events=events)


def _not_while_sending(delivery: DeliveryView) -> None:
    if delivery.state is DeliveryState.SENDING:
        raise UsageError(f"Delivery {delivery.id} is being sent at this very moment. Look again in a few seconds.")
