"""What may be asked for below /.well-known/: only what we ourselves put there, and only for a minute."""

from __future__ import annotations

from itsjustintv_desktop.engine.core.clock import Clock

LIFETIME = 60.0
"""Seconds an entry is served."""


class WellKnownTokens:
    """Short-lived answers for ACME challenges and for our own question whether we can be reached."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[bytes, float]] = {}

    def publish(self, kind: str, token: str, body: bytes) -> None:
        """Serve `body` at /.well-known/<kind>/<token>; `kind` is acme-challenge or itsjustintv."""
        now = self._clock.monotonic()
        self._entries = {path: entry for path, entry in self._entries.items() if entry[1] > now}
        self._entries[f"/.well-known/{kind}/{token}"] = (body, now + LIFETIME)

    def find(self, path: str) -> bytes | None:
        entry = self._entries.get(path)
        if entry is None or entry[1] <= self._clock.monotonic():
            return None
        return entry[0]
