from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.messages import signature
from itsjustintv_desktop.simulator.subscriptions import Subscription, SubscriptionStatus
from tests.simulator.conftest import Callback, SteppingClock

HEADER = "Twitch-Eventsub-Message-"


async def subscribed(sim: Simulator, callback: Callback, type_: str = "stream.online") -> Subscription:
    channel = sim.state.find("ada") or sim.add_channel("ada", display_name="エイダ")
    made = await sim.subscribe(channel.user_id, type_, callback.url, "a-secret-of-ours")
    assert made.status is SubscriptionStatus.ENABLED
    callback.got.clear()
    return made


async def test_going_live_reaches_the_callback_signed(sim: Simulator, callback: Callback) -> None:
    made = await subscribed(sim, callback)
    stream = await sim.go_live("ada")
    await sim.eventsub.idle()
    [(headers, body)] = callback.got
    assert headers[HEADER + "Signature"] == signature(
        "a-secret-of-ours", headers[HEADER + "Id"], headers[HEADER + "Timestamp"], body
    )
    assert headers[HEADER + "Type"] == "notification"
    assert headers[HEADER + "Retry"] == "0"
    assert headers["Twitch-Eventsub-Subscription-Type"] == "stream.online"
    message = json.loads(body)
    assert message["subscription"]["id"] == made.id
    assert "secret" not in message["subscription"]["transport"]
    assert message["event"]["id"] == stream.id
    assert message["event"]["broadcaster_user_name"] == "エイダ"
    assert "エイダ".encode() in body
    sent = sim.eventsub.sent[-1]
    assert (sent.status, sent.ok) == (204, True)
    assert sent.elapsed > 0


async def test_offline_and_updates_go_to_those_who_asked(sim: Simulator, callback: Callback) -> None:
    await subscribed(sim, callback, "stream.offline")
    await subscribed(sim, callback, "channel.update")
    stream = await sim.go_live("ada")
    await sim.update_channel("ada", title="Tea time", category="Chess")
    await sim.eventsub.idle()
    await sim.go_offline("ada")
    await sim.eventsub.idle()
    events = [json.loads(body)["event"] for _, body in callback.got]
    assert [event.get("title") for event in events] == ["Tea time", None]
    assert events[0]["category_name"] == "Chess"
    assert events[1]["id"] == stream.id
    assert sim.state.get("ada").stream is None


async def test_nobody_is_told_of_another_channel(sim: Simulator, callback: Callback) -> None:
    await subscribed(sim, callback)
    sim.add_channel("bob")
    await sim.go_live("bob")
    await sim.go_live("ada", notify=False)
    await sim.eventsub.idle()
    assert callback.got == []


@pytest.mark.parametrize("status", [500, 403, 302])
async def test_a_message_not_taken_comes_again_with_the_same_id(
    sim: Simulator, callback: Callback, status: int
) -> None:
    made = await subscribed(sim, callback)
    callback.answers = [status, status]
    await sim.go_live("ada")
    await sim.eventsub.idle()
    assert [headers[HEADER + "Retry"] for headers, _ in callback.got] == ["0", "1", "2"]
    assert len({headers[HEADER + "Id"] for headers, _ in callback.got}) == 1
    assert len({body for _, body in callback.got}) == 1
    assert made.status is SubscriptionStatus.ENABLED
    assert made.failures == 0


async def test_resends_wait_their_delays(clock: SteppingClock, callback: Callback) -> None:
    async with Simulator(clock=clock, resend_delays=(10.0, 60.0)) as sim:
        await subscribed(sim, callback)
        callback.answers = [500, 500]
        await sim.go_live("ada")
        for count, delay in ((1, 10.0), (2, 60.0)):
            async with asyncio.timeout(5):
                while not clock.sleeping:
                    await asyncio.sleep(0.005)
            assert len(callback.got) == count
            assert clock.sleeping == [delay]
            clock.advance(delay)
        await sim.eventsub.idle()
        assert len(callback.got) == 3


async def test_a_slow_answer_is_a_failure(callback: Callback) -> None:
    async with Simulator(answer_timeout=0.2, resend_delays=(0.01,)) as sim:
        made = await subscribed(sim, callback)
        callback.free.clear()
        sent = await sim.send(made, {})
        assert (sent.status, sent.error, sent.ok) == (None, "TimeoutError", False)
        await sim.go_live("ada")
        await sim.eventsub.idle()
        assert [headers[HEADER + "Retry"] for headers, _ in callback.got] == ["0", "0", "1"]
        callback.free.set()


async def test_too_many_failures_switch_the_subscription_off(sim: Simulator, callback: Callback) -> None:
    made = await subscribed(sim, callback)
    callback.answers = [500] * 3
    await sim.go_live("ada")
    await sim.eventsub.idle()
    assert (made.status, made.failures) == (SubscriptionStatus.ENABLED, 1)
    callback.answers = [500] * 3
    await sim.go_live("ada")
    await sim.eventsub.idle()
    assert made.status is SubscriptionStatus.FAILURES_EXCEEDED
    assert callback.kinds()[-1] == "revocation"
    count = len(callback.got)
    await sim.go_live("ada")
    await sim.eventsub.idle()
    assert len(callback.got) == count


