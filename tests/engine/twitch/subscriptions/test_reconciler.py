"""The reconciler over real sockets: what Twitch holds at the end, and what people are told meanwhile."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.core.errors import SecretsLockedError, UsageError
from itsjustintv_desktop.engine.core.events import SubscriptionsChanged
from itsjustintv_desktop.engine.core.models import Conduit, Webhook
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus, SubscriptionsState
from itsjustintv_desktop.engine.twitch.subscriptions.models import fingerprint_of
from itsjustintv_desktop.engine.twitch.tokens import Credentials
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.engine.twitch.subscriptions.rig import Rig
from tests.support.waiting import until


async def test_what_is_missing_is_made_and_found_enabled(rig: Rig) -> None:
    users = rig.channels(3)
    rig.run()
    assert await rig.resting() == 10.0  # it looks again for the handshakes
    assert rig.reconciler.status.state is SubscriptionsState.WORKING
    assert {state.status for state in rig.reconciler.states.values()} == {ChannelStatus.PENDING}
    await rig.handshakes()
    assert await rig.on(10.0) > 3000.0
    status = rig.reconciler.status
    assert (status.state, status.wanted, status.enabled, status.pending) == (SubscriptionsState.OK, 6, 6, 0)
    assert (status.cost, status.max_cost, status.foreign) == (6, 10_000, 0)
    assert rig.at() == rig.wanted()
    assert {state.status for state in rig.reconciler.states.values()} == {ChannelStatus.OK}
    assert list(rig.reconciler.states) == users
    book = await rig.ledger.subscriptions()
    assert set(book) == {held.id for held in rig.held}
    assert {each.fingerprint for each in book.values()} == {fingerprint_of(rig.secret or "")}
    assert await rig.ledger.targets() == [f"webhook {rig.callback()}"]


async def test_going_live_is_subscribed_to_before_going_offline(rig: Rig) -> None:
    rig.channels(8)
    rig.run()
    await rig.resting()
    kinds = [held.type for held in rig.held]
    assert kinds.index("stream.offline") >= 8 - 4  # four at a time
    assert kinds[:5] == ["stream.online"] * 5


async def test_it_rests_for_an_hour_more_or_less_and_then_repairs(rig: Rig) -> None:
    rig.channels(2)
    await rig.begin()
    hour = await rig.on(10.0)
    assert 0.9 * 3600 - 10 <= hour <= 1.1 * 3600
    rig.simulator.eventsub.subscriptions.remove(rig.held[0].id)
    await rig.on(hour)
    await rig.handshakes()
    await rig.on(10.0)
    assert rig.at() == rig.wanted()


async def test_every_page_is_read(rig: Rig) -> None:
    rig.simulator.eventsub.subscriptions.page_size = 3
    rig.channels(4)
    await rig.sync()
    report = await rig.reconciler.sync()
    assert (report.created, report.deleted, report.kept) == (0, 0, 8)


async def test_a_channel_no_longer_watched_and_one_newly_watched(rig: Rig) -> None:
    first, second, third = rig.channels(3)
    rig.watched = [first, second]
    await rig.sync()
    rig.watched = [second, third]
    report = await rig.sync()
    assert (report.created, report.deleted, report.kept) == (2, 2, 2)
    assert rig.at() == rig.wanted()


async def test_while_it_is_not_certain_who_is_watched_nothing_goes(rig: Rig) -> None:
    first, second = rig.channels(2)
    await rig.sync()
    rig.watched, rig.certain = [first], False
    assert (await rig.reconciler.sync()).deleted == 0
    rig.certain = True
    assert (await rig.reconciler.sync()).deleted == 2
    assert {user for _, user in rig.at()} == {first}
    assert second not in rig.reconciler.states


async def test_other_programs_are_left_alone(rig: Rig) -> None:
    (user,) = rig.channels(1)
    foreign = await rig.simulator.subscribe(user, "stream.online", "http://127.0.0.1:9/other")
    await rig.begin()
    await rig.on(10.0)
    rig.watched = []
    await rig.nudged()
    assert [held.id for held in rig.held] == [foreign.id]
    assert rig.reconciler.status.foreign == 1


async def test_a_new_address_is_subscribed_before_the_old_one_goes(rig: Rig) -> None:
    rig.channels(2)
    await rig.begin()
    await rig.on(10.0)
    new = rig.callback(query="?new")
    rig.target = Webhook(new)
    rig.reconciler.trigger_if_moved()
    await until(lambda: rig.clock.sleeping == [1.0])
    await rig.on(1.0)
    assert rig.at() == rig.wanted(), "the old ones stay until Twitch has checked the new ones"
    await rig.handshakes()
    await rig.on(10.0)
    assert rig.at(new) == rig.wanted()
    assert rig.at() == {}
    assert rig.reconciler.status.state is SubscriptionsState.OK
    assert len(await rig.ledger.targets()) == 2


async def test_leftovers_at_an_address_of_ours_are_cleared_away_after_the_book_is_lost(rig: Rig) -> None:
    (user,) = rig.channels(1)
    for callback in ("http://127.0.0.1:9/old", rig.callback()):
        await rig.simulator.subscribe(user, "stream.online", callback)
    await rig.simulator.subscribe(user, "channel.update", rig.callback())
    await rig.ledger.remember_target("webhook http://127.0.0.1:9/old")
    await rig.sync()
    await rig.reconciler.sync()
    assert len(rig.held) == 2
    assert rig.at() == rig.wanted()


async def test_another_secret_makes_them_anew(rig: Rig) -> None:
    rig.channels(2)
    await rig.sync()
    before = {held.id for held in rig.held}
    rig.secret = "another-secret-altogether"
    rig.public.secrets = (rig.secret.encode(), *rig.public.secrets)
    report = await rig.sync()
    assert (report.created, report.deleted) == (4, 4)
    assert before.isdisjoint(held.id for held in rig.held)
    assert {held.transport.secret for held in rig.held} == {rig.secret}
    assert rig.at() == rig.wanted()


async def test_one_at_our_callback_with_an_unknown_secret_is_made_anew(rig: Rig) -> None:
    (user,) = rig.channels(1)
    await rig.simulator.subscribe(user, "stream.online", rig.callback(), secret="of-the-go-service")
    report = await rig.sync()
    assert (report.created, report.deleted) == (2, 1)
    assert {held.transport.secret for held in rig.held} == {rig.secret}


async def test_nothing_to_point_at_or_no_secret_is_said_and_waited_for(rig: Rig) -> None:
    rig.channels(1)
    target, rig.target = rig.target, None
    rig.run()
    assert await rig.resting() == 5.0
    assert (rig.reconciler.status.code, rig.reconciler.status.state) == ("no_target", SubscriptionsState.WAITING)
    with pytest.raises(UsageError):
        await rig.reconciler.sync()
    rig.target, secret, rig.secret = target, rig.secret, None
    rig.reconciler.trigger("address")
    await until(lambda: rig.clock.sleeping == [1.0])
    rig.clock.advance(1.0)
    await until(lambda: rig.reconciler.status.code == "no_secret")
    with pytest.raises(UsageError, match="secret"):
        await rig.reconciler.sync()
    rig.secret = secret
    assert rig.simulator.calls["subscriptions"] == 0
    await rig.clock.run_until(lambda: len(rig.held) == 2)


async def test_credentials_twitch_refuses_are_a_persons_matter(rig: Rig) -> None:
    rig.channels(1)
    rig.credentials = Credentials("nobody", "nothing")
    rig.run()
    assert await rig.resting() == 30.0
    assert (rig.reconciler.status.state, rig.reconciler.status.code) == (SubscriptionsState.FAILING, "refused")
    assert rig.reconciler.status.fix


async def test_twitch_being_down_is_waited_out_with_growing_pauses(rig: Rig) -> None:
    rig.channels(2)
    rig.simulator.faults.set("subscriptions", status=400)
    rig.run()
    pauses = [await rig.resting()]
    for _ in range(6):
        pauses.append(await rig.on(pauses[-1]))
    assert pauses == [30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    assert (rig.reconciler.status.state, rig.reconciler.status.code) == (SubscriptionsState.WAITING, "twitch")
    rig.simulator.faults.clear()
    await rig.on(pauses[-1])
    assert len(rig.held) == 4


async def test_progress_is_told(rig: Rig) -> None:
    rig.channels(10)
    await rig.reconciler.sync()
    told = [event for event in rig.bus.heard if isinstance(event, SubscriptionsChanged)]
    steps = [event.done for event in told if event.total == 20]
    assert steps == sorted(steps)
    assert {1, 20} <= set(steps)
    assert told[-1].total == 0
    assert told[-1].wanted == 20


async def test_the_listing_marks_ours(rig: Rig) -> None:
    (user,) = rig.channels(1)
    foreign = await rig.simulator.subscribe(user, "stream.online", "http://127.0.0.1:9/other")
    await rig.reconciler.sync()
    holdings, views = await rig.reconciler.listing()
    assert holdings.total_cost == 2  # the foreign one's handshake failed: it costs nothing
    assert {view.id: view.ours for view in views} == {held.id: held.id != foreign.id for held in rig.held}
    assert views[0].target == "webhook http://127.0.0.1:9/other"
    assert "secret" not in repr(views)


async def test_deleting_one(rig: Rig) -> None:
    rig.channels(1)
    await rig.reconciler.sync()
    victim = rig.held[0].id
    assert await rig.reconciler.delete(victim)
    assert not await rig.reconciler.delete(victim)
    assert victim not in await rig.ledger.subscriptions()
    assert {held.status for held in rig.held} <= {SubscriptionStatus.PENDING, SubscriptionStatus.ENABLED}


def _at(rig: Rig, conduit_id: str) -> int:
    """How many enabled ones point to that conduit."""
    return sum(
        held.transport.conduit_id == conduit_id and held.status is SubscriptionStatus.ENABLED
        for held in rig.held
        if held.transport.method == "conduit"
    )


async def test_they_are_enabled_at_once_and_need_no_secret(rig: Rig) -> None:
    rig.channels(3)
    rig.secret = None
    conduit = rig.simulator.conduits.create(1)
    rig.target = Conduit(conduit.id)
    rig.run()
    assert await rig.resting() > 3000.0
    assert _at(rig, conduit.id) == 6
    assert rig.reconciler.status.state is SubscriptionsState.OK
    assert {each.fingerprint for each in (await rig.ledger.subscriptions()).values()} == {""}


async def test_from_a_webhook_to_a_conduit_in_one_round(rig: Rig) -> None:
    rig.channels(2)
    await rig.sync()
    conduit = rig.simulator.conduits.create(1)
    rig.target = Conduit(conduit.id)
    report = await rig.reconciler.sync()
    assert (report.created, report.deleted) == (4, 4)
    assert _at(rig, conduit.id) == len(rig.held) == 4


async def test_after_a_conduit_is_gone_a_new_one_gets_them_all_at_once(rig: Rig) -> None:
    rig.channels(2)
    rig.target = Conduit("26b1c993-bfcf-44d9-b876-379dacafe75a")
    rig.run()
    await rig.resting()
    assert rig.reconciler.status.state is SubscriptionsState.FAILING
    assert {state.status for state in rig.reconciler.states.values()} == {ChannelStatus.FAILING}
    conduit = rig.simulator.conduits.create(1)
    rig.target = Conduit(conduit.id)
    rig.reconciler.trigger_if_moved()
    await until(lambda: rig.clock.sleeping == [1.0])
    await rig.on(1.0)
    assert _at(rig, conduit.id) == 4
    assert rig.reconciler.status.code == "ok"


async def test_the_way_changing_in_another_respect_makes_no_round(rig: Rig) -> None:
    rig.channels(1)
    rig.target = Conduit(rig.simulator.conduits.create(1).id)
    rig.run()
    pause = await rig.resting()
    rig.reconciler.trigger_if_moved()
    rig.target = None
    rig.reconciler.trigger_if_moved()
    assert not rig.reconciler._triggered.is_set()
    assert rig.clock.sleeping == [pause]


async def test_a_rate_limit_in_the_middle_is_waited_out(rig: Rig) -> None:
    rig.channels(4)
    rig.target = Conduit(rig.simulator.conduits.create(1).id)
    await rig.api.list_all()
    create, tries = rig.api.create, 0

    async def limited(*arguments: object, **named: object) -> object:
        nonlocal tries
        tries += 1
        if tries == 3:
            rig.simulator.faults.set("subscriptions", status=429, times=1, reset_in=40)
        return await create(*arguments, **named)  # type: ignore[arg-type]

    rig.api.create = limited  # type: ignore[method-assign,assignment]
    task = rig.tasks.start("test.sync", rig.reconciler.sync())
    await rig.clock.run_until(task.done)
    report = task.result()
    assert (report.created, report.problems) == (8, ())
    assert tries > 8


async def test_a_locked_keyring_is_waited_for(rig: Rig) -> None:
    rig.channels(1)
    rig.target = Webhook(rig.callback())

    async def locked() -> object:
        raise SecretsLockedError("The keyring is locked. Unlock it.")

    rig.client._tokens._credentials = locked  # type: ignore[assignment]
    rig.run()
    assert await rig.resting() == 30.0
    status = rig.reconciler.status
    assert (status.state, status.code) == (SubscriptionsState.WAITING, "secrets")
    assert "Unlock it" in status.message
