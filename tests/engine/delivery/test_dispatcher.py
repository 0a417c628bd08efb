from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine.config.schema import Retry
from itsjustintv_desktop.engine.core.events import DeliveryChanged
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.core.sources import Doubtful
from itsjustintv_desktop.engine.delivery.attempt import Sender
from itsjustintv_desktop.engine.delivery.destination_queues import LONGEST_HOLD
from itsjustintv_desktop.engine.delivery.dispatcher import LATE_SECONDS
from itsjustintv_desktop.simulator import Simulator
from tests.engine.storage.ledger.book import raw
from tests.support.builders import ALICE, make_config, make_destination
from tests.support.waiting import until
from tests.support.world import BUSY, REFUSED, SENT, World, opened_world

S = DeliveryState
DAY = 86400.0


async def test_what_is_queued_is_sent_and_recorded(world: World) -> None:
    made = await world.queue("main", payload={"streamer_login": "alice"})
    view = await world.reached(made["main"], S.DELIVERED)
    assert (view.attempts, view.last_status, view.last_error) == (1, 204, None)
    (post,) = world.sender.posts
    assert (post.url, post.webhook_id, post.secret) == ("https://main.example/hook", view.webhook_id, None)
    assert post.payload["streamer_login"] == "alice"
    await until(lambda: world.changes(view.id) == [S.DELIVERED])
    assert world.outcomes == 1


async def test_a_picture_is_put_in_and_the_address_is_looked_up_at_each_attempt(world: World) -> None:
    world.images["ab"] = b"\x89PNG"
    world.sender.script["main"] = [BUSY]
    image = {"url": "https://i.example/x.png", "width": 1, "height": 1, "mime_type": "image/png", "sha256": "ab"}
    delivery_id = await world.one(payload={"image": image})
    await world.reached(delivery_id, S.PENDING, attempts=1)
    world.config = make_config(destinations=(make_destination(url="https://corrected.example/x", secret="new-secret"),))
    world.clock.advance(30)
    await world.reached(delivery_id, S.DELIVERED)
    assert [post.url for post in world.sender.posts] == ["https://main.example/hook", "https://corrected.example/x"]
    assert world.sender.posts[1].secret == "new-secret"
    assert {post.payload["image"]["data"] for post in world.sender.posts} == {"iVBORw=="}
    assert len({post.webhook_id for post in world.sender.posts}) == 1


async def test_failures_are_tried_again_with_growing_pauses_and_the_same_id(world: World) -> None:
    world.sender.script["main"] = [BUSY] * 3
    delivery_id = await world.one()
    for attempt, pause in enumerate((30.0, 60.0, 120.0), start=1):
        view = await world.reached(delivery_id, S.PENDING, attempts=attempt)
        assert view.next_at == world.clock.now() + pause
        assert (view.last_status, view.last_error) == (503, BUSY.error)
        await world.waits_until_due()
        world.clock.advance(pause - 0.5)
        await world.waits_until_due()
        assert len(world.sender.posts) == attempt
        world.clock.advance(0.5)
    view = await world.reached(delivery_id, S.DELIVERED)
    assert view.attempts == 4
    assert {post.webhook_id for post in world.sender.posts} == {view.webhook_id}
    assert world.changes(delivery_id) == [S.PENDING] * 3 + [S.DELIVERED]


async def test_retry_after_is_heeded_within_bounds(world: World) -> None:
    asked = [45.0, 1.0, 9e9]
    world.sender.script["main"] = [msgspec.structs.replace(BUSY, retry_after=each) for each in asked]
    delivery_id = await world.one()
    pauses = []
    for attempt in (1, 2, 3):
        view = await world.reached(delivery_id, S.PENDING, attempts=attempt)
        assert view.next_at is not None
        pauses.append(view.next_at - world.clock.now())
        world.clock.advance(pauses[-1])
        world.dispatcher.wake()
    # It counts up to max_delay, moved later only (by half of the 20 %, as the dice fall here).
    assert pauses == pytest.approx([45.0 * 1.1, 1.1, 1800.0 * 1.1])
    await world.reached(delivery_id, S.DELIVERED)


async def test_a_refusal_is_final(world: World) -> None:
    world.sender.default = REFUSED
    view = await world.reached(await world.one(), S.DEAD)
    assert (view.attempts, view.last_status, view.last_error, view.next_at) == (1, 404, REFUSED.error, None)


async def test_max_attempts_ends_it(world: World) -> None:
    world.config = make_config(retry=Retry(max_attempts=2))
    world.sender.default = BUSY
    delivery_id = await world.one()
    await world.reached(delivery_id, S.PENDING, attempts=1)
    world.clock.advance(30)
    view = await world.reached(delivery_id, S.DEAD)
    assert view.attempts == 2
    assert "Given up after 2 attempts" in (view.last_error or "")
    assert BUSY.error is not None
    assert BUSY.error in (view.last_error or "")


