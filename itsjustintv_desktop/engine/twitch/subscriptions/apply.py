"""Subscriptions over Helix, and carrying a plan out: four at a time, within Twitch's rate limit.

Source: Twitch documentation, "Get / Create / Delete EventSub Subscription".
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    LedgerError,
    SecretsError,
    SubscriptionExistsError,
    SubscriptionLimitError,
    TwitchAuthError,
    TwitchError,
    TwitchRateLimitedError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.core.models import Conduit, Target
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.storage.ledger.subscribing import Remembered
from itsjustintv_desktop.engine.twitch.client import HelixClient, Params
from itsjustintv_desktop.engine.twitch.helix import every_page
from itsjustintv_desktop.engine.twitch.lenient import Lenient, Page, items_of
from itsjustintv_desktop.engine.twitch.subscriptions.models import (
    ENABLED,
    PENDING,
    Creation,
    Holdings,
    Key,
    RemoteSubscription,
    remembered,
    target_text,
)

_log = structlog.get_logger(__name__)

_PATH = "/eventsub/subscriptions"


class _Page(Page):
    total_cost: int = 0
    max_total_cost: int = 0


class _Known(msgspec.Struct):
    """The answer to a 409 names what is there already, since April 2026."""

    id: str = ""
    data: tuple[RemoteSubscription, ...] = ()


class SubscriptionsApi:
    """All raise TwitchError or SecretsError."""

    def __init__(self, client: HelixClient) -> None:
        self.client = client

    def spare(self) -> bool:
        """Whether there are points left beyond what announcements need."""
        return self.client.spare()

    async def list_all(self, *, user_id: str | None = None) -> Holdings:
        """Every page, or those about one channel."""
        narrowed = [] if user_id is None else [("user_id", user_id)]

        async def ask(at: Params) -> _Page:
            return await self.client.request("GET", _PATH, [*narrowed, *at], decode=_page)

        items, page, complete = await every_page(_PATH, ask, _items)
        return Holdings(
            items=tuple(items),
            total_cost=page.total_cost,
            max_total_cost=page.max_total_cost,
            complete=complete,
        )

    async def create(
        self,
        type: str,  # noqa: A002 - the field's own name
        version: str,
        user_id: str,
        target: Target,
        secret: str,
    ) -> RemoteSubscription:
        """Make one. `secret` is for a webhook. Over a conduit it is enabled at once, a webhook is pending first.

        Raises SubscriptionExistsError, SubscriptionLimitError and the others. It is never retried: after
        a TwitchUnreachableError it may exist all the same.
        """
        if isinstance(target, Conduit):
            transport = {"method": "conduit", "conduit_id": target.conduit_id}
        else:
            transport = {"method": "webhook", "callback": target.callback, "secret": secret}
        condition = {"broadcaster_user_id": user_id}
        wanted = {"type": type, "version": version, "condition": condition, "transport": transport}
        try:
            return await self.client.request("POST", _PATH, body=msgspec.json.encode(wanted), decode=_created)
        except TwitchRefusedError as error:
            if error.status == 409:
                raise SubscriptionExistsError(error.message, existing=_existing(error.body)) from error
            if error.status == 429:
                kind: Literal["alike", "cost"] = "cost" if "cost" in error.message.lower() else "alike"
                raise SubscriptionLimitError(error.message, kind=kind) from error
            raise

    async def delete(self, subscription_id: str) -> bool:
        """Take one away. False if it was gone already."""
        return await self.client.delete(_PATH, subscription_id)


_page = Lenient(_Page).decode
_held = Lenient(RemoteSubscription)
_known = Lenient(_Known)


def _items(page: Page) -> list[RemoteSubscription]:
    """Those with an id; another one is left alone, like everything we don't understand."""
    return items_of(page, _held, _PATH)


def _created(body: bytes) -> RemoteSubscription:
    items = _items(_page(body))
    if not items:
        raise msgspec.ValidationError("it holds no subscription")
    return items[0]


