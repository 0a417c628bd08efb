"""When the next attempt is due: exponential backoff with jitter. Pure arithmetic, no clock of its own.

Anchors: Svix (+-20 % jitter), Hookdeck Outpost (doubling), RFC 9110 10.2.3 (Retry-After).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from itsjustintv_desktop.engine.config.schema import Retry


def next_delay(attempts: int, retry: Retry, *, retry_after: float | None, random: Callable[[], float]) -> float:
    """Seconds to wait after the `attempts`-th failed attempt.

    `initial_delay * backoff_factor ** (attempts - 1)`, at most `max_delay`, moved by up to `jitter` either way, so
    the result lies in [0, max_delay * (1 + jitter)]. `retry_after` (seconds, as the receiver asked) is respected
    instead, up to `max_delay`, and only moved later: coming back early is what the receiver asked us not to do. One
    that always asks for nearly nothing gets half a second, and twice as long each time, up to `initial_delay`.
    `random` returns a float in [0, 1).
    """
    delay = _backoff(attempts, retry)
    if retry_after is not None and retry_after >= 0:
        least = min(delay, retry.initial_delay, _LEAST_ASKED * 2.0 ** min(max(0, attempts - 1), 60))
        return min(max(retry_after, least), retry.max_delay) * (1 + retry.jitter * random())
    return max(0.0, delay * (1 + retry.jitter * (2 * random() - 1)))


_LEAST_ASKED = 0.5
MOST_REFUSALS = 5
"""Attempts in a row that are refused (4xx) before a delivery is given up."""
_LEAST_AFTER_REFUSAL = (0.0, 15.0, 60.0, 120.0)
"""Seconds: whatever `initial_delay` is, a gateway gets minutes to come back."""


def delay_after_refusal(refusals: int, retry: Retry, *, random: Callable[[], float]) -> float:
    """Seconds to wait after so many refusals in a row: as after any failure, but minutes in all."""
    least = _LEAST_AFTER_REFUSAL[min(refusals, len(_LEAST_AFTER_REFUSAL)) - 1]
    return max(least, next_delay(refusals, retry, retry_after=None, random=random))


def longest_delay(retry: Retry) -> float:
    """The most `next_delay` ever returns, in seconds."""
    return retry.max_delay * (1 + retry.jitter)


def cap_due(next_at: float, now: float, retry: Retry) -> float:
    """`next_at` (Unix seconds), but never further ahead than the longest delay.

    A wall clock that was a year ahead when the due time was written must not postpone a delivery for a year.
    """
    latest = now + longest_delay(retry)
    return next_at if next_at <= latest else latest


def is_over_age(created_at: float, now: float, retry: Retry) -> bool:
    """Whether a delivery made at `created_at` has been tried for `max_age` already."""
    return now - created_at >= retry.max_age


def attempts_used_up(attempts: int, retry: Retry) -> bool:
    """Whether `max_attempts` (0 = no limit) have been made."""
    return 0 < retry.max_attempts <= attempts


def _backoff(attempts: int, retry: Retry) -> float:
    try:
        delay = retry.initial_delay * retry.backoff_factor ** max(0, attempts - 1)
    except OverflowError:
        return retry.max_delay
    return retry.max_delay if math.isnan(delay) else min(delay, retry.max_delay)
