"""Ledger jobs for small keyed values: breakers, profiles, meta."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal

_COLUMNS = {"breakers": ("destination", "state"), "profiles": ("user_id", "body")}


def load(connection: sqlite3.Connection, table: Literal["breakers", "profiles"]) -> dict[str, bytes]:
    key, value = _COLUMNS[table]
    rows = connection.execute(f"SELECT {key}, {value} FROM {table}").fetchall()  # noqa: S608
    return {name: body for name, body in rows if isinstance(name, str) and isinstance(body, bytes)}


def save(
    connection: sqlite3.Connection,
    table: Literal["breakers", "profiles"],
    rows: Sequence[tuple[str, bytes | None]],
) -> None:
    """Set each; None deletes it."""
    key, value = _COLUMNS[table]
    for name, body in rows:
        if body is None:
            connection.execute(f"DELETE FROM {table} WHERE {key} = ?", (name,))  # noqa: S608
        else:
            connection.execute(f"INSERT OR REPLACE INTO {table}({key}, {value}) VALUES (?,?)", (name, body))  # noqa: S608


def meta(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row and isinstance(row[0], str) else None


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?,?)", (key, value))
