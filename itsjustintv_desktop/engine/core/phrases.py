"""Small words of the sentences: times, amounts, lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

_UNITS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def span(seconds: float) -> str:
    """ "3 hours", "1 minute", "40 seconds"; the largest unit that fits, rounded down."""
    for size, unit in _UNITS:
        if seconds >= size:
            return count(int(seconds / size), unit)
    return count(max(int(seconds), 0), "second")


def ago(at: float, now: float) -> str:
    """ "3 hours ago", "just now". A moment in the future, as after a clock was set back, is just now."""
    return "just now" if now - at < 1.0 else f"{span(now - at)} ago"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def day(at: float) -> str:
    """2026-11-24, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def some(names: Iterable[str], most: int = 8) -> str:
    """The names with commas; "and 3 more" where there are too many."""
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"
