"""Ledger jobs of the subscriptions we made at Twitch, and of the places they ever pointed at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

_COLUMNS = "id, type, user_id, target, fingerprint, created_at"


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that we made. `created_at` is our own wall clock, Unix seconds."""

    id: str
    type: str
    user_id: str
    target: str
    """"webhook https://..." or "conduit <id>"."""
    fingerprint: str
    """Of the secret it was made with; "" over a conduit, which needs none."""
    created_at: float


def remember(connection: sqlite3.Connection, made: Remembered) -> None:
    """Keep one that was just made; the same id again replaces it."""
    connection.execute(
        f"INSERT OR REPLACE INTO subscriptions({_COLUMNS}) VALUES (?,?,?,?,?,?)",  # noqa: S608 - a constant
        (made.id, made.type, made.user_id, made.target, made.fingerprint, made.created_at),
    )


def forget(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Those that Twitch no longer holds; unknown ids are fine."""
    connection.executemany("DELETE FROM subscriptions WHERE id = ?", [(one,) for one in ids])


def load(connection: sqlite3.Connection) -> dict[str, Remembered]:
    """All, by id. As many as the channels watched, times two, and what is about to be cleared away."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM subscriptions").fetchall()  # noqa: S608 - a constant
    return {
        row[0]: Remembered(id=row[0], type=row[1], user_id=row[2], target=row[3], fingerprint=row[4], created_at=row[5])
        for row in rows
    }


def remember_target(connection: sqlite3.Connection, target: str, used_at: float) -> None:
    """Note that subscriptions are made to point there now. Never forgotten: what points there is ours."""
    connection.execute("INSERT OR REPLACE INTO targets(target, used_at) VALUES (?,?)", (target, used_at))


def targets(connection: sqlite3.Connection) -> list[str]:
    """All ever used, the latest first."""
    return [row[0] for row in connection.execute("SELECT target FROM targets ORDER BY used_at DESC, target")]
