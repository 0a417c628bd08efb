"""When the next attempt is due (exponential backoff with jitter), and what becomes of a delivery after one.

Nothing here reads a clock.

Anchors: Svix (+-20 % jitter), Hookdeck Outpost (doubling), RFC 9110 10.2.3 (Retry-After).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import structlog

from itsjustintv_desktop.engine.config.schema import Retry
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.storage.ledger import Claimed, Finish


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
    """Seconds to wait after `refusals` in a row: as after any failure, but minutes in all."""
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


MOST_LOST = 2
"""Attempts without a response that a receiver gets which cannot know a repeat by its webhook-id."""
MAY_HAVE_ARRIVED = "No response came to two attempts, so it may have arrived. Look whether it did before you retry it."


def bind_log_context(claimed: Claimed) -> None:
    """Every log line of this task names the notification it is about."""
    structlog.contextvars.bind_contextvars(
        notification=claimed.message_id or str(claimed.event_id), event_id=claimed.event_id, delivery=claimed.id
    )


def finish(
    claimed: Claimed,
    state: DeliveryState,
    reason: str | None,
    result: AttemptResult | None = None,
    *,
    next_at: float | None = None,
) -> Finish:
    """What becomes of a claimed delivery; without a result no POST was made."""
    return Finish(
        id=claimed.id,
        attempt=claimed.attempt,
        state=state,
        next_at=next_at,
        result=result,
        reason=reason,
        lost=claimed.lost + (result is not None and result.lost),
    )


def judged(
    claimed: Claimed,
    result: AttemptResult,
    retry: Retry,
    *,
    now: float,
    knows_repeats: bool,
    refusals: int,
    clock_doubtful: Callable[[], bool],
    dice: Callable[[], float],
) -> Finish:
    """What the result of its attempt means for a delivery.

    `knows_repeats`: the receiver can recognise a repeat by its webhook-id. `refusals`: so many attempts in a row were
    refused, this one among them. A clock that may be wrong gives nothing up for its age.
    """
    if result.outcome is Outcome.DELIVERED:
        return finish(claimed, DeliveryState.DELIVERED, result.note, result)
    if result.outcome is Outcome.DEAD:
        return finish(claimed, DeliveryState.DEAD, result.error, result)
    reason = result.error
    if result.outcome is Outcome.REFUSED:
        if refusals >= MOST_REFUSALS:
            return finish(claimed, DeliveryState.DEAD, _last(f"Refused {refusals} times in a row.", reason), result)
        delay = delay_after_refusal(refusals, retry, random=dice)
    else:
        delay = next_delay(claimed.attempt, retry, retry_after=result.retry_after, random=dice)
    if result.lost and not knows_repeats:
        if claimed.lost + 1 >= MOST_LOST:
            return finish(claimed, DeliveryState.DEAD, _last(MAY_HAVE_ARRIVED, reason), result)
        reason = f"{reason}; it may have arrived"
    over = is_over_age(claimed.born_at, now + delay, retry) and not clock_doubtful()
    if result.outcome is not Outcome.GONE and (over or attempts_used_up(claimed.attempt, retry)):
        return finish(claimed, DeliveryState.DEAD, _last(gave_up(claimed.attempt), reason), result)
    return finish(claimed, DeliveryState.PENDING, reason, result, next_at=now + delay)


def _last(sentence: str, reason: str | None) -> str:
    return f"{sentence} Last: {reason}"


def gave_up(attempts: int) -> str:
    """The sentence of a dead letter that ran out of time or attempts."""
    return f"Given up after {attempts} attempt{'' if attempts == 1 else 's'} ([retry] max_age, max_attempts)."
