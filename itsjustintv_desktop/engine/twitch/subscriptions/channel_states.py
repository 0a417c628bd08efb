"""What a round came to: for each channel, and in one sentence for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from itsjustintv_desktop.engine.core.errors import AppError, SubscriptionLimitError
from itsjustintv_desktop.engine.core.models import Target, Webhook
from itsjustintv_desktop.engine.twitch.subscriptions.apply import PlanResult
from itsjustintv_desktop.engine.twitch.subscriptions.models import (
    ENABLED,
    KINDS,
    ChannelState,
    ChannelStatus,
    Key,
)
from itsjustintv_desktop.engine.twitch.subscriptions.plan import Plan
from itsjustintv_desktop.engine.twitch.subscriptions.views import SubscriptionsState

_GONE = "Correct its login or user_id in the config, or remove the streamer."
_ADDRESS = (
    "Correct the address that Twitch is told ([twitch] incoming_webhook_url, or [server] external_domain): it has to "
    "be https, on port 443."
)
_AGAIN = "It is tried again within the hour; `subscriptions sync` tries at once."
_SPENT_FIX = "Watch fewer channels, or delete what other programs hold on this client id (`subscriptions list`)."


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
    """One sentence for all channels. `failed` counts what is tried again by itself."""
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
