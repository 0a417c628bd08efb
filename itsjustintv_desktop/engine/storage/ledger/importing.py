"""Ledger jobs of moving in: what the Go service left behind is taken over, each thing once however often it is asked.

Its queue and its past become events with deliveries. What it remembered of streams is hashes, which only tell whether
a stream that comes by was announced by it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from itsjustintv_desktop.engine.core.models import DeliveryState, EventState, StreamEvent
from itsjustintv_desktop.engine.storage.ledger.announcing import FEED
from itsjustintv_desktop.engine.storage.ledger.records import pack, pad_to, placeholders

QUEUE = "go-import"
"""The source of events whose deliveries were under way."""
PAST = "go-history"
"""The source of events that were over: they stand in the history, and not in output.json."""
_BITE = 500


@dataclass(frozen=True, slots=True)
class ImportedDelivery:
    """One delivery as it shall stand in the ledger. Times are Unix seconds; `next_at` only for pending."""

    webhook_id: str
    destination: str
    state: DeliveryState
    attempts: int
    next_at: float | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """One announcement of another program. `message_id` is what it is recognised by; `payload` gets the event's id."""

    event: StreamEvent
    streamer: str
    payload: Callable[[str], bytes]
    deliveries: tuple[ImportedDelivery, ...]


def take_over(connection: sqlite3.Connection, entries: Sequence[ImportedEvent], now: float) -> list[bool]:
    """Store announced events and their deliveries; for each True new, False known. Call it with a page at a time."""
    return [_take_over(connection, entry, now) for entry in entries]


def _take_over(connection: sqlite3.Connection, entry: ImportedEvent, now: float) -> bool:
    event = entry.event
    cursor = connection.execute(
        "INSERT INTO events(source, kind, message_id, received_at, broadcaster_id, broadcaster_login, "
        "broadcaster_name, stream_id, started_at, subscription_id, detail, test, state, streamer, settled_at) "
        "VALUES (?,?,?,?,?,?,?,?,?,'','',0,?,?,?) ON CONFLICT DO NOTHING",
        (
            event.source, event.kind, event.message_id, event.received_at, event.broadcaster_id,
            event.broadcaster_login, event.broadcaster_name, event.stream_id, event.started_at,
            EventState.ANNOUNCED.value, entry.streamer, event.received_at,
        ),
    )  # fmt: skip
    if cursor.rowcount != 1:
        return False
    event_id = cursor.lastrowid
    connection.execute("UPDATE events SET payload = ? WHERE id = ?", (pack(entry.payload(str(event_id))), event_id))
    for each in entry.deliveries:
        final = each.state is not DeliveryState.PENDING
        # What failed now shall be found for as long as the history is kept; what was over long ago goes by its own age.
        settled = (now if event.source == QUEUE else event.received_at) if final else None
        connection.execute(
            "INSERT INTO deliveries(id, webhook_id, event_id, streamer, destination, state, attempts, next_at, "
            "born_at, last_error, created_at, settled_at) "
            "VALUES (max(?, coalesce((SELECT max(id) FROM deliveries), 0) + 1),?,?,?,?,?,?,?,?,?,?,?)",
            (
                event_id, each.webhook_id, event_id, entry.streamer, each.destination, each.state.value,
                each.attempts, each.next_at, event.received_at, each.last_error, event.received_at, settled,
            ),
        )  # fmt: skip
    if event.stream_id:
        names = [each.destination for each in entry.deliveries] or [FEED]
        connection.executemany(
            "INSERT INTO once(destination, broadcaster_id, stream_id, event_id, at) VALUES (?,?,?,?,?) "
            "ON CONFLICT DO NOTHING",
            [(name, event.broadcaster_id, event.stream_id, event_id, event.received_at) for name in names],
        )
    return True


def key_of(broadcaster_id: str, stream_id: str, started_at: float | None) -> bytes | None:
    """What the Go service remembers a stream by (32 bytes); None where that cannot be said."""
    if not broadcaster_id or not stream_id or started_at is None:
        return None
    return hashlib.sha256(f"{broadcaster_id}:{stream_id}:{int(started_at)}".encode("utf-8", "replace")).digest()


def keep_told(connection: sqlite3.Connection, keys: Sequence[tuple[bytes, float]]) -> int:
    """Remember these until then (Unix seconds), a page at a time. Returns how many were not known."""
    new = connection.executemany("INSERT INTO told_elsewhere(key, until) VALUES (?,?) ON CONFLICT DO NOTHING", keys)
    count = max(new.rowcount, 0)
    connection.executemany(
        "UPDATE told_elsewhere SET until = max(until, ?) WHERE key = ?", [(until, key) for key, until in keys]
    )
    return count


def has_told(connection: sqlite3.Connection) -> bool:
    """Whether anything at all is remembered."""
    return connection.execute("SELECT 1 FROM told_elsewhere LIMIT 1").fetchone() is not None


def told(connection: sqlite3.Connection, keys: Sequence[bytes]) -> set[bytes]:
    """Those of `keys` (a page) that are remembered."""
    if not keys or not has_told(connection):
        return set()
    among = pad_to(keys)
    rows = connection.execute(f"SELECT key FROM told_elsewhere WHERE key IN ({placeholders(len(among))})", among)  # noqa: S608
    return {row[0] for row in rows}


def was_told(connection: sqlite3.Connection, broadcaster_id: str, stream_id: str, started_at: float | None) -> bool:
    """Whether the Go service announced this very stream."""
    key = key_of(broadcaster_id, stream_id, started_at)
    return key is not None and key in told(connection, [key])


def forget_told(connection: sqlite3.Connection, now: float) -> int:
    """Forget one bite of what is over. Returns how many."""
    return connection.execute(
        "DELETE FROM told_elsewhere WHERE key IN (SELECT key FROM told_elsewhere WHERE until < ? LIMIT ?)",
        (now, _BITE),
    ).rowcount
