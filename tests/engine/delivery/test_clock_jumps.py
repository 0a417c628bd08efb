"""Whatever the wall clock does, every delivery comes to its right end, once, and none waits for long after it."""

from __future__ import annotations

import asyncio
import tempfile
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Retry
from itsjustintv_desktop.engine.core.clock_trust import STEADY_SECONDS
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.delivery.breaker import LONGEST_OPEN
from itsjustintv_desktop.engine.delivery.dispatcher import LONGEST_WAIT
from itsjustintv_desktop.engine.delivery.rate_limits import LONGEST
from itsjustintv_desktop.engine.runtime.maintenance import Maintenance
from tests.support.builders import make_config
from tests.support.waiting import until
from tests.support.world import BUSY, SENT, World, opened_world

S = DeliveryState
YEAR = 365 * 86400.0
RETRY = Retry(initial_delay=10.0, max_delay=200.0, max_age=3 * 3600.0)
SLACK = 2 * LONGEST_WAIT + LONGEST + 20.0
"""Seconds: the wall clock is looked at twice a minute, and a backlog goes out in a trickle."""


class Step(NamedTuple):
    what: str
    seconds: float = 0.0


def jumps() -> st.SearchStrategy[float]:
    size = st.one_of(
        st.floats(1.0, 120.0), st.floats(120.0, 86400.0), st.floats(86400.0, 10 * YEAR), st.just(3600.0), st.just(YEAR)
    )
    return st.tuples(size, st.sampled_from((-1, 1))).map(lambda both: both[0] * both[1])


def chapter(new: bool, wait: float, jump: float, restart: bool) -> list[Step]:
    steps = [Step("queue")] * new + [Step("wait", wait), Step("jump", jump)]
    return [*steps, Step("restart")] if restart else steps


CHAPTER = st.builds(chapter, st.booleans(), st.floats(1.0, 400.0), jumps(), st.sampled_from((False, False, True)))
STEPS = st.lists(CHAPTER, min_size=1, max_size=4).map(lambda chapters: list(chain.from_iterable(chapters)))


class Life:
    """Dispatcher and housekeeping on a real ledger; the receiver is down until the end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids: list[int] = []

    def begin(self) -> None:
        world = self.world
        house = Maintenance(
            world.ledger,
            world.dispatcher,
            config=world.holder,
            clock=world.clock,
            purge_images=_nothing,
            clock_doubtful=lambda: world.wall_clock.doubtful,
        )
        world.run_dispatcher()
        world.tasks.start("housekeeping", house.run())

    async def rests(self) -> None:
        """Both loops have looked at everything and sleep."""
        dispatcher, clock = self.world.dispatcher, self.world.clock
        await until(lambda: not (dispatcher.under_way or dispatcher._wake.is_set()) and len(clock.sleeping) >= 2)

    async def take(self, step: Step) -> None:
        clock = self.world.clock
        if step.what == "queue":
            number = len(self.ids)
            self.ids.append(await self.world.one(stream_id=f"s{number}", message_id=f"m{number}"))
        elif step.what == "jump":
            # Stays within the times that the calendar knows.
            clock.jump(max(step.seconds, 1000.0 - clock.now()))
        elif step.what == "restart":
            await self.world.restart()
            self.begin()
        left = step.seconds if step.what == "wait" else 0.5
        while left > 0:
            clock.advance(min(left, LONGEST_WAIT))
            left -= LONGEST_WAIT
            await self.rests()


async def _nothing() -> None:
    return


async def _lives(folder: Path, steps: list[Step], live: bool | None) -> None:
    async with opened_world(folder, make_config(retry=RETRY)) as world:
        world.sender.default = BUSY
        world.enricher.live = live
        life = Life(world)
        life.begin()
        await life.rests()
        for step in [Step("queue"), *steps]:
            await life.take(step)
        world.sender.default = SENT
        began = world.clock.monotonic()
        assert began < 1000 + STEADY_SECONDS, "the clock is in doubt, or never jumped"

        async def all_ended() -> bool:
            await life.rests()
            states = (await world.ledger.counts()).by_state
            return not states.keys() & {S.PENDING, S.SENDING}

        opened = LONGEST_OPEN if world.dispatcher.queues.shut(world.clock.now()) else 0.0
        most = max(RETRY.max_delay * (1 + RETRY.jitter), opened) + SLACK
        await world.clock.run_until(all_ended, step=5.0, most=most)
        for delivery_id in life.ids:
            view = await world.ledger.delivery(delivery_id)
            allowed = {S.DELIVERED, S.EXPIRED} if live is False else {S.DELIVERED}
            assert view.state in allowed, view.last_error
            posts = [post for post in world.sender.posts if post.webhook_id == view.webhook_id]
            assert len(posts) == view.attempts
            assert world.changes(delivery_id).count(S.DELIVERED) == (view.state is S.DELIVERED)


def check(steps: list[Step], live: bool | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_lives(Path(folder), steps, live))


PROPERTY = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
    phases=(Phase.generate,),  # shrinking takes minutes, and the steps can be read as they are
)


@PROPERTY
@given(STEPS, st.sampled_from((None, True, False)))
def test_every_delivery_comes_to_its_end_once_and_soon(steps: list[Step], live: bool | None) -> None:
    check(steps, live)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(PROPERTY, max_examples=150, derandomize=False)
@given(STEPS, st.sampled_from((None, True, False)))
def test_every_delivery_comes_to_its_end_once_and_soon_tried_long(steps: list[Step], live: bool | None) -> None:
    check(steps, live)


@pytest.mark.parametrize("jump", [-YEAR, -3600.0, 3600.0, YEAR])
def test_a_single_jump_while_it_waits(jump: float) -> None:
    check([Step("wait", 60.0), Step("jump", jump)], None)


def test_a_year_behind_for_less_than_a_minute() -> None:
    """Less than housekeeping takes to ask whether the clock is to be believed."""
    away = [Step("jump", -YEAR), Step("restart"), Step("queue"), Step("wait", 22.0), Step("jump", YEAR)]
    check([Step("wait", 56.0), *away, Step("restart")], False)


@pytest.mark.parametrize("back", [10.0, 400.0])
def test_ahead_by_ten_years_when_it_came_and_then_corrected(back: float) -> None:
    check([Step("jump", 10 * YEAR), Step("queue"), Step("wait", back), Step("jump", -10 * YEAR)], None)
