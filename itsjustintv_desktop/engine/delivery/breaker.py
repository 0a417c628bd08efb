"""The circuit breaker of one destination: stops hammering a receiver that is down, and finds out when it is back.

Convoy's rule: open when at least 70 % of at least 10 attempts within 5 minutes failed, for 30 s, doubling up to
5 min with each failed probe. Deliveries stay queued meanwhile. Pure: time is handed in, as Unix seconds.
"""

from __future__ import annotations

import hashlib
import math
from typing import Literal

import msgspec

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.models import Outcome

WINDOW = 300.0
BUCKET = 30.0
LEAST_ATTEMPTS = 10
FAILURE_RATE = 0.7
FIRST_OPEN = 30.0
LONGEST_OPEN = 300.0
"""The longest that due deliveries wait for a destination that has recovered: after LATE_SECONDS (dispatcher.py) the
stream might be over."""
_OPEN = Backoff(FIRST_OPEN, LONGEST_OPEN)
PROBE_TIMEOUT = 120.0
"""A probe whose outcome never came (the attempt was cancelled) is given up after this many seconds."""

BY_HAND = "paused by hand"
"""The reason where a person gave none."""

StateName = Literal["closed", "open", "half-open", "paused"]


class Bucket(msgspec.Struct, frozen=True):
    """Attempts that ended within one stretch of BUCKET seconds; `start` is its number since the epoch."""

    start: int
    attempts: int = 0
    failures: int = 0


class BreakerState(msgspec.Struct, frozen=True, kw_only=True):
    """All a breaker knows, to be stored as JSON. Equal states need not be stored twice."""

    name: StateName = "closed"
    since: float = 0.0
    open_until: float = 0.0
    openings: int = 0
    """Times opened in a row without a success between them."""
    probe_since: float | None = None
    reason: str = ""
    """Why it is not closed, in words for the owner of the destination."""
    fingerprint: str = ""
    buckets: tuple[Bucket, ...] = ()
    by_hand: bool = False
    """Paused by a person: nothing but `resume` ends it."""


def fingerprint(url: str) -> str:
    """Tells one address from another without holding it."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


class Breaker:
    """States: closed (all pass), open (none), half-open (one probe at a time), paused (410: none until resumed)."""

    def __init__(self, state: BreakerState | None = None) -> None:
        """With the `state` of an earlier run; a probe that was under way then is forgotten."""
        self._state = msgspec.structs.replace(state or BreakerState(), probe_since=None)

    def snapshot(self) -> BreakerState:
        return self._state

    def allow(self, now: float) -> bool:
        """Whether an attempt may start. In half-open a True is the one probe: `record` or `abandon` must follow."""
        if self.blocked_until(now) is not None:
            return False
        if self._state.name in {"open", "half-open"}:
            self._set(
                name="half-open",
                since=now if self._state.name == "open" else self._state.since,
                probe_since=now,
            )
        return True

    def blocked_until(self, now: float) -> float | None:
        """When to ask again (Unix seconds); None = an attempt may start now; infinity = not before it is resumed."""
        self._follow_clock(now)
        state = self._state
        if state.name == "paused":
            return math.inf
        if state.name == "open" and now < state.open_until:
            return state.open_until
        if state.name == "half-open" and state.probe_since is not None:
            given_up = state.probe_since + PROBE_TIMEOUT
            return given_up if now < given_up else None
        return None

    def record(self, outcome: Outcome, now: float, error: str | None = None) -> None:
        """Count an attempt that ended. `error`: the sentence shown as the latest failure.

        A final refusal (404, a redirect) counts as a success: somebody is there and answers.
        """
        self._follow_clock(now)
        failed = outcome is Outcome.RETRY
        if self._state.by_hand:
            return  # an attempt that began before
        if outcome is Outcome.GONE:
            self.pause(error or "the receiver says that this webhook no longer exists", self._state.fingerprint, now)
        elif self._state.name == "closed":
            self._count(failed, now)
            self._open_if_failing(now, error)
        elif self._state.name == "half-open":
            if failed:
                self._open(now, f"Still failing{_latest(error)}. The next try comes by itself.")
            else:
                self._close(now)
        # Open or paused: an attempt that began before. It says nothing about now.

    def abandon(self) -> None:
        """The attempt that `allow` let pass ended without an outcome; another probe may go."""
        self._set(probe_since=None)

    def pause(self, reason: str, fingerprint: str, now: float, *, by_hand: bool = False) -> None:
        """Let nothing pass until `resume`, or until `observe_address` sees another address than `fingerprint`.

        `by_hand`: a person wants it, so another address does not end it.
        """
        self._state = BreakerState(name="paused", since=now, reason=reason, fingerprint=fingerprint, by_hand=by_hand)

    def resume(self, now: float) -> None:
        """Close, by the owner's word, from any state."""
        self._close(now)

    def observe_address(self, fingerprint: str, now: float) -> bool:
        """Set the address in use. A new one starts over, whatever the old one did: True then."""
        if fingerprint == self._state.fingerprint:
            return False
        changed = self._state.fingerprint != "" and not self._state.by_hand
        if changed:
            self._close(now)
        self._set(fingerprint=fingerprint)
        return changed

    def name(self, now: float) -> StateName:
        """The state to show: an open breaker whose time is over waits for its probe, so it is half-open."""
        waiting = self._state.name == "open" and self.blocked_until(now) is None
        return "half-open" if waiting else self._state.name

    def _count(self, failed: bool, now: float) -> None:
        current = math.floor(now / BUCKET)
        oldest = current - round(WINDOW / BUCKET) + 1
        # Buckets ahead of now were written before the clock was set back.
        kept = {bucket.start: bucket for bucket in self._state.buckets if oldest <= bucket.start <= current}
        last = kept.get(current, Bucket(current))
        kept[current] = Bucket(current, last.attempts + 1, last.failures + failed)
        self._set(buckets=tuple(kept.values()))

    def _open_if_failing(self, now: float, error: str | None) -> None:
        attempts = sum(bucket.attempts for bucket in self._state.buckets)
        failures = sum(bucket.failures for bucket in self._state.buckets)
        if attempts >= LEAST_ATTEMPTS and failures >= FAILURE_RATE * attempts:
            text = f"{failures} of the last {attempts} attempts failed{_latest(error)}."
            self._open(now, f"{text} It is tried again by itself, with pauses.")

    def _open(self, now: float, reason: str) -> None:
        openings = self._state.openings + 1
        self._state = BreakerState(
            name="open",
            since=now,
            open_until=now + _OPEN.after(openings),
            openings=openings,
            reason=reason,
            fingerprint=self._state.fingerprint,
        )

    def _close(self, now: float) -> None:
        self._state = BreakerState(since=now, fingerprint=self._state.fingerprint)

    def _follow_clock(self, now: float) -> None:
        """A wall clock set back must not keep it shut for longer than if it were opened now."""
        state = self._state
        if state.name == "open" and not state.open_until <= now + _OPEN.after(state.openings):
            self._set(open_until=now + _OPEN.after(state.openings))
        if state.probe_since is not None and not state.probe_since <= now:
            self._set(probe_since=now)
        if state.since > now:
            self._set(since=now)

    def _set(self, **changes: object) -> None:
        self._state = msgspec.structs.replace(self._state, **changes)


def _latest(error: str | None) -> str:
    return f", the latest with: {error}" if error else ""
