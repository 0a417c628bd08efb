"""Keeps Twitch holding exactly the subscriptions that the config asks for.

A round lists everything, compares (models.py), repairs (apply.py) and says how it is (channel_states.py). Rounds come
at the start, when triggered, hourly, shortly after something was made, and after failures with growing pauses.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    LedgerError,
    SecretsError,
    SubscriptionLimitError,
    TwitchError,
    UsageError,
)
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.core.models import Target, Webhook
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.subscribing import Remembered
from itsjustintv_desktop.engine.twitch.subscriptions import channel_states
from itsjustintv_desktop.engine.twitch.subscriptions.apply import PlanResult, PlanRunner, SubscriptionsApi
from itsjustintv_desktop.engine.twitch.subscriptions.channel_states import RoundResult, StatusBoard, Verification
from itsjustintv_desktop.engine.twitch.subscriptions.models import (
    ENDED_BY_USER,
    ChannelState,
    Creation,
    Holdings,
    Plan,
    SubscriptionsState,
    SubscriptionsStatus,
    SubscriptionView,
    SyncReport,
    fingerprint_of,
    make_plan,
    remembered,
    target_text,
)

HOUR = 3600.0
_SPLAY = 0.2
"""Part of the hour by which rounds vary, so that the machines of a crowd do not ask at the same second."""
LOOKS = (10.0, 51.0)
"""Seconds until Twitch's handshakes are checked; after the second check, a pending one is too old."""
NOT_READY_SECONDS = 5.0
_SETTLE_SECONDS = 1.0
"""Triggers that come together cause one round."""

_log = structlog.get_logger(__name__)


class _Work(NamedTuple):
    """What one round has to do; `create` is what may be tried now of the plan's creations."""

    plan: Plan
    create: Sequence[Creation]
    holdings: Holdings
    wanted: Sequence[str]
    target: Target