def _existing(body: bytes) -> str:
    """The id in the answer to a 409, "" where there is none."""
    try:
        known = _known.decode(body)
    except msgspec.DecodeError:
        return ""
    return known.id or next((held.id for held in known.data), "")


T = TypeVar("T")

WORKERS = 4
_LOOK_SECONDS = 1.0
"""Seconds between two checks for spare points."""
_SPARE_SECONDS = 60.0
"""Longest wait for points to spare: another program on the client id may leave none, all day long."""
_PATIENCE = 5
"""Rate limits waited out for one call."""
_ENOUGH = 5
"""Failures in a row after which Twitch is left alone for a while."""


class Book(Protocol):
    """What the ledger remembers for us. Raises LedgerError."""

    async def remember_subscription(self, made: Remembered) -> None: ...


@dataclass(slots=True)
class PlanResult:
    """What came of it. `stopped` is why the rest was left for later; None = all was tried."""

    created: list[RemoteSubscription] = field(default_factory=list)
    deleted: list[RemoteSubscription] = field(default_factory=list)
    refused: dict[Key, AppError] = field(default_factory=dict)
    """Refused by Twitch: asking again soon would not help."""
    failed: dict[Key, AppError] = field(default_factory=dict)
    """Worth another try."""
    not_deleted: list[RemoteSubscription] = field(default_factory=list)
    stopped: AppError | None = None
    spent: bool = False
    """The budget of the client id has no room for more."""


