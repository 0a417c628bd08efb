"""Where the reconciler says how it is: one status, told to the watchers, its changes logged once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, LedgerError, SecretsError, TwitchAuthError
from itsjustintv_desktop.engine.core.events import Bus, SubscriptionsChanged
from itsjustintv_desktop.engine.twitch.subscriptions.apply import PlanResult
from itsjustintv_desktop.engine.twitch.subscriptions.channel_states import RoundResult
from itsjustintv_desktop.engine.twitch.subscriptions.models import ENABLED, KINDS, Holdings
from itsjustintv_desktop.engine.twitch.subscriptions.plan import Plan
from itsjustintv_desktop.engine.twitch.subscriptions.views import SubscriptionsState, SubscriptionsStatus

_TOLD_ELSEWHERE = frozenset({"no_target", "no_secret"})
"""What they wait for has said so itself, and at every start they wait for a moment."""

_log = structlog.get_logger(__name__)


class StatusBoard:
    """`status` is replaced, never changed in place."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self.status = SubscriptionsStatus(
            state=SubscriptionsState.WAITING, code="starting", message="They were not looked at yet.", since=clock.now()
        )

    def tell(self, found: RoundResult) -> None:
        """Say how it is."""
        before = self.status
        if before.code != found.code:
            is_well = found.state in {SubscriptionsState.OK, SubscriptionsState.WORKING}
            log = _log.info if is_well or found.code in _TOLD_ELSEWHERE else _log.warning
            log("subscriptions at Twitch", state=found.code, text=f"{found.message} {found.fix}".strip())
        self.update(
            state=found.state,
            code=found.code,
            message=found.message,
            fix=found.fix,
            since=before.since if before.code == found.code else self._clock.now(),
        )
        if self.status != before:
            self._publish()

    def tell_failure(self, error: AppError) -> None:
        """Nothing further could be done in this round; it is tried again."""
        text = f"They could not be looked after: {error.message}"
        if isinstance(error, TwitchAuthError):
            fix = "Correct [twitch] client_id and client_secret. It is tried again by itself."
            self.tell(RoundResult(SubscriptionsState.FAILING, "refused", text, fix))
            return
        code = (
            "secrets" if isinstance(error, SecretsError) else "ledger" if isinstance(error, LedgerError) else "twitch"
        )
        self.tell(RoundResult(SubscriptionsState.WAITING, code, text))

    def count(
        self, plan: Plan, outcome: PlanResult, holdings: Holdings, wanted: Sequence[str], *, done: int, total: int
    ) -> None:
        """Put the numbers up: `done` of `total` steps of a round, both 0 when none is under way."""
        enabled = [held for held in outcome.created if held.status == ENABLED]
        freed = sum(held.cost for held in outcome.deleted if held.is_alive)
        self.update(
            wanted=len(KINDS) * len(wanted),
            enabled=len(plan.keep) + len(enabled),
            pending=len(plan.pending) + len(outcome.created) - len(enabled),
            foreign=len(plan.foreign),
            cost=holdings.total_cost + sum(held.cost for held in outcome.created) - freed,
            max_cost=holdings.max_total_cost,
            done=done,
            total=total,
        )
        self._publish()

    def update(self, **changes: Any) -> None:
        """Change single fields without telling anybody."""
        self.status = msgspec.structs.replace(self.status, **changes)

    def _publish(self) -> None:
        status = self.status
        self._bus.publish(
            SubscriptionsChanged(
                state=status.state.value,
                message=status.message,
                wanted=status.wanted,
                enabled=status.enabled,
                pending=status.pending,
                done=status.done,
                total=status.total,
            )
        )
