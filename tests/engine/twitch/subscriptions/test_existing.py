"""What Twitch has already, and what it leaves out of what it has: nothing is an error that works."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from itsjustintv_desktop.engine.core.errors import SubscriptionExistsError
from itsjustintv_desktop.engine.core.models import Conduit
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus
from itsjustintv_desktop.engine.twitch.subscriptions.models import Holdings, RemoteSubscription
from tests.engine.twitch.subscriptions.rig import Rig
from tests.support.bent import MISSING, bend, put


async def _exists(rig: Rig, monkeypatch: pytest.MonkeyPatch, *, named: bool = True, shown: bool = False) -> set[str]:
    """Twitch has both already and we do not know: their ids. A 409 names the id; lists show them if `shown`."""
    rig.channels(1)
    await rig.sync()
    ours = {held.id for held in rig.held}
    await rig.ledger.forget_subscriptions(list(ours))
    by_type = {held.type: held.id for held in rig.held}
    plain = rig.api.create

    async def create(type: str, *arguments: Any, **details: Any) -> RemoteSubscription:  # noqa: A002
        try:
            return await plain(type, *arguments, **details)
        except SubscriptionExistsError as error:
            error.existing = by_type[type] if named else ""
            raise

    async def none(**_: object) -> Holdings:
        return Holdings(max_total_cost=10_000)

    monkeypatch.setattr(rig.api, "create", create)
    if not shown:
        monkeypatch.setattr(rig.api, "list_all", none)
    return ours


@pytest.mark.fault(
    "Twitch: it answers 409 to a subscription whose messages arrive",
    seen="Nothing: the one there is is used, as the answer names it.",
)
@pytest.mark.parametrize("shown", [False, True])
async def test_one_that_exists_and_sends_us_messages_is_used(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    ours = await _exists(rig, monkeypatch, shown=shown)
    rig.signed = dict.fromkeys(ours, rig.secret)
    deleted = rig.simulator.calls["subscriptions"]
    report = await rig.reconciler.sync()
    assert report.problems == ()
    assert {held.id for held in rig.held} == ours, "none was made anew"
    assert set(await rig.ledger.subscriptions()) == ours
    assert rig.reconciler.status.code == "ok"
    assert {state.status for state in rig.reconciler.states.values()} == {ChannelStatus.OK}
    assert rig.simulator.calls["subscriptions"] - deleted <= 2


async def test_one_that_exists_with_another_secret_is_made_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its messages would be refused."""
    ours = await _exists(rig, monkeypatch)
    rig.signed = dict.fromkeys(ours, "another secret than the present one")
    report = await rig.sync()
    assert report.problems == ()
    assert not ours.intersection(held.id for held in rig.held)
    assert rig.at() == rig.wanted()


async def test_one_that_exists_and_is_neither_named_nor_shown_is_no_failure(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await _exists(rig, monkeypatch, named=False)
    report = await rig.reconciler.sync()
    assert report.problems == ()
    assert {held.id for held in rig.held} == ours
    assert await rig.ledger.subscriptions() == {}, "whose secret is not known is not taken for ours"
    assert rig.reconciler.status.code == "pending"
    assert {state.status for state in rig.reconciler.states.values()} == {ChannelStatus.PENDING}


@pytest.mark.parametrize("shown", [False, True])
async def test_one_that_exists_over_a_conduit_is_used(rig: Rig, monkeypatch: pytest.MonkeyPatch, shown: bool) -> None:
    rig.target, rig.secret = Conduit(rig.simulator.conduits.create(1).id), None
    ours = await _exists(rig, monkeypatch, shown=shown)
    report = await rig.reconciler.sync()
    assert report.problems == ()
    assert {held.id for held in rig.held} == ours
    assert rig.reconciler.status.code == "ok"
    if not shown:
        assert set(await rig.ledger.subscriptions()) == ours


async def test_what_a_list_without_an_end_does_not_show_is_not_forgotten(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.channels(1)
    await rig.sync()
    ours = set(await rig.ledger.subscriptions())
    plain = rig.api.list_all

    async def cut(**details: Any) -> Holdings:
        found = await plain(**details)
        return msgspec.structs.replace(found, items=found.items[:1], complete=False)

    monkeypatch.setattr(rig.api, "list_all", cut)
    await rig.reconciler.sync()
    assert ours <= set(await rig.ledger.subscriptions())


@pytest.mark.parametrize("value", [None, MISSING, 5, [], {}])
@pytest.mark.parametrize("field", ["status", "type", "version", "condition", "transport", "created_at", "cost"])
async def test_what_twitch_leaves_out_of_ours_is_as_we_made_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, field: str, value: object
) -> None:
    rig.channels(2)
    await rig.sync()
    ours = {held.id for held in rig.held}

    def change(told: dict[str, Any]) -> dict[str, Any]:
        return told | {"data": [put(each, (field,), value) for each in told["data"]]}

    bend(monkeypatch, rig.http, "/subscriptions", change)
    report = await rig.reconciler.sync()
    assert (report.created, report.deleted, report.kept, report.problems) == (0, 0, 4, ())
    assert {held.id for held in rig.held} == ours


async def test_what_is_not_said_to_be_about_a_type_is_left_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.channels(1)
    await rig.sync()
    ours = {held.id for held in rig.held}
    await rig.ledger.forget_subscriptions(list(ours))

    def change(told: dict[str, Any]) -> dict[str, Any]:
        return told | {"data": [put(each, ("type",), None) for each in told["data"]]}

    with monkeypatch.context() as patch:
        bend(patch, rig.http, "/subscriptions", change)
        rig.watched = []
        report = await rig.reconciler.sync()
    assert (report.deleted, report.foreign) == (0, 2)