class PlanRunner:
    """Works off one plan. `on_step` is called after each step."""

    def __init__(
        self,
        api: SubscriptionsApi,
        book: Book,
        target: Target,
        secret: str,
        *,
        clock: Clock,
        receives: Callable[[str], bool] = lambda _: False,
        on_step: Callable[[PlanResult], None] = lambda _: None,
    ) -> None:
        """`secret` is "" over a conduit. `receives`: whether messages of a subscription come, signed with `secret`."""
        self._api = api
        self._book = book
        self._target = target
        self._here = target_text(target)
        self._secret = secret
        self._clock = clock
        self._receives = receives
        self._on_step = on_step
        self._outcome = PlanResult()
        self._in_a_row = 0

    async def carry_out(
        self, create: Sequence[Creation], delete: Sequence[RemoteSubscription], *, room: int
    ) -> PlanResult:
        """Create, then delete; the other way round when the budget leaves no `room` for what is created."""
        making = [lambda one=one: self._make(one) for one in create]
        clearing = [lambda one=one: self._take_away(one) for one in delete]
        for phase in (clearing, making) if len(create) > room else (making, clearing):
            await self._work_off(deque(phase))
        return self._outcome

    async def _work_off(self, jobs: deque[Callable[[], Awaitable[None]]]) -> None:
        tasks = Tasks()
        try:
            workers = [tasks.start("twitch.subscriptions", self._work(jobs)) for _ in range(min(WORKERS, len(jobs)))]
            await asyncio.gather(*workers)
        finally:
            await tasks.stop()

    async def _work(self, jobs: deque[Callable[[], Awaitable[None]]]) -> None:
        while jobs and self._outcome.stopped is None:
            await jobs.popleft()()
            self._on_step(self._outcome)

    async def _make(self, creation: Creation) -> None:
        outcome, key = self._outcome, creation.key
        if outcome.spent and not (creation.clear or creation.retire):
            outcome.refused[key] = _spent()
            return
        try:
            for held in creation.clear:
                await self._remove(held)
            made = await self._created(creation)
        except SubscriptionLimitError as error:
            outcome.refused[key] = error
            if error.kind == "cost":
                outcome.spent = True
                outcome.refused[key] = _spent()
        except (TwitchError, SecretsError, LedgerError) as error:
            self._note(key, error)
        else:
            self._in_a_row = 0
            outcome.created.append(made)
            if made.status == ENABLED:
                for held in creation.retire:
                    if held not in outcome.deleted:  # it had to make room before
                        await self._take_away(held)

    async def _created(self, creation: Creation) -> RemoteSubscription:
        try:
            made = await self._create(creation)
        except SubscriptionExistsError as error:
            return await self._take_existing(creation, error.existing)
        except SubscriptionLimitError:
            if not creation.retire:
                raise
            for held in creation.retire:  # meant to stay until the new one works, but there is no room for both
                await self._remove(held)
            made = await self._create(creation)
        await self._remember(made, creation)
        return made

    async def _remember(self, made: RemoteSubscription, creation: Creation) -> None:
        now = self._clock.now()
        await self._book.remember_subscription(remembered(made.id, creation.key, self._here, self._secret, now))

    async def _create(self, creation: Creation) -> RemoteSubscription:
        key = creation.key
        return await self._patiently(
            lambda: self._api.create(key.type, creation.version, key.user_id, self._target, self._secret)
        )

    async def _take_existing(self, creation: Creation, existing: str) -> RemoteSubscription:
        """Twitch has one that the list did not show, perhaps ours, whose answer got lost: a 409 is not a failure.

        One over a conduit is as good as any. A webhook's secret is not known unless messages come that are signed
        with it: otherwise it is replaced, and while Twitch still answers 409, the next listing decides.
        """
        if existing and (isinstance(self._target, Conduit) or self._receives(existing)):
            made = self._assumed(creation, existing, ENABLED)
            await self._remember(made, creation)
            return made
        for held in (await self._patiently(lambda: self._api.list_all(user_id=creation.key.user_id))).items:
            if held.key == creation.key and held.transport.target == self._here:
                if isinstance(self._target, Conduit) and held.status == ENABLED and held.version == creation.version:
                    await self._remember(held, creation)
                    return held
                await self._remove(held)
                existing = "" if held.id == existing else existing
        if existing:
            await self._remove(self._assumed(creation, existing, PENDING))
        try:
            made = await self._create(creation)
        except SubscriptionExistsError as error:
            return self._assumed(creation, error.existing, PENDING)
        await self._remember(made, creation)
        return made

    def _assumed(self, creation: Creation, subscription_id: str, status: str) -> RemoteSubscription:
        """One that Twitch only named."""
        condition = {"broadcaster_user_id": creation.key.user_id}
        return RemoteSubscription(
            id=subscription_id, status=status, type=creation.key.type, version=creation.version, condition=condition
        )

    async def _take_away(self, held: RemoteSubscription) -> None:
        """Delete; a failure is noted, and the next round tries again."""
        try:
            await self._remove(held)
        except (TwitchError, SecretsError) as error:
            self._outcome.not_deleted.append(held)
            self._note(None, error)
        else:
            self._in_a_row = 0

    async def _remove(self, held: RemoteSubscription) -> None:
        await self._patiently(lambda: self._api.delete(held.id))
        self._outcome.deleted.append(held)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call when there are points to spare, so that announcements never wait for us; wait out rate limits."""
        tries = 0
        longest = self._clock.monotonic() + _SPARE_SECONDS
        while True:
            while not self._api.spare() and self._clock.monotonic() < longest:
                await self._clock.sleep(_LOOK_SECONDS)
            try:
                return await call()
            except TwitchRateLimitedError as error:
                tries += 1
                if tries >= _PATIENCE:
                    raise
                await self._clock.sleep(max(error.retry_at - self._clock.now(), _LOOK_SECONDS))

    def _note(self, key: Key | None, error: AppError) -> None:
        """What a failure means for this one and for the rest."""
        refused = isinstance(error, TwitchRefusedError) and error.status != 401
        if key is not None:
            (self._outcome.refused if refused else self._outcome.failed)[key] = error
        if refused:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        hopeless = isinstance(error, TwitchAuthError | TwitchRateLimitedError | TwitchRefusedError | SecretsError)
        if hopeless or isinstance(error, LedgerError) or self._in_a_row >= _ENOUGH:
            self._outcome.stopped = error
        _log.debug("a step of the subscriptions failed", reason=error.message)


def _spent() -> SubscriptionLimitError:
    return SubscriptionLimitError("The budget of this client id for subscriptions is used up.", kind="cost")