class Reconciler:
    """`status` is the state of all, `states` that of each channel (user id). All on the engine's loop."""

    def __init__(
        self,
        api: SubscriptionsApi,
        ledger: Ledger,
        *,
        target: Callable[[], Target | None],
        watched: Callable[[], Sequence[str]],
        secret: Callable[[], str | None],
        bus: Bus,
        clock: Clock,
        dice: Callable[[], float] = random.random,
        certain: Callable[[], bool] = lambda: True,
        signed_with: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """`target`: where subscriptions have to point, None = not known yet. `watched`: user ids of the enabled
        streamers. `secret`: the one to subscribe with, None = not there yet. `certain`: False while ids of some
        streamers are not known: nothing is deleted only because nobody watches it. `dice` gives [0, 1).
        `signed_with`: by the id of a subscription, the secret its latest message was signed with.
        """
        self._api = api
        self._ledger = ledger
        self._target = target
        self._watched = watched
        self._secret = secret
        self._clock = clock
        self._dice = dice
        self._certain = certain
        self._signed_with = signed_with
        self._lock = asyncio.Lock()
        self._triggered = asyncio.Event()
        self._verification = Verification(clock, dice)
        self._withheld: dict[str, ChannelState] = {}
        self._unaffordable: set[str] = set()
        """Those of the withheld channels for which the budget had no room."""
        self._used: tuple[str, str] = ("", "")
        """Target and fingerprint of the last round."""
        self._book: dict[str, Remembered] = {}
        self._backoff = channel_states.pauses(dice)
        self._looks = 0
        self._hour_at = float("-inf")
        self.states: Mapping[str, ChannelState] = {}
        self._board = StatusBoard(bus, clock)

    @property
    def status(self) -> SubscriptionsStatus:
        """How it is now."""
        return self._board.status

    async def run(self) -> None:
        """Round after round until cancelled; can be started again."""
        while True:
            self._triggered.clear()
            pause = await self._round()
            self._board.update(next_round=self._clock.now() + pause)
            if await self._clock.wait(self._triggered, pause):
                await self._clock.sleep(_SETTLE_SECONDS)

    def trigger(self, reason: str) -> None:
        """A round now: the config, the address or the secret changed, or the machine woke. `reason` is for the log."""
        _log.debug("the subscriptions are looked at", reason=reason)
        self._triggered.set()

    def trigger_if_moved(self) -> None:
        """The way changed in some respect: a round only if subscriptions have to point elsewhere."""
        target = self._target()
        if target is not None and target_text(target) != self._used[0]:
            self.trigger("address")

    def revoked(self, subscription_id: str, status: str, user_id: str = "") -> None:
        """Twitch ended one of ours. It is created again at once, unless the reason lies with the channel.

        Without `user_id` the channel is the one we remember for this subscription.
        """
        remembered = self._book.get(subscription_id)
        user_id = user_id or (remembered.user_id if remembered else "")
        _log.warning("Twitch ended a subscription", status=status, channel=user_id or "unknown")
        if status in ENDED_BY_USER and user_id:
            self._withheld[user_id] = channel_states.ended_state(status)
            self.states = {**self.states, user_id: self._withheld[user_id]}
        self.trigger(f"revoked: {status}")

    async def sync(self, target: Target | None = None) -> SyncReport:
        """One round now, with everything that was put off. `target` is used where none is known.

        Raises UsageError when there is nothing to point at or no secret yet, TwitchError, SecretsError, LedgerError.
        """
        async with self._lock:
            target = self._target() or target
            if target is None:
                raise UsageError("Twitch cannot reach this program yet. See `doctor` for what is missing.")
            secret = self._secret() if isinstance(target, Webhook) else ""
            if secret is None:
                raise UsageError("The webhook secret is not at hand yet. Unlock the keyring and try again.")
            self._forgive(set(self._withheld))
            self._verification.reset()
            try:
                report = await self._reconcile(target, secret)
            finally:
                self._triggered.set()  # the next round looks at what came of it
        return report

    async def listing(self) -> tuple[Holdings, tuple[SubscriptionView, ...]]:
        """What Twitch holds now, ours marked. Raises TwitchError, SecretsError, LedgerError."""
        book, targets = await self._ledger.subscriptions(), set(await self._ledger.targets())
        holdings = await self._api.list_all()
        views = tuple(
            SubscriptionView(
                id=held.id,
                type=held.type,
                version=held.version,
                user_id=held.user_id,
                status=held.status,
                target=held.transport.target,
                ours=held.id in book or held.transport.target in targets,
                cost=held.cost,
                created_at=held.created_at,
            )
            for held in holdings.items
        )
        return holdings, views

    async def delete(self, subscription_id: str) -> bool:
        """Delete one, ours or not. False if there was none. One that is wanted comes back with the next round."""
        existed = await self._api.delete(subscription_id)
        await self._ledger.forget_subscriptions([subscription_id])
        return existed

    async def _round(self) -> float:
        """Seconds until the next one."""
        async with self._lock:
            target = self._target()
            if target is None:
                text = "They wait until Twitch can reach this program."
                return self._wait_for(RoundResult(SubscriptionsState.WAITING, "no_target", text))
            secret = self._secret() if isinstance(target, Webhook) else ""
            if secret is None:
                text = "They wait for the webhook secret."
                return self._wait_for(RoundResult(SubscriptionsState.WAITING, "no_secret", text))
            try:
                await self._reconcile(target, secret)
            except (TwitchError, SecretsError, LedgerError) as error:
                self._fail(error)
            return self._pause()

    def _wait_for(self, why: RoundResult) -> float:
        self._board.show(why)
        return NOT_READY_SECONDS

    def _pause(self) -> float:
        hour = max(self._hour_at - self._clock.monotonic(), 1.0)
        if self._backoff.failures:
            return min(self._backoff.after(self._backoff.failures), hour)
        if self.status.pending:
            self._looks += 1
            return min(LOOKS[min(self._looks, len(LOOKS)) - 1], hour)
        self._looks = 0
        if self.status.code == "unverified":
            return min(max(self._verification.wait, 1.0), hour)
        return hour

    async def _reconcile(self, target: Target, secret: str) -> SyncReport:
        """One round. Raises TwitchError, SecretsError, LedgerError where nothing further could be done."""
        self._begin_hour()
        here, fingerprint = target_text(target), fingerprint_of(secret)
        if self._used != (here, fingerprint):
            self._used = (here, fingerprint)
            self._verification.reset()
            self._forgive(set(self._withheld))  # what was refused may have been for the target's sake
        targets = await self._ledger.targets()
        if here not in targets[:1]:
            await self._ledger.remember_target(here)
        self._board.update(last_round=self._clock.now())
        holdings = await self._api.list_all()
        if holdings.total_cost < holdings.max_total_cost:
            self._forgive(set(self._unaffordable))
        book = self._book = await self._remembered(holdings, here, secret)
        wanted = list(dict.fromkeys(self._watched()))
        plan = make_plan(
            holdings.items,
            wanted,
            target,
            fingerprint,
            book,
            self._clock.now(),
            targets=targets,
            withheld=self._withheld,
            certain=self._certain(),
        )
        self._withheld.update((user_id, channel_states.ended_state(status)) for user_id, status in plan.ended.items())
        self._verification.judge([held.key for held in plan.keep], plan.unverified)
        create = self._verification.choose(plan.create, plan.unverified)
        work = _Work(plan, create, holdings, wanted, target)
        outcome = await self._carry_out(work, secret)
        self._verification.not_made({one.key for one in create} - {held.key for held in outcome.created})
        return self._conclude(work, outcome)

    async def _remembered(self, holdings: Holdings, here: str, secret: str) -> dict[str, Remembered]:
        """What the ledger holds, corrected by what Twitch holds: what is gone is forgotten; what sends us messages with
        this secret is ours, although the answer to its making got lost."""
        book = await self._ledger.subscriptions()
        gone = book.keys() - {held.id for held in holdings.items}
        if gone and holdings.complete:
            await self._ledger.forget_subscriptions(list(gone))
        for held in holdings.items:
            unknown = held.id not in book and held.transport.target == here
            if unknown and secret and self._signed_with(held.id) == secret:
                made = remembered(held.id, held.key, here, secret, self._clock.now())
                await self._ledger.remember_subscription(made)
                book[held.id] = made
        return book

    def _begin_hour(self) -> None:
        """Once an hour what was refused may be tried again."""
        now = self._clock.monotonic()
        if now >= self._hour_at:
            self._hour_at = now + HOUR * (1 - _SPLAY / 2 + _SPLAY * self._dice())
            self._forgive(set(self._withheld))

    def _forgive(self, users: set[str]) -> None:
        """They may be tried again."""
        self._unaffordable -= users
        for user_id in users:
            del self._withheld[user_id]

    async def _carry_out(self, work: _Work, secret: str) -> PlanResult:
        plan, create, holdings, wanted, target = work
        total = len(create) + len(plan.delete)
        self.states = self._channels(work, PlanResult())
        steps = 0

        def on_step(outcome: PlanResult) -> None:
            nonlocal steps
            steps += 1
            if steps % max(total // 100, 1) == 0:
                self._board.count(plan, outcome, holdings, wanted, done=steps, total=total)

        self._board.count(plan, PlanResult(), holdings, wanted, done=0, total=total)
        if create and not (plan.unverified or self._verification.in_doubt):
            text = (
                f"{channel_states.count(len(create), 'subscription')} {'is' if len(create) == 1 else 'are'} being made."
            )
            self._board.show(RoundResult(SubscriptionsState.WORKING, "working", text))
        carrier = PlanRunner(
            self._api,
            self._ledger,
            target,
            secret,
            clock=self._clock,
            receives=lambda held_id: self._signed_with(held_id) == secret,
            on_step=on_step,
        )
        room = holdings.max_total_cost - holdings.total_cost if holdings.max_total_cost else len(create)
        return await carrier.carry_out(create, plan.delete, room=room)

    def _conclude(self, work: _Work, outcome: PlanResult) -> SyncReport:
        plan, create, holdings, wanted, target = work
        for key, error in outcome.refused.items():
            self._withheld[key.user_id] = channel_states.refused_state(error)
            if isinstance(error, SubscriptionLimitError) and error.kind == "cost":
                self._unaffordable.add(key.user_id)
        self.states = self._channels(work, outcome)
        self._board.count(plan, outcome, holdings, wanted, done=0, total=0)
        if outcome.created:
            self._looks = 0
        if self._unaffordable and outcome.deleted:
            self._triggered.set()  # there is room now
        if outcome.created or outcome.deleted:
            _log.info("subscriptions were repaired", created=len(outcome.created), deleted=len(outcome.deleted))
        again = len(outcome.failed) + len(outcome.not_deleted)
        unverified = bool(plan.unverified) or self._verification.in_doubt
        if outcome.stopped is not None:
            self._fail(outcome.stopped)
        else:
            self._backoff.failures = self._backoff.failures + 1 if again else 0
            self._board.show(
                channel_states.overall(
                    self.states,
                    target=target,
                    unverified=unverified,
                    spent=bool(self._unaffordable),
                    pending=self.status.pending,
                    failed=again,
                )
            )
        problems = list(dict.fromkeys(error.message for error in {**outcome.refused, **outcome.failed}.values()))
        if outcome.stopped is not None and outcome.stopped.message not in problems:
            problems.append(outcome.stopped.message)
        if unverified:
            problems.append(channel_states.unverified_state(target).message)
        if outcome.not_deleted:
            problems.append(f"{channel_states.count(len(outcome.not_deleted), 'subscription')} could not be deleted.")
        return SyncReport(
            target=target_text(target),
            created=len(outcome.created),
            deleted=len(outcome.deleted),
            kept=len(plan.keep),
            pending=self.status.pending,
            foreign=len(plan.foreign),
            held_back=len(plan.create) - len(create),
            cost=self.status.cost,
            max_cost=self.status.max_cost,
            problems=tuple(problems),
        )

    def _channels(self, work: _Work, outcome: PlanResult) -> dict[str, ChannelState]:
        return channel_states.channel_states(
            work.wanted,
            work.plan,
            outcome,
            withheld=self._withheld,
            in_doubt=self._verification.in_doubt,
            target=work.target,
        )

    def _fail(self, error: AppError) -> None:
        self._backoff.failures += 1
        self._board.show_failure(error)
