"""What a round of the reconciler came to: the state of each channel, one status for all, and what to try next.

After failed handshakes one subscription is tried, not thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    LedgerError,
    SecretsError,
    SubscriptionLimitError,
    TwitchAuthError,
)
from itsjustintv_desktop.engine.core.events import Bus, SubscriptionsChanged
from itsjustintv_desktop.engine.core.models import Target, Webhook
from itsjustintv_desktop.engine.twitch.subscriptions.apply import PlanResult
from itsjustintv_desktop.engine.twitch.subscriptions.models import (
    ENABLED,
    KINDS,
    ChannelState,
    ChannelStatus,
    Creation,
    Holdings,
    Key,
    Plan,
    SubscriptionsState,
    SubscriptionsStatus,
)

_log = structlog.get_logger(__name__)

_GONE = "Correct its login or user_id in the config, or remove the streamer."
_ADDRESS = (
    "Correct the address that Twitch is told ([twitch] incoming_webhook_url, or [server] external_domain): it has to "
    "be https, on port 443."
)
_AGAIN = "It is tried again within the hour; `subscriptions sync` tries at once."
_SPENT_FIX = "Watch fewer channels, or delete what other programs hold on this client id (`subscriptions list`)."
_TOLD_ELSEWHERE = frozenset({"no_target", "no_secret"})
"""What they wait for has said so itself, and at every start they wait for a moment."""
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 900.0


class RoundResult(NamedTuple):
    state: SubscriptionsState
    code: str
    message: str
    fix: str = ""


def ended_state(status: str) -> ChannelState:
    """A channel whose subscriptions Twitch ended, and what that means."""
    why = {
        "user_removed": "the channel no longer exists",
        "authorization_revoked": "the channel withdrew its consent, or its password changed",
    }.get(status, "the channel did it")
    fix = _GONE if status == "user_removed" else _AGAIN
    return ChannelState(
        status=ChannelStatus.FAILING, message=f"Twitch ended its subscriptions: {why} ({status}).", fix=fix
    )


def refused_state(error: AppError) -> ChannelState:
    """A channel that Twitch makes no subscription for."""
    if isinstance(error, SubscriptionLimitError):
        if error.kind == "cost":
            return ChannelState(status=ChannelStatus.FAILING, message=error.message, fix=_SPENT_FIX)
        return ChannelState(
            status=ChannelStatus.FAILING,
            message="Other programs on this client id hold all the subscriptions that Twitch allows for this channel.",
            fix="Delete one of theirs (`subscriptions list`), or register a client id for this program alone.",
        )
    fix = _ADDRESS if "callback" in error.message else _GONE  # Twitch names the field it does not like
    return ChannelState(status=ChannelStatus.FAILING, message=error.message, fix=f"{fix} {_AGAIN}")


def unverified_state(target: Target) -> ChannelState:
    """The address did not give Twitch's challenge back."""
    where = target.callback if isinstance(target, Webhook) else "the conduit"
    return ChannelState(
        status=ChannelStatus.FAILING,
        message=f"Twitch asked {where} whether it is ours and got no good answer.",
        fix="See with `doctor` whether the address leads to this program from outside. It is tried again by itself.",
    )


def channel_states(
    wanted: Sequence[str],
    plan: Plan,
    outcome: PlanResult,
    *,
    withheld: Mapping[str, ChannelState],
    in_doubt: bool,
    target: Target,
) -> dict[str, ChannelState]:
    """How each channel (user id) is after `outcome`; before anything was done give an empty one.

    `in_doubt`: the address did not answer Twitch when last asked, so that another handshake promises nothing.
    """
    enabled = {one.key for one in plan.keep} | {one.key for one in outcome.created if one.status == ENABLED}
    waiting = {one.key for one in plan.pending} | {one.key for one in outcome.created if one.status != ENABLED}
    unverified = set(plan.unverified) | (waiting if in_doubt else set())
    states: dict[str, ChannelState] = {}
    for user_id in wanted:
        keys = [Key(type_, user_id) for type_, _ in KINDS]
        missing = [key for key in keys if key not in enabled]
        failed = next((outcome.failed[key] for key in missing if key in outcome.failed), None)
        if not missing:
            states[user_id] = ChannelState(status=ChannelStatus.OK)
        elif user_id in withheld:
            states[user_id] = withheld[user_id]
        elif unverified.intersection(missing):
            states[user_id] = unverified_state(target)
        elif failed is not None:
            states[user_id] = ChannelState(status=ChannelStatus.FAILING, message=failed.message)
        elif waiting.issuperset(missing):
            states[user_id] = ChannelState(
                status=ChannelStatus.PENDING, message="Twitch is asking whether the address is ours."
            )
        else:
            states[user_id] = ChannelState(status=ChannelStatus.PENDING, message="It is about to be subscribed to.")
    return states


