"""Subscriptions as Twitch holds them, as we remember those we made, and as people and programs see them.

Times are Unix seconds. Source: Twitch documentation, "Get EventSub Subscriptions" and "EventSub subscription types".
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec

from itsjustintv_desktop.engine.core.models import STREAM_OFFLINE, STREAM_ONLINE, Conduit, Target, Webhook
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.storage.ledger.subscribing import Remembered

KINDS: tuple[tuple[str, str], ...] = ((STREAM_ONLINE, "1"), (STREAM_OFFLINE, "1"))
"""(type, version) that every watched channel needs, in the order they are made: going live counts most."""

ENABLED = "enabled"
PENDING = "webhook_callback_verification_pending"
UNVERIFIED = "webhook_callback_verification_failed"
ENDED_BY_USER = frozenset({"user_removed", "authorization_revoked", "moderator_removed", "chat_user_banned"})
"""Ended for a reason that lies with the channel: creating it again at once would only be refused."""
PENDING_SECONDS = 60.0
"""How long the handshake of a webhook may take until it is begun again."""


class Key(NamedTuple):
    """What there has to be exactly one subscription for."""

    type: str
    user_id: str


class RemoteTransport(msgspec.Struct, frozen=True, kw_only=True):
    """Where its events go. Twitch never returns the secret."""

    method: str = ""
    callback: str = ""
    conduit_id: str = ""
    session_id: str = ""

    @property
    def target(self) -> str:
        """As `target_text` writes a target; "websocket <session>" for what only other programs use."""
        where = {"webhook": self.callback, "conduit": self.conduit_id}.get(self.method, self.session_id)
        return f"{self.method} {where}"


class RemoteSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription as Twitch describes it; "" is what it does not say. `created_at` is RFC 3339."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    status: str = ""
    type: str = ""
    version: str = ""
    condition: dict[str, Any] = {}
    transport: RemoteTransport = RemoteTransport()
    created_at: str = ""
    cost: int = 0

    @property
    def user_id(self) -> str:
        """The channel it is about; "" for types with another condition, which we never make."""
        found = self.condition.get("broadcaster_user_id")
        return found if isinstance(found, str) else ""

    @property
    def key(self) -> Key:
        return Key(self.type, self.user_id)

    @property
    def is_alive(self) -> bool:
        """It counts against Twitch's limits, and forbids a second one like it."""
        return self.status in {ENABLED, PENDING}


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """All that Twitch holds for the client id, other programs' included. Costs are points of `max_total_cost`.

    `complete`: the list had an end; what it does not show may be there all the same where it had none.
    """

    items: tuple[RemoteSubscription, ...] = ()
    total_cost: int = 0
    max_total_cost: int = 0
    complete: bool = True


class ChannelStatus(StrEnum):
    """How the subscriptions of one channel are."""

    OK = "ok"
    PENDING = "pending"
    """Made or about to be made; nothing to do."""
    FAILING = "failing"
    """Not there, and the sentence says why."""


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """`message` and `fix` are sentences for a person; both are empty while nothing is wrong."""

    status: ChannelStatus
    message: str = ""
    fix: str = ""


def target_text(target: Target) -> str:
    """ "webhook https://..." or "conduit <id>": how the ledger remembers a target."""
    return f"conduit {target.conduit_id}" if isinstance(target, Conduit) else f"webhook {target.callback}"


def target_of(text: str) -> Target | None:
    """The target that `target_text` wrote so; None for a websocket."""
    kind, _, where = text.partition(" ")
    if kind == "webhook" and where:
        return Webhook(where)
    return Conduit(where) if kind == "conduit" and where else None


def fingerprint_of(secret: str) -> str:
    """16 hex digits that distinguish secrets without revealing them; "" for conduits, which have none."""
    if not secret:
        return ""
    return hashlib.sha256(b"itsjustintv-subscription\0" + secret.encode()).hexdigest()[:16]


def remembered(subscription_id: str, key: Key, target: str, secret: str, now: float) -> Remembered:
    """One of ours as the ledger keeps it; `target` as `target_text` writes it, `now` our wall clock."""
    return Remembered(
        id=subscription_id,
        type=key.type,
        user_id=key.user_id,
        target=target,
        fingerprint=fingerprint_of(secret),
        created_at=now,
    )


