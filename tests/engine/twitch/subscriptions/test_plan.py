"""The plan alone, and carried out on a model of Twitch's rules whatever the beginning."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.errors import NotFoundError, SubscriptionExistsError, SubscriptionLimitError
from itsjustintv_desktop.engine.core.models import Conduit, Target, Webhook
from itsjustintv_desktop.engine.storage.ledger.subscribing import Remembered
from itsjustintv_desktop.engine.twitch.subscriptions.apply import PlanRunner, SubscriptionsApi
from itsjustintv_desktop.engine.twitch.subscriptions.models import (
    ENABLED,
    KINDS,
    PENDING,
    UNVERIFIED,
    Holdings,
    Key,
    Plan,
    RemoteSubscription,
    RemoteTransport,
    fingerprint_of,
    make_plan,
    target_of,
    target_text,
)
from tests.support.clock import FakeClock

HERE, OLD, FOREIGN = Webhook("https://here/twitch"), Webhook("https://old/twitch"), Webhook("https://other/hook")
OURS = Conduit("our-conduit")
SECRET, BEFORE = "the-secret-in-force", "the-secret-before"
PRINT = fingerprint_of(SECRET)
NOW = 1_790_000_000.0
KEY = Key("stream.online", "1")


def held(
    number: int | str = 1,
    target: Target = HERE,
    status: str = ENABLED,
    key: Key = KEY,
    version: str = "1",
) -> RemoteSubscription:
    transport = (
        RemoteTransport(method="conduit", conduit_id=target.conduit_id)
        if isinstance(target, Conduit)
        else RemoteTransport(method="webhook", callback=target.callback)
    )
    return RemoteSubscription(
        id=str(number), status=status, type=key.type, version=version,
        condition={"broadcaster_user_id": key.user_id}, transport=transport, cost=1,
    )  # fmt: skip


def remembered(one: RemoteSubscription, secret: str = SECRET, age: float = 3600.0) -> Remembered:
    return Remembered(
        id=one.id, type=one.type, user_id=one.user_id, target=one.transport.target,
        fingerprint=fingerprint_of(secret), created_at=NOW - age,
    )  # fmt: skip


def plan_of(
    *ours: RemoteSubscription, secret: str = SECRET, age: float = 3600.0, wanted: Sequence[str] = ("1",), **more: object
) -> Plan:
    """Everything given is in the book."""
    book = {one.id: remembered(one, secret, age) for one in ours}
    return make_plan(ours, wanted, HERE, PRINT, book, NOW, **more)  # type: ignore[arg-type]


def test_fingerprints_tell_secrets_apart_and_nothing_else() -> None:
    assert fingerprint_of(SECRET) != fingerprint_of(BEFORE)
    assert len(PRINT) == 16
    assert fingerprint_of("") == ""


@pytest.mark.parametrize("target", [HERE, OURS])
def test_targets_are_written_and_read(target: Target) -> None:
    assert target_of(target_text(target)) == target
    assert target_of("websocket abc") is None
    assert target_of("webhook ") is None


def test_online_of_all_comes_before_offline_of_any() -> None:
    plan = make_plan((), ["1", "2", "1"], HERE, PRINT, {}, NOW)
    assert [one.key for one in plan.create] == [
        Key("stream.online", "1"), Key("stream.online", "2"), Key("stream.offline", "1"), Key("stream.offline", "2")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "age", "waits"),
    [(PENDING, 59.0, True), (PENDING, 60.0, False), (PENDING, -5.0, False), (UNVERIFIED, 5.0, False)],
)
def test_a_handshake_gets_a_minute(status: str, age: float, waits: bool) -> None:
    plan = plan_of(held(status=status), age=age)
    assert (KEY in {one.key for one in plan.create}) is not waits
    assert (KEY in plan.unverified) is not waits
    assert bool(plan.pending) is waits


def test_a_pending_one_with_the_secret_before_is_made_anew_at_once() -> None:
    plan = plan_of(held(status=PENDING), secret=BEFORE, age=5.0)
    (creation,) = [one for one in plan.create if one.key == KEY]
    assert [one.id for one in creation.clear] == ["1"]
    assert plan.unverified == ()


def test_one_elsewhere_stays_until_its_successor_is_enabled() -> None:
    old, new = held(1, OLD), held(2, status=PENDING)
    plan = plan_of(old, new, age=5.0)
    assert plan.retiring == (old,)
    assert old not in plan.delete
    enabled = msgspec.structs.replace(new, status=ENABLED)
    assert plan_of(old, enabled).delete == (old,)


def test_another_version_or_another_type_of_ours_goes() -> None:
    other = held(2, key=Key("channel.update", "1"))
    plan = plan_of(held(1, version="beta"), other)
    assert [one.clear for one in plan.create if one.key == KEY] == [(held(1, version="beta"),)]
    assert other in plan.delete


def test_over_a_conduit_one_that_is_not_in_the_book_is_good_enough() -> None:
    there = held(1, OURS)
    assert make_plan([there], ["1"], OURS, "", {}, NOW).keep == (there,)


# A model of Twitch's rules, and everything that may stand there at the beginning.


class Model(SubscriptionsApi):
    """Twitch: one of a (type, channel, target) alive, three of a (type, channel), so much cost. Also the book."""

    def __init__(self, items: Sequence[RemoteSubscription], book: dict[str, Remembered], prompt: bool) -> None:
        self.items = {one.id: one for one in items}
        self.book = book
        self.prompt = prompt
        self.most = 10_000
        self.number = 1000

    def spare(self) -> bool:
        return True

    async def list_all(self, *, user_id: str | None = None) -> Holdings:
        items = tuple(one for one in self.items.values() if user_id in {None, one.user_id})
        return Holdings(
            items=items, total_cost=sum(one.cost for one in items if one.is_alive), max_total_cost=self.most
        )

    async def create(self, type: str, version: str, user_id: str, target: Target, secret: str) -> RemoteSubscription:  # noqa: A002
        assert bool(secret) is isinstance(target, Webhook)
        alike = [one for one in self.items.values() if one.is_alive and one.key == (type, user_id)]
        if any(one.transport.target == target_text(target) for one in alike):
            raise SubscriptionExistsError("exists", status=409)
        if len(alike) >= 3:
            raise SubscriptionLimitError("alike", kind="alike")
        self.number += 1
        made = held(
            self.number, target, PENDING if isinstance(target, Webhook) else ENABLED, Key(type, user_id), version
        )
        self.items[made.id] = made
        if self.prompt:
            self.verify()
        return made

    async def delete(self, subscription_id: str) -> bool:
        if subscription_id not in self.items:
            raise NotFoundError(subscription_id)
        del self.items[subscription_id]
        return True

    async def remember_subscription(self, made: Remembered) -> None:
        self.book[made.id] = made

    def verify(self) -> None:
        """Every handshake at our address succeeds."""
        for one in self.items.values():
            if one.status == PENDING and (one.id in self.book or int(one.id) > 1000):
                self.items[one.id] = msgspec.structs.replace(one, status=ENABLED)

    def served(self, ours: set[str]) -> Counter[Key]:
        """By what of ours events would come now."""
        return Counter(one.key for one in self.items.values() if one.status == ENABLED and one.id in ours)


_STATUSES = st.sampled_from(
    [ENABLED, ENABLED, PENDING, UNVERIFIED, "notification_failures_exceeded", "version_removed", "beta_maintenance"]
)
_KEYS = st.builds(Key, st.sampled_from([*(kind for kind, _ in KINDS), "channel.update"]), st.sampled_from("123"))
_TARGETS: st.SearchStrategy[Target] = st.sampled_from(
    [HERE, OLD, OURS, Conduit("older-conduit"), FOREIGN, Conduit("their-conduit")]
)
_FOREIGN = {target_text(FOREIGN), "conduit their-conduit"}


@st.composite
def beginnings(draw: st.DrawFn) -> tuple[list[RemoteSubscription], dict[str, Remembered]]:
    """What Twitch may hold by its own rules, some of it in our book, made with this secret or the one before."""
    items: list[RemoteSubscription] = []
    book: dict[str, Remembered] = {}
    taken: Counter[object] = Counter()
    for number in range(draw(st.integers(0, 14))):
        one = held(number, draw(_TARGETS), draw(_STATUSES), draw(_KEYS), draw(st.sampled_from(["1", "1", "1", "2"])))
        foreign = one.transport.target in _FOREIGN
        if one.is_alive:
            if (
                taken[one.key, one.transport.target]
                or taken[one.key] >= 3
                or (foreign and taken[one.key, "foreign"] >= 2)
            ):
                continue
            taken[one.key, one.transport.target] += 1
            taken[one.key] += 1
            taken[one.key, "foreign"] += foreign
        items.append(one)
        if not foreign and draw(st.booleans()):
            secret = "" if one.transport.method == "conduit" else draw(st.sampled_from([SECRET, BEFORE]))
            book[one.id] = remembered(one, secret, draw(st.sampled_from([5.0, 3600.0])))
    return items, book


@settings(max_examples=300, deadline=None)
@given(
    beginning=beginnings(),
    wanted=st.lists(st.sampled_from("123"), max_size=3),
    target=st.sampled_from([HERE, OURS]),
    prompt=st.booleans(),
)
def test_carried_out_it_ends_in_exactly_what_is_wanted(
    beginning: tuple[list[RemoteSubscription], dict[str, Remembered]], wanted: list[str], target: Target, prompt: bool
) -> None:
    items, book = beginning
    foreign = [one for one in items if one.transport.target in _FOREIGN]
    targets = [target_text(OLD), "conduit older-conduit", target_text(HERE), target_text(OURS)]
    secret = SECRET if target == HERE else ""
    model, clock = Model(items, dict(book), prompt), FakeClock(wall=NOW)
    good = {one.id for one in items if one.transport.target == target_text(target) and one.id in book}

    async def carry_out() -> Plan:
        for _ in range(4):
            found = await model.list_all()
            plan = make_plan(
                found.items, wanted, target, fingerprint_of(secret), model.book, clock.now(), targets=targets
            )
            if not (plan.create or plan.delete or plan.pending or plan.retiring):
                return plan
            carrier = PlanRunner(model, model, target, secret, clock=clock)
            outcome = await carrier.carry_out(plan.create, plan.delete, room=10_000)
            assert [outcome.refused, outcome.failed, outcome.not_deleted, outcome.stopped] == [{}, {}, [], None]
            model.verify()
        raise AssertionError("it does not come to an end")

    plan = asyncio.run(carry_out())
    assert [model.items[one.id] for one in foreign] == foreign, "foreign ones are as they were"
    left = [one for one in model.items.values() if one.transport.target not in _FOREIGN]
    assert Counter((one.type, one.user_id, one.version) for one in left) == Counter(
        (kind, user, version) for kind, version in KINDS for user in set(wanted)
    )
    assert {one.transport.target for one in left} <= {target_text(target)}
    assert all(one.status == ENABLED for one in left)
    if secret:
        assert {model.book[one.id].fingerprint for one in left} <= {fingerprint_of(secret)}
    kept = good & {one.id for one in left}
    assert kept == {one.id for one in plan.keep} & good


@settings(max_examples=200, deadline=None)
@given(beginning=beginnings(), prompt=st.booleans())
def test_on_the_way_to_another_address_no_channel_goes_unheard(
    beginning: tuple[list[RemoteSubscription], dict[str, Remembered]], prompt: bool
) -> None:
    """A channel that is heard at the old address is heard at every moment, unless Twitch has no room for both."""
    items, book = beginning
    wanted = ["1", "2", "3"]
    model, clock = Model(items, dict(book), prompt), FakeClock(wall=NOW)
    targets = [target_text(OLD), "conduit older-conduit", target_text(HERE), target_text(OURS)]
    elsewhere = {one.id for one in items if one.transport.target in {target_text(OLD), "conduit older-conduit"}}
    crowded = {key for key, count in Counter(one.key for one in items if one.is_alive).items() if count >= 3}
    must = {key for key in model.served(elsewhere) if key.user_id in wanted and key.type != "channel.update"} - crowded
    delete = model.delete

    async def watched_delete(subscription_id: str) -> bool:
        done = await delete(subscription_id)
        ours = {one.id for one in model.items.values() if one.transport.target not in _FOREIGN}
        assert must <= set(model.served(ours)), "one went before its successor was there"
        return done

    model.delete = watched_delete  # type: ignore[method-assign]

    async def carry_out() -> None:
        for _ in range(4):
            found = await model.list_all()
            plan = make_plan(found.items, wanted, HERE, PRINT, model.book, clock.now(), targets=targets)
            outcome = await PlanRunner(model, model, HERE, SECRET, clock=clock).carry_out(
                plan.create, plan.delete, room=99
            )
            assert outcome.stopped is None
            model.verify()

    asyncio.run(carry_out())