async def test_max_age_ends_it_when_the_next_try_would_be_too_late(world: World) -> None:
    world.config = make_config(retry=Retry(max_age=100.0))
    world.sender.default = BUSY
    delivery_id = await world.one()
    await world.reached(delivery_id, S.PENDING, attempts=1)
    world.clock.advance(30)
    await world.reached(delivery_id, S.PENDING, attempts=2)
    world.clock.advance(60)
    view = await world.reached(delivery_id, S.DEAD)  # 90 s old, and the next try would be at 210
    assert view.attempts == 3


async def test_what_became_too_old_while_nobody_ran_is_not_sent(world: World) -> None:
    await world.restart()
    delivery_id = await world.one()
    world.clock.advance(2 * DAY)
    world.run_dispatcher()
    view = await world.reached(delivery_id, S.DEAD)
    assert "Given up" in (view.last_error or "")
    assert world.sender.posts == []


@pytest.mark.parametrize(("live", "state"), [(False, S.EXPIRED), (None, S.DELIVERED), (True, S.DELIVERED)])
async def test_late_news_goes_out_unless_the_stream_is_known_to_be_over(
    world: World, live: bool | None, state: DeliveryState
) -> None:
    await world.restart()
    world.enricher.live = live
    delivery_id = await world.one(broadcaster_id="7", stream_id="s")
    world.clock.advance(LATE_SECONDS + 1)
    world.run_dispatcher()
    view = await world.reached(delivery_id, state)
    assert world.enricher.asked_live == [("7", "s")]
    if state is S.EXPIRED:
        assert (view.attempts, world.sender.posts) == (0, [])
        assert "ended" in (view.last_error or "")
        assert "Resend" in (view.last_error or "")
        assert await world.ledger.attempts(delivery_id) == []


@pytest.mark.fault(
    "Twitch: it does not show a stream that runs, when a late announcement is about to go out",
    seen="it is looked for once more a minute later; the announcement waits, and goes out or expires then",
)
@pytest.mark.parametrize(("live", "state"), [(False, S.EXPIRED), (True, S.DELIVERED), (None, S.DELIVERED)])
async def test_late_news_waits_while_it_is_in_doubt_whether_the_stream_runs(
    world: World, monkeypatch: pytest.MonkeyPatch, live: bool | None, state: DeliveryState
) -> None:
    words: list[bool | Doubtful | None] = [Doubtful(60.0), Doubtful(20.0), live]

    async def is_live(*_: object, **__: object) -> bool | Doubtful | None:
        return words.pop(0)

    monkeypatch.setattr(world.enricher, "is_live", is_live)
    await world.restart()
    delivery_id = await world.one()
    world.clock.advance(LATE_SECONDS + 1)
    world.run_dispatcher()
    for left, seconds in ((2, 60.0), (1, 20.0)):
        await until(lambda left=left: len(words) == left)  # type: ignore[misc]
        view = await world.reached(delivery_id, S.PENDING, attempts=0)
        assert "looked for once more" in (view.last_error or "")
        await world.waits_until_due()
        assert (view.next_at, world.sender.posts) == (world.clock.now() + seconds, [])
        world.clock.advance(seconds)
    view = await world.reached(delivery_id, state)
    assert view.attempts == (state is S.DELIVERED)
    assert words == []


async def test_news_in_time_and_tests_are_sent_without_asking(world: World) -> None:
    await world.restart()
    world.enricher.live = False
    first = await world.one()
    world.clock.advance(LATE_SECONDS)
    world.run_dispatcher()
    await world.reached(first, S.DELIVERED)
    second = (await world.queue("main", test=True, received_at=world.clock.now() - 2 * LATE_SECONDS))["main"]
    await world.reached(second, S.DELIVERED)
    assert world.enricher.asked_live == []


async def test_a_source_that_is_gone_cannot_say_so_and_it_is_sent(world: World) -> None:
    made = await world.queue("main", source="elsewhere", received_at=world.clock.now() - 2 * LATE_SECONDS)
    await world.reached(made["main"], S.DELIVERED)


async def test_a_forced_retry_asks_neither_age_nor_whether_it_is_live(world: World) -> None:
    world.enricher.live = False
    world.sender.default = REFUSED
    delivery_id = await world.one()
    await world.reached(delivery_id, S.DEAD)
    world.clock.advance(3 * DAY)
    world.sender.default = SENT
    await world.ledger.retry(delivery_id)
    world.dispatcher.wake()
    view = await world.reached(delivery_id, S.DELIVERED)
    assert view.attempts == 2
    assert world.enricher.asked_live == []
    # A resend of the delivered one, too.
    new = await world.ledger.resend(delivery_id)
    world.dispatcher.wake()
    await world.reached(new.id, S.DELIVERED)


# Destinations that are not there


async def test_a_removed_destination_becomes_a_dead_letter_that_says_so(world: World) -> None:
    world.config = make_config(destinations=())
    view = await world.reached(await world.one(), S.DEAD)
    assert "removed" in (view.last_error or "")
    assert (view.attempts, world.sender.posts) == (0, [])


async def test_one_without_an_address_says_what_to_do(world: World) -> None:
    world.config = make_config(destinations=(make_destination(url=""),))
    view = await world.reached(await world.one(), S.DEAD)
    assert "Set its url" in (view.last_error or "")


