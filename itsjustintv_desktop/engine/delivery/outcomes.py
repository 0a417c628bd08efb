"""What becomes of a delivery after an attempt, in the ledger's terms."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from itsjustintv_desktop.engine.config.schema import Retry
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.delivery import schedule
from itsjustintv_desktop.engine.storage.ledger import Claimed, Finish

MOST_LOST = 2
"""Attempts without a response that a receiver gets which cannot know a repeat by its webhook-id."""
MAY_HAVE_ARRIVED = "No response came to two attempts, so it may have arrived. Look whether it did before you retry it."


def say_which(claimed: Claimed) -> None:
    """Every log line of this task tells which notification it is about."""
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

    `knows_repeats`: the receiver can tell a repeat by its webhook-id. `refusals`: so many attempts in a row were
    refused, this one among them. A clock that may be wrong gives nothing up for its age.
    """
    if result.outcome is Outcome.DELIVERED:
        return finish(claimed, DeliveryState.DELIVERED, result.note, result)
    if result.outcome is Outcome.DEAD:
        return finish(claimed, DeliveryState.DEAD, result.error, result)
    reason = result.error
    if result.outcome is Outcome.REFUSED:
        if refusals >= schedule.MOST_REFUSALS:
            return finish(claimed, DeliveryState.DEAD, _last(f"Refused {refusals} times in a row.", reason), result)
        delay = schedule.delay_after_refusal(refusals, retry, random=dice)
    else:
        delay = schedule.next_delay(claimed.attempt, retry, retry_after=result.retry_after, random=dice)
    if result.lost and not knows_repeats:
        if claimed.lost + 1 >= MOST_LOST:
            return finish(claimed, DeliveryState.DEAD, _last(MAY_HAVE_ARRIVED, reason), result)
        reason = f"{reason}; it may have arrived"
    over = schedule.is_over_age(claimed.born_at, now + delay, retry) and not clock_doubtful()
    if result.outcome is not Outcome.GONE and (over or schedule.attempts_used_up(claimed.attempt, retry)):
        return finish(claimed, DeliveryState.DEAD, _last(gave_up(claimed.attempt), reason), result)
    return finish(claimed, DeliveryState.PENDING, reason, result, next_at=now + delay)


def _last(sentence: str, reason: str | None) -> str:
    why = f"Last: {reason}"
    return f"{sentence} {why}"


def gave_up(attempts: int) -> str:
    """The sentence of a dead letter that ran out of time or attempts."""
    return f"Given up after {attempts} attempt{'' if attempts == 1 else 's'} ([retry] max_age, max_attempts)."