class SubscriptionsState(StrEnum):
    OK = "ok"
    WORKING = "working"
    """Being made, or waiting for Twitch's handshake."""
    WAITING = "waiting"
    """Something else has to come first, or Twitch does not answer; nothing needs doing."""
    FAILING = "failing"
    """A person has to do something; `fix` says what."""


class SubscriptionsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`message` and `fix` are sentences for a person. All but `cost` count subscriptions, two a channel."""

    state: SubscriptionsState
    code: str
    """The same in a word for programs: ok, no_target, no_secret, looking, working, pending, unverified, ..."""
    message: str
    fix: str = ""
    since: float = 0.0
    wanted: int = 0
    enabled: int = 0
    pending: int = 0
    foreign: int = 0
    """Those of other programs on the same client id."""
    cost: int = 0
    """Points that all on this client id use, of `max_cost` (10,000 with Twitch; 0 = not known yet)."""
    max_cost: int = 0
    done: int = 0
    """Steps of the round under way, of `total`."""
    total: int = 0
    last_round: float | None = None
    next_round: float | None = None

    def health(self) -> Status:
        return Status.of(self.state, self.message, self.since)


class SyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one round did. `kept` were as wanted, `pending` wait for Twitch's handshake, `foreign` were left alone."""

    target: str
    created: int
    deleted: int
    kept: int
    pending: int
    foreign: int
    held_back: int
    """Not made yet, because the address did not answer Twitch: one at a time is tried."""
    cost: int
    max_cost: int
    problems: tuple[str, ...] = ()
    """A sentence for each thing that did not work."""


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription at Twitch. `login` is "" where it is not known; `created_at` is RFC 3339, as Twitch says it."""

    id: str
    type: str
    version: str
    user_id: str
    login: str = ""
    status: str
    target: str
    """"webhook https://...", "conduit <id>" or "websocket <session>"."""
    ours: bool
    cost: int
    created_at: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """All that Twitch holds for the client id."""

    subscriptions: tuple[SubscriptionView, ...]
    total_cost: int
    max_total_cost: int


class Creation(msgspec.Struct, frozen=True, kw_only=True):
    """One to be made. `clear` goes before it: Twitch refuses a second one with the same target (409).

    `retire` points where we were reached before, and goes once the new one is enabled: until then nothing is lost.
    """

    key: Key
    version: str
    clear: tuple[RemoteSubscription, ...] = ()
    retire: tuple[RemoteSubscription, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`create` comes in the order of importance. What is in `retiring` waits for a pending successor."""

    create: tuple[Creation, ...] = ()
    delete: tuple[RemoteSubscription, ...] = ()
    keep: tuple[RemoteSubscription, ...] = ()
    pending: tuple[RemoteSubscription, ...] = ()
    retiring: tuple[RemoteSubscription, ...] = ()
    foreign: tuple[RemoteSubscription, ...] = ()
    unverified: tuple[Key, ...] = ()
    """Of `create`: those whose handshake failed with this address and this secret."""
    ended: Mapping[str, str] = {}
    """Channel -> the status with which Twitch ended its subscriptions, where creating them anew would not help."""


