"""Clocks that jump, in a running engine over real sockets: nothing is lost, doubled or put off, and it is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from itsjustintv_desktop.engine.config.schema import Cache, Retry
from itsjustintv_desktop.engine.core import sleep_detector
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.clock_trust import STEADY_SECONDS
from itsjustintv_desktop.engine.core.events import Notice, Subscription
from itsjustintv_desktop.engine.core.models import DeliveryState, EventState
from itsjustintv_desktop.engine.ingress.catch_up import catch_up
from itsjustintv_desktop.engine.runtime.maintenance import Maintenance
from itsjustintv_desktop.engine.twitch.subscriptions import reconciler
from tests.support.builders import make_config
from tests.support.engine import SECRET, Running, running_engine
from tests.support.waiting import until
from tests.support.world import BUSY, SENT, World, opened_world
from tests.support.zone import berlin

S = DeliveryState
HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0

CONFIG = f"""
[retry]
initial_delay = "1s"
max_delay = "2s"
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[streamers.alice]
login = "alice"
destinations = ["main"]
[streamers.bob]
login = "bob"
destinations = ["main"]
"""


class SetClock(SystemClock):
    """The real one, set by the test."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(sleep_detector, "EVERY", 0.2)
    clock = SetClock()
    delays = (0.3,) * 20
    async with running_engine(tmp_path, CONFIG, logins=("alice", "bob"), clock=clock, resend_delays=delays) as running:
        await until(lambda: running.engine.twitch.skew.measured)
        yield running


async def set_clock(running: Running, seconds: float) -> Subscription:
    """Set it by so much, and wait until that was noticed. What was told meanwhile."""
    heard = running.engine.subscribe()
    assert isinstance(running.clock, SetClock)
    running.clock.ahead += seconds
    await until(lambda: running.engine.clock_trust._last, what="the jump is noticed")
    return heard


def notices(heard: Subscription) -> list[str]:
    return [event.text for event in heard.take()[1] if isinstance(event, Notice)]


@pytest.mark.fault(
    "clock +-1 h and +-1 year",
    seen="a notice and the health part `clock` say that it was set; what waits and the next stream arrive in seconds",
)
@pytest.mark.parametrize("jump", [HOUR, -HOUR, YEAR, -YEAR])
async def test_a_clock_that_is_set_while_it_runs(running: Running, jump: float) -> None:
    engine, simulator = running.engine, running.simulator
    simulator.faults.set_receiver("main", status=500)
    await simulator.go_live("alice")

    async def waits() -> bool:
        return [(one.state, one.attempts > 0) for one in await running.deliveries()] == [(S.PENDING, True)]

    await until(waits)
    heard = await set_clock(running, jump)
    assert engine.clock_trust.doubtful()
    part = (await engine.doctor.health())["parts"]["clock"]
    assert part["status"] == "waiting"
    simulator.faults.set_receiver("main")
    await until(lambda: _taken(running), what="the retry went out")
    await simulator.go_live("bob")
    await running.settled()
    assert {(one.streamer, one.state) for one in await running.deliveries()} == {
        ("alice", S.DELIVERED),
        ("bob", S.DELIVERED),
    }
    taken = _taken(running)
    assert len(taken) == len(set(taken)) == 2
    told = [text for text in notices(heard) if "set" in text]
    assert len(told) == 1
    assert ("set back by" in told[0]) == (jump < 0)
    assert engine.watch.is_well()


