"""What has to be done so that Twitch holds exactly what is wanted. Pure: no clock, no network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from itsjustintv_desktop.engine.core.models import Target
from itsjustintv_desktop.engine.storage.ledger.subscribing import Remembered
from itsjustintv_desktop.engine.twitch.subscriptions.models import (
    ENABLED,
    ENDED_BY_USER,
    KINDS,
    PENDING,
    PENDING_SECONDS,
    UNVERIFIED,
    Key,
    RemoteSubscription,
    RemoteTransport,
    target_text,
)


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
    """Channel -> the status with which Twitch ended its subscriptions, where making them anew at once is no use."""

    @property
    def is_done(self) -> bool:
        """Nothing to do and nothing to wait for."""
        return not (self.create or self.delete or self.pending or self.retiring)


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
    """What Twitch does not say of one of ours is as we made it."""
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
    """Goes through the wanted ones and gathers."""

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
        """Decide over all of ours that are about `key`."""
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