def overall(
    states: Mapping[str, ChannelState],
    *,
    target: Target,
    unverified: bool,
    spent: bool,
    pending: int,
    failed: int,
) -> RoundResult:
    """One sentence for all channels. `failed` counts what is retried."""
    channels = count(len(states), "channel")
    bad = [state for state in states.values() if state.status is ChannelStatus.FAILING]
    if unverified:
        state = unverified_state(target)
        return RoundResult(SubscriptionsState.FAILING, "unverified", state.message, state.fix)
    if spent:
        text = f"Twitch's budget for this client id is used up: {len(bad)} of {channels} lack a subscription."
        return RoundResult(SubscriptionsState.FAILING, "no_budget", text, _SPENT_FIX)
    if failed:
        text = f"{len(bad) or failed} of {channels} could not be subscribed to: {_first(bad)}"
        return RoundResult(SubscriptionsState.WAITING, "failed", f"{text} It is tried again by itself.")
    if bad:
        text = f"{len(bad)} of {channels} cannot be subscribed to: {bad[0].message}"
        return RoundResult(SubscriptionsState.FAILING, "channels", text, bad[0].fix)
    if pending:
        text = f"Twitch is asking whether the address is ours, for {count(pending, 'subscription')}."
        return RoundResult(SubscriptionsState.WORKING, "pending", text)
    waiting = sum(state.status is not ChannelStatus.OK for state in states.values())
    if waiting:
        return RoundResult(SubscriptionsState.WORKING, "working", f"{waiting} of {channels} are being subscribed to.")
    if not states:
        return RoundResult(SubscriptionsState.OK, "ok", "No channel is watched.")
    text = "The channel is subscribed to." if len(states) == 1 else f"All {channels} are subscribed to."
    return RoundResult(SubscriptionsState.OK, "ok", text)


def _first(bad: Sequence[ChannelState]) -> str:
    return bad[0].message if bad else "Twitch did not take some deletions."


def count(number: int, noun: str) -> str:
    """ "1 channel", "2 channels"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class StatusBoard:
    """`status` is replaced, never changed in place."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self.status = SubscriptionsStatus(
            state=SubscriptionsState.WAITING, code="starting", message="They were not looked at yet.", since=clock.now()
        )

    def show(self, found: RoundResult) -> None:
        """Log and publish the state of a round."""
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

    def show_failure(self, error: AppError) -> None:
        """Nothing further could be done in this round; it is tried again."""
        text = f"They could not be looked after: {error.message}"
        if isinstance(error, TwitchAuthError):
            fix = "Correct [twitch] client_id and client_secret. It is tried again by itself."
            self.show(RoundResult(SubscriptionsState.FAILING, "refused", text, fix))
            return
        code = (
            "secrets" if isinstance(error, SecretsError) else "ledger" if isinstance(error, LedgerError) else "twitch"
        )
        self.show(RoundResult(SubscriptionsState.WAITING, code, text))

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
        """Change single fields without publishing them."""
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


class Verification:
    """Remembers what was tried and how it ended, and chooses what may be tried now."""

    def __init__(self, clock: Clock, dice: Callable[[], float]) -> None:
        self._clock = clock
        self._backoff = pauses(dice)
        self.reset()

    def reset(self) -> None:
        """Start over: another address or secret, or a person asked."""
        self._tried: set[Key] = set()
        self._trusted = False
        self._backoff.reset()
        self._again_at = float("-inf")

    @property
    def wait(self) -> float:
        """Seconds until something is tried again."""
        return max(self._again_at - self._clock.monotonic(), 0.0)

    @property
    def in_doubt(self) -> bool:
        """The last handshake that ended failed."""
        return self._backoff.failures > 0

    def judge(self, enabled: Collection[Key], unverified: Collection[Key]) -> None:
        """Learn how the ones tried have ended so far."""
        good, bad = self._tried.intersection(enabled), self._tried.intersection(unverified)
        self._tried -= good | bad
        if good or not (unverified or self._tried):
            self._trusted = True
            self._backoff.reset()
            self._again_at = float("-inf")
        if bad:
            self._trusted = bool(good)
            self._again_at = self._clock.monotonic() + self._backoff.next()

    def not_made(self, keys: Collection[Key]) -> None:
        """Some of those chosen were not created: no handshake of theirs will end, and the next try waits."""
        missing = self._tried.intersection(keys)
        self._tried -= missing
        if missing and self.in_doubt:
            self._again_at = self._clock.monotonic() + self._backoff.next()

    def choose(self, creations: Sequence[Creation], unverified: Collection[Key]) -> list[Creation]:
        """Those to make now. Ones that failed wait for their time, and for the address to have answered once."""
        failed = set(unverified)
        chosen = [one for one in creations if one.key not in failed]
        again = [one for one in creations if one.key in failed]
        if again and not self._trusted:
            chosen = again[:1]
        elif again:
            chosen += again
        if again and self.wait > 0:
            chosen = [one for one in chosen if one.key not in failed]
        self._tried.update(one.key for one in chosen)
        return chosen


def pauses(dice: Callable[[], float]) -> Backoff:
    """30 s, doubled each time up to 15 minutes, and 20 % up or down."""
    return Backoff(FIRST_PAUSE, LONGEST_PAUSE, jitter=lambda: 0.8 + 0.4 * dice())