@pytest.mark.fault(
    "an 8 h sleep: due times capped, a jittered drain, subscriptions reconciled",
    seen="in the morning a notice says that it slept; Twitch is asked who is live and what it holds for us, at once",
)
async def test_a_night_of_sleep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sleep_detector, "EVERY", 0.2)
    monkeypatch.setattr(reconciler, "_SETTLE_SECONDS", 0.01)
    monkeypatch.setattr(catch_up, "LEAST", 0.01)
    settings = f'[twitch]\ntransport = "conduit"\n{CONFIG}'
    names = ("alice", "bob")
    async with running_engine(
        tmp_path, settings, logins=names, clock=SetClock(), subscribe=False, secret=None
    ) as running:
        engine, reach = running.engine, running.engine.reach
        await until(lambda: reach.subscriptions.status.enabled == 4 and reach.catch_up.status.state.value == "ok")
        # While it sleeps, Twitch forgets a subscription, and a stream begins of which nobody told us.
        lost = next(one for one in running.simulator.eventsub.subscriptions if one.type == "stream.online")
        running.simulator.eventsub.subscriptions.remove(lost.id)
        begun = next(one for one in running.simulator.state.channels.values() if one.user_id in str(lost.condition))
        await running.simulator.go_live(begun.login)
        assert await running.deliveries() == []
        heard = await set_clock(running, 8 * HOUR)
        await until(lambda: len(running.simulator.eventsub.subscriptions) == 4, what="the subscription is made again")

        async def found() -> bool:
            return [(one.streamer, one.state) for one in await running.deliveries()] == [(begun.login, S.DELIVERED)]

        await until(found, what="the stream is found by asking")
        assert [text for text in notices(heard) if text.startswith("The machine slept for 8 hours")]
        doctor = {check.name: check for check in (await engine.api.diagnostics.doctor()).checks}
        assert doctor["clock"].state.value == "amber"  # the simulated Twitch did not sleep: to it the clock is wrong


@pytest.mark.fault(
    "an 8 h sleep: late is worse than never",
    seen="streams that ended in the night are listed as expired and can be resent; those that still run are announced",
)
@pytest.mark.parametrize(("live", "state"), [(False, S.EXPIRED), (True, S.DELIVERED), (None, S.DELIVERED)])
async def test_what_waited_over_night(tmp_path: Path, live: bool | None, state: DeliveryState) -> None:
    async with opened_world(tmp_path) as world:
        world.run_dispatcher()
        world.sender.default = BUSY
        delivery_id = await world.one()
        await world.reached(delivery_id, S.PENDING, attempts=1)
        world.sender.default, world.enricher.live = SENT, live
        world.clock.jump(8 * HOUR)
        world.dispatcher.wake()
        view = await world.reached(delivery_id, state)
        assert ("Resend it" in (view.last_error or "")) == (state is S.EXPIRED)


@pytest.mark.fault(
    "a clock that is years ahead when an event comes, and is corrected then",
    seen="it is announced as any other; if its destination is down it is given up after max_age, not in years",
)
@pytest.mark.parametrize("live", [False, None])
async def test_an_event_of_the_future(tmp_path: Path, live: bool | None) -> None:
    async with opened_world(tmp_path, make_config(retry=Retry(max_age=2 * HOUR))) as world:
        keeping = housekeeping(world)
        world.run_dispatcher()
        world.sender.default = BUSY
        world.clock.jump(10 * YEAR)
        await keeping.tidy()  # it notices the jump, so that the one back is noticed as well
        delivery_id = await world.one()
        await world.reached(delivery_id, S.PENDING, attempts=1)
        world.clock.jump(-10 * YEAR)
        await keeping.tidy()
        due = (await world.ledger.delivery(delivery_id)).next_at
        assert due is not None
        assert due <= world.clock.now() + 1800 * 1.2
        world.enricher.live = live
        if live is False:  # how old it is cannot be told, so Twitch is asked
            world.clock.advance(1800 * 1.2)
            await world.reached(delivery_id, S.EXPIRED)
            return
        for _ in range(5):
            world.clock.advance(HOUR)
            await until(lambda: world.clock.sleeping and not world.dispatcher.under_way)
            await keeping.tidy()
        view = await world.reached(delivery_id, S.DEAD)
        assert "max_age" in (view.last_error or "")