def make_plan(
    held: Sequence[RemoteSubscription],
    wanted: Sequence[str],
    target: Target,
    fingerprint: str,
    book: Mapping[str, Remembered],
    now: float,
    *,
    targets: Collection[str] = (),
    withheld: Collection[str] = (),
    certain: bool = True,
) -> Plan:
    """Compare what Twitch holds with KINDS for each channel in `wanted` (user ids), all at `target`.

    `fingerprint` is that of the secret in force ("" over a conduit), `book` what we remember by subscription id,
    `targets` all we ever used (as `target_text` writes them), `now` our wall clock. Nothing is made for channels in
    `withheld`. Unless `certain` that `wanted` is all, channels not in it keep their subscriptions.
    """
    here = target_text(target)
    known = {here, *targets}
    ours: dict[Key, list[RemoteSubscription]] = defaultdict(list)
    foreign: list[RemoteSubscription] = []
    for one in (_completed(each, book.get(each.id)) for each in held):
        if one.id in book or (one.type and one.transport.target in known):
            ours[one.key].append(one)
        else:
            foreign.append(one)
    work = _Work(here, fingerprint, book, now, frozenset(withheld))
    users = list(dict.fromkeys(wanted))
    for type_, version in KINDS:
        for user_id in users:
            key = Key(type_, user_id)
            work.settle(key, version, ours.pop(key, []))
    watched = set(users)
    for key, rest in ours.items():
        if certain or key.user_id in watched:
            work.delete += rest
    return Plan(
        create=tuple(work.create),
        delete=tuple(work.delete),
        keep=tuple(work.keep),
        pending=tuple(work.pending),
        retiring=tuple(work.retiring),
        foreign=tuple(foreign),
        unverified=tuple(work.unverified),
        ended=work.ended,
    )


def _completed(held: RemoteSubscription, made: Remembered | None) -> RemoteSubscription:
    """One of ours, with what Twitch leaves out as we created it."""
    if made is None or (held.type and held.user_id and held.status and held.transport.method):
        return held
    kind, _, where = made.target.partition(" ")
    made_to = RemoteTransport(method=kind, **({"callback": where} if kind == "webhook" else {"conduit_id": where}))
    return msgspec.structs.replace(
        held,
        type=held.type or made.type,
        status=held.status or ENABLED,
        condition=held.condition if held.user_id else {"broadcaster_user_id": made.user_id},
        transport=held.transport if held.transport.method else made_to,
    )


class _Work:
    """The parts of a plan, filled key by key."""

    def __init__(
        self, here: str, fingerprint: str, book: Mapping[str, Remembered], now: float, withheld: frozenset[str]
    ) -> None:
        self._here = here
        self._fingerprint = fingerprint
        self._book = book
        self._now = now
        self._withheld = withheld
        self.create: list[Creation] = []
        self.delete: list[RemoteSubscription] = []
        self.keep: list[RemoteSubscription] = []
        self.pending: list[RemoteSubscription] = []
        self.retiring: list[RemoteSubscription] = []
        self.unverified: list[Key] = []
        self.ended: dict[str, str] = {}

    def settle(self, key: Key, version: str, mine: list[RemoteSubscription]) -> None:
        """Decide what becomes of all of ours for `key`."""
        good = [one for one in mine if one.version in {"", version} and self._is_as_we_make_it(one)]
        best = next((one for one in good if one.status == ENABLED), None)
        if best is not None:
            self.keep.append(best)
            self.delete += [one for one in mine if one is not best]
            return
        here = [one for one in mine if one.transport.target == self._here]
        elsewhere = [one for one in mine if one.transport.target != self._here]
        alive = tuple(one for one in elsewhere if one.is_alive)
        self.delete += [one for one in elsewhere if not one.is_alive]
        self.retiring += alive
        young = next((one for one in good if one.status == PENDING and self._is_young(one)), None)
        ended = next((one.status for one in mine if one.status in ENDED_BY_USER), None)
        if young is not None:
            self.pending.append(young)
            self.delete += [one for one in here if one is not young]
        elif ended is not None or key.user_id in self._withheld:
            self.delete += here
            if ended is not None:
                self.ended[key.user_id] = ended
        else:
            self.create.append(Creation(key=key, version=version, clear=tuple(here), retire=alive))
            if any(one.status in {UNVERIFIED, PENDING} for one in good):
                self.unverified.append(key)

    def _is_as_we_make_it(self, held: RemoteSubscription) -> bool:
        """At the right place and, for a webhook, made with the secret in force: one we don't know may be another's."""
        if held.transport.target != self._here:
            return False
        remembered = self._book.get(held.id)
        return not self._fingerprint or (remembered is not None and remembered.fingerprint == self._fingerprint)

    def _is_young(self, held: RemoteSubscription) -> bool:
        remembered = self._book.get(held.id)
        return remembered is not None and 0 <= self._now - remembered.created_at < PENDING_SECONDS
