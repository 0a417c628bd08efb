"""Values out of files that anybody may have written: text that can be stored, times that can be meant."""

from __future__ import annotations

import re
from typing import Any

from itsjustintv_desktop.engine.core.clock import parse_rfc3339

EARLIEST = 1_420_070_400.0
"""2015: before that there was nothing to announce with. Go writes the year 1 for "never"."""
AHEAD = 86_400.0
"""Seconds that a time may lie ahead, for clocks that went wrong."""

_ADDRESS = re.compile(r"\S*://\S*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST = 20_000


def text(value: Any, most: int = _MOST) -> str:
    """A string without what cannot be stored (lone surrogates, NUL), cut to `most` characters; else ""."""
    if not isinstance(value, str):
        return ""
    return value[:most].encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def line(value: Any, most: int = 200) -> str:
    """The same in one line."""
    return " ".join(_CONTROL.sub(" ", text(value)).split())[:most]


def texts(value: Any, most: int = 100) -> list[str]:
    """The strings of a list."""
    found = value if isinstance(value, list) else []
    return [each for item in found[:most] if (each := line(item))]


def count(value: Any) -> int | None:
    """A number that can be shown; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def moment(value: Any) -> float | None:
    """Unix seconds of an RFC 3339 text, whatever year; None if it is none."""
    try:
        return parse_rfc3339(value) if isinstance(value, str) else None
    except ValueError:
        return None


def past(value: Any, now: float) -> float | None:
    """A moment in which something can have happened, at most `now`; None if it is none."""
    at = moment(value)
    return None if at is None or not EARLIEST <= at <= now + AHEAD else min(at, now)


def without_addresses(value: Any) -> str:
    """A sentence of another program in which no address stands any more: those of webhooks are secrets."""
    return line(_ADDRESS.sub("(address)", text(value, 2000)), 300)
