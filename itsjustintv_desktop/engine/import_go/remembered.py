"""cache.json: the streams that the Go service remembers as announced, by its own hashes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from itsjustintv_desktop.engine.import_go import values

_KEY = re.compile(r"[0-9a-fA-F]{64}")
LONGEST = 30 * 86_400.0
"""Seconds that anything is remembered at most: no stream lasts longer, and Go may have written the year 9999."""


@dataclass(slots=True)
class Seen:
    """`keys`: hash (32 bytes) and until when it counts, Unix seconds."""

    keys: list[tuple[bytes, float]] = field(default_factory=list)
    expired: int = 0
    left_out: list[tuple[int, str]] = field(default_factory=list)


def seen(entries: Sequence[Any], *, now: float, ttl: float) -> Seen:
    """`ttl` is our own [cache] dedup_ttl, seconds: a stream is remembered at least that long."""
    found = Seen()
    for index, entry in enumerate(entries):
        key = entry.get("key") if isinstance(entry, dict) else None
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            found.left_out.append((index, "its key is no hash of a stream"))
            continue
        until = _until(entry, now, ttl)
        if until <= now:
            found.expired += 1
        else:
            found.keys.append((bytes.fromhex(key), min(until, now + LONGEST)))
    return found


def _until(entry: dict[str, Any], now: float, ttl: float) -> float:
    """A hash fits one stream only, so one whose times cannot be is kept a while rather than dropped."""
    expires = values.moment(entry.get("expires_at"))
    created = values.past(entry.get("created_at"), now)
    ends = [expires] if expires is not None and expires >= values.EARLIEST else []
    ends += [created + ttl] if created is not None else []
    return max(ends) if ends else now + ttl
