"""Addresses out of a vault that may be locked, and clocks that may be wrong."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.schema import KEYRING, Config
from itsjustintv_desktop.engine.core.errors import SecretsLockedError
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.delivery.destination_queues import LONGEST_HOLD
from tests.support.builders import make_config, make_destination
from tests.support.waiting import until
from tests.support.world import BUSY, REFUSED, SENT, World

S = DeliveryState
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
    later = (await world.queue("main"))["main"]
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
    await world.reached((await world.queue("main", payload=payload))["main"], S.DELIVERED)
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