async def test_one_success_forgives_the_failures_before(sim: Simulator, callback: Callback) -> None:
    made = await subscribed(sim, callback)
    for answers in ([500] * 3, [], [500] * 3):
        callback.answers = answers
        await sim.go_live("ada")
        await sim.eventsub.idle()
    assert (made.status, made.failures) == (SubscriptionStatus.ENABLED, 1)


async def test_a_revocation_says_why_and_has_no_event(sim: Simulator, callback: Callback) -> None:
    made = await subscribed(sim, callback)
    assert await sim.revoke(made.id, "user_removed")
    [(headers, body)] = callback.got
    assert headers[HEADER + "Type"] == "revocation"
    message = json.loads(body)
    assert message["subscription"]["status"] == "user_removed"
    assert "event" not in message
    await sim.go_live("ada")
    await sim.eventsub.idle()
    assert len(callback.got) == 1


async def test_duplicates_with_the_same_and_with_new_ids(sim: Simulator, callback: Callback) -> None:
    await subscribed(sim, callback)
    sim.faults.duplicates = 1
    sim.faults.duplicate_ids = 2
    await sim.go_live("ada")
    await sim.eventsub.idle()
    ids = [headers[HEADER + "Id"] for headers, _ in callback.got]
    assert len(ids) == 6
    assert len(set(ids)) == 3
    assert len({json.loads(body)["event"]["id"] for _, body in callback.got}) == 1


async def test_flapping_keeps_the_stream_if_asked(sim: Simulator) -> None:
    sim.add_channel("ada")
    first = await sim.go_live("ada")
    assert await sim.go_live("ada") is first
    await sim.go_offline("ada")
    assert (await sim.go_live("ada", stream_id=first.id)).id == first.id
    await sim.go_offline("ada")
    assert (await sim.go_live("ada")).id != first.id


async def test_one_message_sent_by_hand(sim: Simulator, callback: Callback) -> None:
    made = await subscribed(sim, callback)
    first = await sim.send(made, {"id": "1"}, timestamp="2020-01-01T00:00:00.5Z")
    again = await sim.send(made, {"id": "1"}, message_id=first.message_id, retry=1)
    forged = await sim.send(made, None, body=b"not json", kind="strange", signature="sha256=00")
    got = [(headers[HEADER + "Id"], headers[HEADER + "Retry"]) for headers, _ in callback.got]
    assert got == [(first.message_id, "0"), (first.message_id, "1"), (forged.message_id, "0")]
    assert again.status == 204
    assert callback.got[0][0][HEADER + "Timestamp"] == "2020-01-01T00:00:00.5Z"
    headers, body = callback.got[2]
    assert (headers[HEADER + "Type"], headers[HEADER + "Signature"], body) == (
        "strange",
        "sha256=00",
        b"not json",
    )
    with pytest.raises(KeyError):
        await sim.send("no such id", {})


async def test_timestamps_have_a_varying_number_of_digits(sim: Simulator, callback: Callback) -> None:
    made = await subscribed(sim, callback)
    lengths = {len((await sim.send(made, {})).timestamp) for _ in range(40)}
    assert len(lengths) >= 4
    assert max(lengths) == 30


async def test_a_skewed_twitch_stamps_with_its_own_clock(clock: SteppingClock, callback: Callback) -> None:
    async with Simulator(clock=clock) as sim:
        made = await subscribed(sim, callback)
        sim.faults.clock_skew = 86_400.0
        assert (await sim.send(made, {})).timestamp[:10] == "2026-09-22"
        sim.faults.clock_skew = 0.0
        assert (await sim.send(made, {})).timestamp[:10] == "2026-09-21"


async def test_a_burst_of_many_channels(sim: Simulator, serve: Callable[[], Awaitable[Callback]]) -> None:
    callback = await serve()
    for n in range(200):
        channel = sim.add_channel(f"c{n}")
        await sim.subscribe(channel.user_id, "stream.online", callback.url)
    callback.got.clear()
    for n in range(200):
        await sim.go_live(f"c{n}")
    await sim.eventsub.idle()
    assert len({json.loads(body)["event"]["id"] for _, body in callback.got}) == 200


async def test_stopping_ends_what_is_on_its_way(callback: Callback) -> None:
    async with Simulator(resend_delays=(3600.0,)) as sim:
        await subscribed(sim, callback)
        callback.answers = [500]
        await sim.go_live("ada")
        with pytest.raises(TimeoutError):
            await sim.eventsub.idle(timeout=0.2)
    await sim.eventsub.idle(timeout=1.0)


async def test_messages_arrive_in_another_order(clock: SteppingClock, callback: Callback) -> None:
    async with Simulator(clock=clock) as sim:
        await subscribed(sim, callback)
        await sim.go_live("ada", stream_id="1", delay=5.0)
        await sim.go_offline("ada")
        await sim.go_live("ada", stream_id="2", type="rerun")
        async with asyncio.timeout(5):
            while not (callback.got and clock.sleeping):
                await asyncio.sleep(0.005)
        clock.advance(5.0)
        await sim.eventsub.idle()
    events = [json.loads(body)["event"] for _, body in callback.got]
    assert [(event["id"], event["type"]) for event in events] == [("2", "rerun"), ("1", "live")]