@pytest.mark.fault(
    "a clock that is years behind until the network sets it",
    seen="nothing is given up or forgotten because of that: the stream that still runs is not announced twice",
)
async def test_a_board_without_a_battery(tmp_path: Path) -> None:
    async with opened_world(tmp_path, make_config(cache=Cache(history=30 * DAY, dedup_ttl=2 * HOUR))) as world:
        keeping = housekeeping(world)
        world.run_pipeline()
        world.run_dispatcher()
        right = world.clock.now()
        world.clock.jump(1000.0 - right)
        await world.settle(stream_id="s1", message_id="first")
        (view,) = await world.ledger.deliveries()
        await world.reached(view.id, S.DELIVERED)
        world.clock.jump(right - 1000.0)
        for _ in range(3):
            await keeping.tidy()
            world.clock.advance(STEADY_SECONDS)
        await keeping.tidy()
        again = await world.settle(stream_id="s1", message_id="second")
        assert (again.state, again.reason) == (EventState.SUPPRESSED, "already_announced")
        assert len(world.sender.posts) == 1


@pytest.mark.fault(
    "a start with a wrong clock, with which no certificate seems valid and Twitch cannot be asked",
    seen="health says that Twitch cannot be reached; the queue waits, and nothing of the history is forgotten",
)
@pytest.mark.slow  # the stop waits for an attempt that asks in vain whether the stream still runs
async def test_a_start_with_a_wrong_clock(tmp_path: Path) -> None:
    clock = SetClock()
    async with running_engine(tmp_path, CONFIG, logins=("alice", "bob"), clock=clock) as running:
        running.simulator.faults.set_receiver("main", status=500)
        await running.simulator.go_live("alice")
        await until(lambda: running.simulator.receiver.received("main"))
        await running.stop()
        clock.ahead = YEAR
        # Nobody answers there.
        running._environ |= {
            "ITSJUSTINTV_TWITCH_API_URL": "http://127.0.0.1:9/helix",
            "ITSJUSTINTV_TWITCH_AUTH_URL": "http://127.0.0.1:9/oauth2",
        }
        await running.start()
        assert running.engine.clock_trust.doubtful()
        await running.engine.housekeeping.tidy()
        (view,) = await running.deliveries()
        assert view.state in {S.PENDING, S.SENDING}
        assert len(await running.engine.ledger.events()) >= 1


@pytest.fixture
def zone() -> Iterator[None]:
    with berlin():
        yield


@pytest.mark.fault("DST", seen="nothing: all times are Unix seconds, and only what is shown is turned into local time")
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process can only be set on POSIX systems")
@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("change", [1_774_746_000.0, 1_792_890_000.0])  # 2026-03-29 and 2026-10-25, 01:00 UTC
async def test_the_clocks_change(tmp_path: Path, change: float) -> None:
    before, after = time.localtime(change - 1), time.localtime(change)
    assert before.tm_isdst != after.tm_isdst, "it is really the night of the change"
    async with opened_world(tmp_path) as world:
        world.clock.jump(change - 20 - world.clock.now())
        assert world.wall_clock.doubtful
        world.run_dispatcher()
        world.sender.script["main"] = [BUSY]
        began = world.clock.monotonic()
        delivery_id = await world.one()
        await world.reached(delivery_id, S.PENDING, attempts=1)
        await world.clock.run_until(lambda: world.is_delivered(delivery_id), step=1.0, most=40.0)
        assert world.clock.now() > change
        assert 29 <= world.clock.monotonic() - began <= 35, "the pause is 30 s in every night"


def _taken(running: Running) -> list[str | None]:
    """The ids of what the receiver took, in order."""
    received = running.simulator.receiver.received("main")
    return [each.webhook_id for each in received if each.status_answered is not None and each.status_answered < 300]


def housekeeping(world: World) -> Maintenance:
    async def nothing() -> None:
        return

    return Maintenance(
        world.ledger,
        world.dispatcher,
        config=world.holder,
        clock=world.clock,
        purge_images=nothing,
        clock_doubtful=lambda: world.wall_clock.doubtful,
    )
