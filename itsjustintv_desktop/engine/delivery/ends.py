"""What becomes of a delivery after an attempt, in the ledger's terms."""

from __future__ import annotations

import structlog

from itsjustintv_desktop.engine.models import AttemptResult, DeliveryState
from itsjustintv_desktop.engine.storage.ledger import Claimed, Finish


def say_which(claimed: Claimed) -> None:
    """Every log line of this task tells which notification it is about."""
    structlog.contextvars.bind_contextvars(
        notification=claimed.message_id or str(claimed.event_id), event_id=claimed.event_id, delivery=claimed.id
    )


def end(
    claimed: Claimed,
    state: DeliveryState,
    reason: str | None,
    result: AttemptResult | None = None,
    *,
    next_at: float | None = None,
) -> Finish:
    """What becomes of a claimed delivery; without a result no POST was made."""
    return Finish(id=claimed.id, attempt=claimed.attempt, state=state, next_at=next_at, result=result, reason=reason)


def gave_up(attempts: int) -> str:
    """The sentence of a dead letter that ran out of time or attempts."""
    return f"Given up after {attempts} attempt{'' if attempts == 1 else 's'} ([retry] max_age, max_attempts)."
