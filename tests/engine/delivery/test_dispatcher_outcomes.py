"""Refusals that may pass, and responses that are lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.schema import KEYRING, Config
from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.delivery.destination_queues import LONGEST_HOLD
from tests.engine.storage.ledger.book import raw
from tests.support.builders import make_config, make_destination
from tests.support.waiting import until
from tests.support.world import BUSY, REFUSED, SENT, World, opened_world

S = DeliveryState
NOT_FOUND = AttemptResult(outcome=Outcome.REFUSED, status=404, error="refused with 404 Not Found")
LOST = AttemptResult(outcome=Outcome.RETRY, error="no answer in time", lost=True)
NO_CONNECTION = AttemptResult(outcome=Outcome.RETRY, error="the connection was refused")


async def goes_on(world: World, delivery_id: int, attempts: int) -> float:
    """Seconds until the next attempt; the clock is put there."""
    view = await world.reached(delivery_id, S.PENDING, attempts=attempts)
    assert view.next_at is not None
    delay = view.next_at - world.clock.now()
    world.clock.advance(delay)
    world.dispatcher.wake()
    return delay


# Refusals


@pytest.mark.fault(
    "destinations: a gateway whose backend restarts answers 404 once",
    seen="`deliveries list`: pending, then delivered",
)
async def test_a_refusal_that_passes(world: World) -> None:
    world.sender.script["main"] = [NOT_FOUND]
    delivery_id = await world.one()
    view = await world.reached(delivery_id, S.PENDING, attempts=1)
    assert (view.last_status, view.last_error) == (404, "refused with 404 Not Found")
    assert await goes_on(world, delivery_id, 1) == 30
    view = await world.reached(delivery_id, S.DELIVERED)
    assert view.attempts == 2


@pytest.mark.fault(
    "destinations: 404 for good",
    seen='`deliveries list`: dead after five attempts, "Refused 5 times in a row. Last: refused with 404 Not Found"',
)
async def test_a_refusal_that_does_not_pass_is_given_up_after_minutes_with_the_reason(world: World) -> None:
    world.sender.default = NOT_FOUND
    delivery_id = await world.one()
    delays = [await goes_on(world, delivery_id, attempts) for attempts in (1, 2, 3, 4)]
    assert delays == [30, 60, 120, 240]
    view = await world.reached(delivery_id, S.DEAD)
    assert view.last_error == "Refused 5 times in a row. Last: refused with 404 Not Found"
    assert (view.attempts, view.last_status, view.next_at) == (5, 404, None)
    # By hand: once more.
    await world.ledger.retry(delivery_id)
    world.dispatcher.wake()
    await world.reached(delivery_id, S.DEAD, attempts=6)
    world.sender.default = SENT
    await world.ledger.retry(delivery_id)
    world.dispatcher.wake()
    await world.reached(delivery_id, S.DELIVERED)


async def test_only_refusals_in_a_row_count(world: World) -> None:
    world.sender.script["main"] = [NOT_FOUND] * 4 + [BUSY] + [NOT_FOUND] * 4
    delivery_id = await world.one()
    for attempts in range(1, 10):
        await goes_on(world, delivery_id, attempts)
    view = await world.reached(delivery_id, S.DELIVERED)
    assert view.attempts == 10


async def test_an_outage_before_does_not_make_the_pauses_longer(world: World) -> None:
    world.sender.script["main"] = [BUSY] * 6 + [NOT_FOUND] * 2
    delivery_id = await world.one()
    delays = [await goes_on(world, delivery_id, attempts) for attempts in range(1, 9)]
    assert delays[-2:] == [30, 60]


async def test_others_to_the_same_destination_go_on(world: World) -> None:
    world.sender.default = NOT_FOUND
    ids = [await world.one() for _ in range(30)]
    for delivery_id in ids:
        await world.reached(delivery_id, S.PENDING, attempts=1)
    assert world.dispatcher.queues.states(world.clock.now())["main"] == ("closed", "")


# Lost responses


@pytest.mark.fault(
    "destinations: Discord or Slack takes it and the response is lost",
    seen='`deliveries list`: sent twice at most, then dead, "it may have arrived"',
)
@pytest.mark.parametrize("kind", ["discord", "slack"])
async def test_a_lost_response_is_retried_once_and_then_given_up(world: World, kind: str) -> None:
    world.config = make_config(destinations=(make_destination(format=kind),))
    world.sender.default = LOST
    delivery_id = await world.one()
    view = await world.reached(delivery_id, S.PENDING, attempts=1)
    assert view.last_error == "no answer in time; it may have arrived"
    await goes_on(world, delivery_id, 1)
    view = await world.reached(delivery_id, S.DEAD)
    assert view.attempts == 2
    assert view.last_error == (
        "No response came to two attempts, so it may have arrived. Look whether it did before you retry it. "
        "Last: no answer in time"
    )
    assert len(world.sender.posts) == 2


async def test_a_json_receiver_knows_repeats_by_their_id_and_gets_it_until_it_answers(world: World) -> None:
    world.sender.script["main"] = [LOST] * 6
    delivery_id = await world.one()
    for attempts in range(1, 7):
        await goes_on(world, delivery_id, attempts)
    view = await world.reached(delivery_id, S.DELIVERED)
    assert (view.attempts, view.last_error) == (7, None)
    assert {post.webhook_id for post in world.sender.posts} == {view.webhook_id}


async def test_what_was_never_sent_is_tried_for_as_long_as_ever(world: World) -> None:
    world.config = make_config(destinations=(make_destination(format="discord"),))
    world.sender.script["main"] = [NO_CONNECTION] * 4 + [LOST] + [NO_CONNECTION] * 4 + [BUSY] * 2
    delivery_id = await world.one()
    for attempts in range(1, 12):
        view = await world.reached(delivery_id, S.PENDING, attempts=attempts)
        assert ("may have arrived" in (view.last_error or "")) == (attempts == 5)
        await goes_on(world, delivery_id, attempts)
    await world.reached(delivery_id, S.DELIVERED)


async def test_retried_by_hand_it_is_sent_once_more(world: World) -> None:
    world.config = make_config(destinations=(make_destination(format="discord"),))
    world.sender.default = LOST
    delivery_id = await world.one()
    await goes_on(world, delivery_id, 1)
    await world.reached(delivery_id, S.DEAD)
    await world.ledger.retry(delivery_id)
    world.dispatcher.wake()
    await world.reached(delivery_id, S.DEAD, attempts=3)
    world.sender.script["main"] = [BUSY]
    world.sender.default = SENT
    await world.ledger.retry(delivery_id)
    world.dispatcher.wake()
    await goes_on(world, delivery_id, 4)
    await world.reached(delivery_id, S.DELIVERED, attempts=5)


@pytest.mark.expected_errors("an attempt broke")
async def test_a_fault_of_ours_after_it_was_sent_counts_as_lost(world: World) -> None:
    world.config = make_config(destinations=(make_destination(format="discord"),))
    world.sender.broken = ZeroDivisionError()
    delivery_id = await world.one()
    await world.reached(delivery_id, S.PENDING, attempts=1)
    await goes_on(world, delivery_id, 1)
    await until(lambda: len(world.sender.posts) == 2)
    await goes_on(world, delivery_id, 2)
    view = await world.reached(delivery_id, S.DEAD)
    assert "may have arrived" in (view.last_error or "")
    assert len(world.sender.posts) == 2


async def killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """During the POST, so that its outcome is never recorded; then started again."""
    monkeypatch.setattr("itsjustintv_desktop.engine.delivery.dispatcher.STOP_SECONDS", 0.2)
    before = len(world.sender.posts)
    await until(lambda: len(world.sender.posts) > before, what="it is sent")
    await world.ledger.close()
    world.sender.ended.set()
    await world.clock.run_until(lambda: world.clock.sleeping)
    await world.tasks.stop()
    world.sender.ended.clear()
    await world.restart()
    world.run_dispatcher()


@pytest.mark.fault(
    "kill: between a POST to Discord or Slack and its mark, again and again",
    seen='`deliveries list`: sent twice at most, then dead, "it may have arrived"',
)
async def test_a_kill_during_the_post_counts_as_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.config = make_config(destinations=(make_destination(format="discord"),))
    world.sender.hanging.add("main")
    delivery_id = await world.one()
    await killed(world, monkeypatch)
    await killed(world, monkeypatch)
    view = await world.reached(delivery_id, S.DEAD)
    assert "may have arrived" in (view.last_error or "")
    assert len(world.sender.posts) == 2


async def test_a_kill_before_the_second_post_does_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.config = make_config(destinations=(make_destination(format="discord"),))
    world.sender.hanging.add("main")
    delivery_id = await world.one()
    await killed(world, monkeypatch)
    await until(lambda: len(world.sender.posts) == 2)
    await world.tasks.stop()
    with raw(world.path) as other:  # as if each start had been killed between the claim and the POST
        other.execute("UPDATE deliveries SET state = 'sending', lost = 1")
    for _ in range(3):
        await world.restart()
        await world.dispatcher.recover()
        with raw(world.path) as other:
            assert other.execute("SELECT state, lost FROM deliveries").fetchone() == ("pending", 1)
            other.execute("UPDATE deliveries SET state = 'sending'")
    await world.restart()
    world.sender.hanging.clear()
    world.run_dispatcher()
    await world.reached(delivery_id, S.DELIVERED)


@pytest.mark.fault(
    "ledger: a stored announcement is damaged", seen="the delivery is given up, and says that it is damaged"
)
@pytest.mark.parametrize("payload", ["x'00'", "CAST('{' AS BLOB)", "CAST('[1]' AS BLOB)", "NULL", "x'ff'", "'text'"])
async def test_a_damaged_payload_ends_its_delivery(tmp_path: Path, payload: str) -> None:
    async with opened_world(tmp_path) as world:
        made = await world.queue("main")
        with raw(world.path) as other:
            other.execute(f"UPDATE events SET payload = {payload}")
        world.run_dispatcher()
        view = await world.reached(made["main"], S.DEAD)
        assert view.last_error == "What it announces is damaged in the ledger."
        assert not world.sender.posts


DAY = 86400.0


def from_the_vault(**details: str) -> Config:
    return make_config(destinations=(make_destination(url=KEYRING, secret=KEYRING, **details),))


async def test_a_retry_that_meets_a_locked_vault_stays_a_retry(world: World) -> None:
    world.config = from_the_vault()
    world.sender.default = REFUSED
    delivery_id = await world.one()
    await world.reached(delivery_id, S.DEAD)
    world.sender.default = SENT
    for _ in range(48):
        world.clock.advance(3600)  # two days, without a jump
        assert not world.wall_clock.doubtful
    world.vault.locked = SecretsLockedError("The keyring is locked.")
    await world.ledger.retry(delivery_id)
    world.dispatcher.wake()
    await until(lambda: world.changes(delivery_id)[-1] is S.PENDING)
    world.vault.locked = None
    world.clock.advance(LONGEST_HOLD)
    await world.reached(delivery_id, S.DELIVERED)


async def test_a_clock_set_back_does_not_make_a_short_hold_a_long_one(world: World) -> None:
    world.config = from_the_vault()
    world.vault.locked = SecretsLockedError("The keyring is locked.")
    delivery_id = await world.one()
    await until(lambda: world.changes(delivery_id) == [S.PENDING])
    world.vault.locked = None
    world.clock.jump(-365 * 86400.0)
    later = await world.one()
    for _ in range(3):
        await world.waits_until_due()
        world.clock.advance(LONGEST_HOLD + 1)
    await world.reached(later, S.DELIVERED)


async def test_a_clock_that_was_wrong_at_the_start_gives_nothing_up(world: World) -> None:
    world.clock.jump(1000 - world.clock.now())  # 1970, as a board without a battery has it
    world.sender.default = BUSY
    delivery_id = await world.one()
    await world.reached(delivery_id, S.PENDING, attempts=1)
    world.sender.default = SENT
    world.clock.jump(1.79e9)  # the network's time has come
    world.dispatcher.wake()
    await world.reached(delivery_id, S.DELIVERED)


async def test_a_locked_keyring_holds_everything_and_loses_nothing(world: World) -> None:
    world.config = from_the_vault()
    world.vault.locked = SecretsLockedError("The keyring is locked.")
    delivery_id = await world.one()
    await until(lambda: world.changes(delivery_id) == [S.PENDING])
    view = await world.ledger.delivery(delivery_id)
    assert (view.attempts, view.last_error) == (0, "The keyring is locked.")
    for _ in range(5):
        world.clock.advance(LONGEST_HOLD)
        await world.waits_until_due()
    view = await world.reached(delivery_id, S.PENDING)
    assert (view.attempts, world.sender.posts) == (0, [])
    world.vault.locked = None
    world.clock.advance(LONGEST_HOLD)
    await world.reached(delivery_id, S.DELIVERED)
    (post,) = world.sender.posts
    assert (post.url, post.secret) == ("https://vault.example/hook", "from-the-vault")


async def test_a_secret_that_is_missing_is_not_sent_unsigned(world: World) -> None:
    world.config = from_the_vault()
    world.vault.secret = None
    delivery_id = await world.one()
    await until(lambda: world.changes(delivery_id) == [S.PENDING])
    assert world.sender.posts == []
    assert "Enter it again" in ((await world.ledger.delivery(delivery_id)).last_error or "")


async def test_the_format_of_a_vault_address_is_the_real_ones(world: World) -> None:
    world.config = make_config(destinations=(make_destination(url=KEYRING, format_guessed=True),))
    world.vault.url = "https://discord.com/api/webhooks/1/token"
    payload = {"streamer_login": "alice", "streamer_name": "Alice", "url": "https://twitch.tv/alice", "tags": [],
               "stream": {"title": "T", "category_name": None, "thumbnail_url": None}, "test": False,
               "timestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
    await world.reached(await world.one(payload=payload), S.DELIVERED)
    assert "embeds" in world.sender.posts[0].payload


async def test_a_clock_that_was_a_year_ahead_postpones_nothing(world: World) -> None:
    world.clock.jump(365 * DAY)
    world.sender.script["main"] = [BUSY]
    delivery_id = await world.one()
    await world.reached(delivery_id, S.PENDING, attempts=1)
    await world.restart()
    world.clock.jump(-365 * DAY)
    world.run_dispatcher()
    await world.waits_until_due()
    view = await world.ledger.delivery(delivery_id)
    assert view.next_at is not None
    assert view.next_at <= world.clock.now() + 1800 * 1.2
