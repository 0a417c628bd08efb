"""Addresses that do not answer, channels that Twitch refuses, revocations, limits: what it does and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.core.errors import SubscriptionLimitError
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.twitch import client as client_module
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelStatus, SubscriptionsState
from itsjustintv_desktop.engine.twitch.subscriptions.models import RemoteSubscription
from itsjustintv_desktop.simulator.subscriptions import SubscriptionStatus
from tests.engine.twitch.subscriptions.rig import Rig, running
from tests.support.waiting import until

NOBODY = "http://127.0.0.1:9/twitch"


async def _broken(rig: Rig, channels: int) -> None:
    """Everything was made at an address where nobody answers, and Twitch has found that out."""
    rig.channels(channels)
    rig.target = Webhook(NOBODY)
    await rig.begin()


async def test_an_address_that_does_not_answer_is_said_and_tried_with_one(rig: Rig) -> None:
    await _broken(rig, 5)
    made = rig.simulator.calls["subscriptions"]
    pause = await rig.on(10.0)
    status = rig.reconciler.status
    assert (status.state, status.code) == (SubscriptionsState.FAILING, "unverified")
    assert NOBODY in status.message
    assert "doctor" in status.fix
    assert {state.status for state in rig.reconciler.states.values()} == {ChannelStatus.FAILING}
    assert pause == 30.0
    assert rig.simulator.calls["subscriptions"] == made + 1, "it only looked"
    await rig.on(pause)
    assert rig.simulator.calls["subscriptions"] == made + 1 + 3, "listed; one deleted and made, not ten"
    await rig.handshakes()
    assert await rig.on(10.0) == 60.0
    assert rig.reconciler.status.code == "unverified"


async def test_a_try_that_twitch_refuses_is_no_reason_to_ask_every_second(rig: Rig) -> None:
    await _broken(rig, 1)
    pause = await rig.on(10.0)

    async def refused(*_: object, **__: object) -> RemoteSubscription:
        raise SubscriptionLimitError("number of subscriptions exceeded", kind="alike")

    rig.api.create = refused  # type: ignore[method-assign]
    pauses = []
    for _ in range(5):
        pause = await rig.on(pause)
        pauses.append(pause)
    assert min(pauses) >= 30.0


async def test_an_address_that_twitch_does_not_take_is_not_the_channels_fault(rig: Rig) -> None:
    rig.channels(1)
    rig.target = Webhook("https://a.example:8443/twitch")
    rig.run()
    await rig.resting()
    (state,) = rig.reconciler.states.values()
    assert "callback" in state.message
    assert "incoming_webhook_url" in state.fix
    assert "login" not in state.fix + rig.reconciler.status.fix


async def test_once_the_address_answers_all_are_made(rig: Rig) -> None:
    await _broken(rig, 5)
    pause = await rig.on(10.0)
    # The same address begins to answer: what Twitch holds moves to the one that does.
    rig.target = Webhook(rig.callback())
    await rig.nudged("address")
    await rig.handshakes()
    await rig.on(10.0)
    assert rig.at() == rig.wanted()
    assert len(rig.held) == 10
    assert rig.reconciler.status.code == "ok"
    assert pause > 0


async def test_an_address_that_heals_is_found_out_by_the_one_that_is_tried(rig: Rig) -> None:
    rig.channels(5)
    secrets, rig.public.secrets = rig.public.secrets, (b"of-somebody-else",)
    await rig.begin()
    pause = await rig.on(10.0)
    assert rig.reconciler.status.code == "unverified"
    rig.public.secrets = secrets
    await rig.on(pause)
    await rig.handshakes()
    assert len([held for held in rig.held if held.status is SubscriptionStatus.ENABLED]) == 1
    await rig.on(10.0)
    await rig.handshakes()
    await rig.on(10.0)
    assert rig.at() == rig.wanted()
    assert len(rig.held) == 10
    assert rig.reconciler.status.code == "ok"


async def test_a_state_that_stays_is_logged_once(rig: Rig) -> None:
    rig.channels(1)
    rig.target = Webhook(NOBODY)
    rig.run()
    await rig.resting()
    codes = []
    for _ in range(12):
        await rig.handshakes()
        await rig.on(rig.clock.sleeping[0])
        codes.append(rig.reconciler.status.code)
    assert set(codes) == {"unverified"}


async def test_a_handshake_that_never_ends_is_begun_again_after_a_minute(rig: Rig) -> None:
    (user,) = rig.channels(1)
    await rig.begin()
    first = rig.held[0]
    first.status = SubscriptionStatus.PENDING
    assert await rig.on(10.0) == 51.0
    await rig.on(51.0)
    await rig.handshakes()
    await rig.clock.run_until(lambda: rig.at() == rig.wanted())
    assert first.id not in {held.id for held in rig.held}
    assert user in rig.reconciler.states


@pytest.mark.parametrize("status", [SubscriptionStatus.FAILURES_EXCEEDED, SubscriptionStatus.VERSION_REMOVED])
async def test_a_revoked_one_is_made_anew_at_once(rig: Rig, status: SubscriptionStatus) -> None:
    (user,) = rig.channels(1)
    await rig.begin()
    await rig.on(10.0)
    victim = rig.held[0]
    victim.status = status
    rig.reconciler.revoked(victim.id, status.value)
    await until(lambda: rig.clock.sleeping == [1.0])
    await rig.on(1.0)
    await rig.handshakes()
    assert rig.at() == rig.wanted()
    assert victim not in rig.held
    await rig.on(10.0)
    assert rig.reconciler.states[user].status is ChannelStatus.OK


@pytest.mark.parametrize("status", [SubscriptionStatus.USER_REMOVED, SubscriptionStatus.AUTHORIZATION_REVOKED])
async def test_one_that_ended_with_its_channel_is_told_and_not_made_anew_until_the_hour(
    rig: Rig, status: SubscriptionStatus
) -> None:
    gone, other = rig.channels(2)
    await rig.begin()
    hour = await rig.on(10.0)
    for held in rig.held:
        if gone in held.condition.values():
            held.status = status
            rig.reconciler.revoked(held.id, status.value)
    assert rig.reconciler.states[gone].status is ChannelStatus.FAILING, "said before anything else is done"
    await until(lambda: rig.clock.sleeping == [1.0])
    await rig.on(1.0)
    await rig.nudged()
    assert {user for _, user in rig.at()} == {other}
    assert len(rig.held) == 2
    state = rig.reconciler.states[gone]
    assert status.value in state.message
    assert (state.status, rig.reconciler.states[other].status) == (ChannelStatus.FAILING, ChannelStatus.OK)
    assert (rig.reconciler.status.state, rig.reconciler.status.code) == (SubscriptionsState.FAILING, "channels")
    await rig.on(hour)
    await rig.handshakes()
    await rig.on(10.0)
    assert rig.at() == rig.wanted()


async def test_one_found_ended_at_the_start_is_told_too(rig: Rig) -> None:
    (user,) = rig.channels(1)
    await rig.sync()
    rig.held[0].status = SubscriptionStatus.USER_REMOVED
    rig.reconciler = rig.new_reconciler()
    rig.run()
    await rig.resting()
    assert "no longer exists" in rig.reconciler.states[user].message


async def test_one_bad_channel_never_stops_the_rest(rig: Rig) -> None:
    good = rig.channels(3)
    rig.watched = ["404404", *good]
    await rig.begin()
    await rig.on(10.0)
    assert {user for _, user in rig.at()} == set(good)
    assert rig.reconciler.states["404404"].status is ChannelStatus.FAILING
    assert "1 of 4 channels" in rig.reconciler.status.message
    calls = rig.simulator.calls["subscriptions"]
    await rig.nudged()
    assert rig.simulator.calls["subscriptions"] == calls + 1, "what was refused waits for the hour"


async def test_others_that_fill_a_channels_places_are_named(rig: Rig) -> None:
    (user,) = rig.channels(1)
    for number in range(3):
        held = await rig.simulator.subscribe(user, "stream.online", f"http://127.0.0.1:9/{number}")
        held.status = SubscriptionStatus.ENABLED
    await rig.reconciler.sync()
    assert "Other programs" in rig.reconciler.states[user].message
    assert "subscriptions list" in rig.reconciler.states[user].fix


async def test_old_ones_of_ours_make_room_when_there_is_none(rig: Rig) -> None:
    (user,) = rig.channels(1)
    for number in range(2):
        held = await rig.simulator.subscribe(user, "stream.online", f"http://127.0.0.1:9/{number}")
        held.status = SubscriptionStatus.ENABLED
    await rig.sync()
    new = rig.callback(query="?new")
    rig.target = Webhook(new)
    await rig.sync()
    await rig.reconciler.sync()
    assert rig.at(new) == rig.wanted()
    assert rig.at() == {}
    assert len(rig.held) == 4


async def test_a_spent_budget_is_said_and_spares_the_calls(rig: Rig) -> None:
    rig.simulator.eventsub.subscriptions.max_total_cost = 12
    rig.channels(20)
    await rig.begin()
    assert rig.reconciler.status.code == "no_budget"
    assert rig.reconciler.status.cost == 12
    assert len(rig.held) == 12
    assert rig.simulator.calls["subscriptions"] <= 1 + 12 + 4
    states = [state.status for state in rig.reconciler.states.values()]
    assert states.count(ChannelStatus.FAILING) == 20
    await rig.on(10.0)
    assert rig.reconciler.status.code == "no_budget", "it is said as long as it is so"


async def test_an_answer_that_got_lost_ends_in_one_subscription(rig: Rig) -> None:
    """Twitch has it, and we do not know: the second try meets a 409."""
    (user,) = rig.channels(1)
    shown = rig.simulator.eventsub.subscriptions.page_size
    await rig.sync()
    ours = {held.id for held in rig.held}
    await rig.ledger.forget_subscriptions(list(ours))
    rig.simulator.eventsub.subscriptions.page_size = shown
    holdings = await rig.api.list_all()
    listed = rig.api.list_all

    async def late(*, user_id: str | None = None) -> object:
        """The list of all does not show them yet."""
        found = await listed(user_id=user_id)
        return found if user_id else type(found)(total_cost=0, max_total_cost=found.max_total_cost)

    rig.api.list_all = late  # type: ignore[method-assign,assignment]
    report = await rig.sync()
    assert (report.created, report.problems) == (2, ())
    assert rig.at() == rig.wanted()
    assert len(holdings.items) == len(rig.held) == 2
    assert user in rig.reconciler.states


async def test_after_five_faults_in_a_row_twitch_is_left_alone(rig: Rig) -> None:
    rig.channels(50)
    await rig.api.list_all()
    create = rig.api.create
    tries = 0

    async def broken(*arguments: object, **named: object) -> object:
        nonlocal tries
        tries += 1
        rig.simulator.faults.set("subscriptions", status=500)
        return await create(*arguments, **named)  # type: ignore[arg-type]

    rig.api.create = broken  # type: ignore[method-assign,assignment]
    report = await rig.reconciler.sync()
    assert tries <= 5 + 4
    assert report.created == 0
    assert report.problems
    assert rig.reconciler.status.state is SubscriptionsState.WAITING


@pytest.mark.parametrize(
    ("channels", "rate"), [(200, 160), pytest.param(1000, 800, marks=pytest.mark.slow)], ids=["200", "1000"]
)
async def test_a_thousand_streamers_stay_within_twitchs_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int, rate: int
) -> None:
    """Or a fifth of them within a fifth of the rate."""
    monkeypatch.setattr(client_module, "_CALLS_A_MINUTE", 100_000)  # it counts real time, and this clock is none
    async with running(tmp_path, rate_limit=rate) as rig:
        rig.channels(channels)
        began = rig.clock.now()
        least: list[int] = []
        rig.bus.on_event = lambda: least.append(rig.client.budget.remaining or 0)
        rig.run()
        await rig.clock.run_until(lambda: rig.reconciler.status.code == "pending", most=2400)
        took = rig.clock.now() - began
        await rig.handshakes()
        await rig.clock.run_until(lambda: rig.reconciler.status.code == "ok", most=1200)
        assert rig.at() == rig.wanted()
        assert len(rig.held) == 2 * channels
        assert min(least) >= rate / 2 - 10, "half of the points stay for announcements"
        assert took > 100, "so many calls in less time would need more than Twitch allows"
        assert rig.client.failures == {}


async def test_when_the_budget_has_room_again_the_rest_is_made(rig: Rig) -> None:
    rig.simulator.eventsub.subscriptions.max_total_cost = 4
    rig.channels(4)
    await rig.begin()
    rig.simulator.eventsub.subscriptions.max_total_cost = 100
    await rig.nudged()
    await rig.handshakes()
    await rig.on(10.0)
    assert rig.at() == rig.wanted()
    assert rig.reconciler.status.code == "ok"