async def test_a_disabled_destination_waits_until_it_is_switched_on(world: World) -> None:
    world.config = make_config(destinations=(make_destination(enabled=False),))
    delivery_id = await world.one()
    await world.waits_until_due()
    assert (await world.ledger.delivery(delivery_id)).state is S.PENDING
    assert world.sender.posts == []
    world.config = make_config()
    world.dispatcher.wake()
    await world.reached(delivery_id, S.DELIVERED)


# Trouble of our own


@pytest.mark.expected_errors("cannot be written")
async def test_an_outcome_is_recorded_however_long_the_ledger_fails(world: World) -> None:
    world.sender.hanging.add("main")
    delivery_id = await world.one()
    await until(lambda: world.sender.posts)
    await world.waits_until_due()
    await world.refuse_soon()
    with raw(world.path) as other:
        other.execute("BEGIN IMMEDIATE")
        world.sender.ended.set()
        await until(lambda: world.ledger.failure)
        await until(lambda: any(seconds <= 1 for seconds in world.clock.sleeping))
        world.clock.advance(1)
        other.execute("ROLLBACK")
    await world.clock.run_until(lambda: world.is_delivered(delivery_id))
    assert len(world.sender.posts) == 1, "it is not sent a second time"


@pytest.mark.expected_errors("an attempt broke")
async def test_a_fault_of_ours_leaves_it_waiting(world: World) -> None:
    world.sender.broken = ZeroDivisionError()
    delivery_id = await world.one()
    await until(lambda: world.changes(delivery_id) == [S.PENDING])
    assert "See the log" in ((await world.ledger.delivery(delivery_id)).last_error or "")
    view = await world.reached(delivery_id, S.PENDING)
    assert view.attempts == 1, "perhaps the POST was made: it counts, and the next one is spaced like any other"
    world.sender.broken = None
    world.clock.advance(LONGEST_HOLD)
    await world.reached(delivery_id, S.DELIVERED)


async def test_what_was_being_sent_at_the_end_is_sent_again_with_the_same_id(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itsjustintv_desktop.engine.delivery.dispatcher.STOP_SECONDS", 0.2)
    world.sender.hanging.add("main")
    delivery_id = await world.one()
    await until(lambda: world.sender.posts)
    await world.ledger.close()  # as a kill leaves it: nothing is recorded any more
    world.sender.ended.set()
    await world.clock.run_until(lambda: world.clock.sleeping)
    await world.tasks.stop()
    await world.restart()
    assert (await world.ledger.delivery(delivery_id)).state is S.SENDING
    assert await world.dispatcher.recover() == 1
    world.run_dispatcher()
    view = await world.reached(delivery_id, S.DELIVERED)
    assert view.attempts == 2
    assert [post.webhook_id for post in world.sender.posts] == [view.webhook_id] * 2


async def test_attempts_under_way_get_time_to_end_at_a_stop(world: World) -> None:
    world.sender.hanging.add("main")
    delivery_id = await world.one()
    await until(lambda: world.sender.posts)
    world.sender.ended.set()
    await world.tasks.stop()
    assert (await world.ledger.delivery(delivery_id)).state is S.DELIVERED


async def test_a_jump_ahead_is_noticed_within_half_a_minute(world: World) -> None:
    world.sender.script["main"] = [BUSY] * 4
    delivery_id = await world.one()
    await world.reached(delivery_id, S.PENDING, attempts=1)
    await world.waits_until_due()
    world.clock.jump(400)  # a sleep of the machine: the wall clock went on, the monotonic one did not
    await world.waits_until_due()
    assert len(world.sender.posts) == 1
    world.clock.advance(30)
    await world.reached(delivery_id, S.PENDING, attempts=2)


async def test_with_the_real_sender_and_a_real_receiver(tmp_path: Path) -> None:
    async with opened_world(tmp_path) as world, Simulator() as simulator:
        world.config = make_config(
            destinations=(make_destination(url=simulator.receiver_url("main"), secret="a-secret-for-tests"),)
        )
        simulator.receiver.expect("main", secret="a-secret-for-tests", tolerance=None)
        simulator.faults.set_receiver("main", status=500, times=1)
        sender = Sender(world.clock)
        world.dispatcher._sender = sender
        world.run_dispatcher()
        delivery_id = await world.one()
        await world.reached(delivery_id, S.PENDING, attempts=1)
        world.clock.advance(30)
        await world.reached(delivery_id, S.DELIVERED)
        received = simulator.receiver.received("main")
        assert [(each.status_answered, each.verified) for each in received] == [(500, True), (204, True)]
        assert len({each.webhook_id for each in received}) == 1
        await world.tasks.stop()
        await sender.close()


async def test_watchers_hear_of_each_attempt(world: World) -> None:
    world.sender.script["main"] = [BUSY]
    delivery_id = await world.one()
    await until(lambda: world.events(DeliveryChanged))
    event = world.events(DeliveryChanged)[0]
    assert (event.id, event.streamer, event.destination, event.attempts) == (delivery_id, ALICE.key, "main", 1)
    assert (event.status, event.error, event.next_at) == (503, BUSY.error, world.clock.now() + 30)
    assert AttemptResult(outcome=Outcome.RETRY).error is None
