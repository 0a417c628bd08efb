"""Announcements held back because a person wants it so."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from itsjustintv_desktop.engine.catchup.judge import GRACE
from itsjustintv_desktop.engine.clock import SystemClock
from itsjustintv_desktop.engine.errors import LedgerUnavailableError, UsageError
from itsjustintv_desktop.engine.events import AnnouncementsPaused, Bus, EngineEvent
from itsjustintv_desktop.engine.models import EventState
from itsjustintv_desktop.engine.pause import Pause
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.tasks import Tasks
from tests.engine.catchup.rig import Net, opened_net
from tests.support.clock import FakeClock
from tests.support.engine import ONE_STREAMER, Running, running_engine
from tests.support.waiting import until

HOUR = 3600.0


class _Ear(Bus):
    def __init__(self, heard: list[EngineEvent]) -> None:
        super().__init__()
        self._heard = heard

    def publish(self, event: EngineEvent) -> None:
        self._heard.append(event)


def is_on(pause: Pause) -> bool:
    return pause.active


class Held:
    """A pause on a real ledger. `again` is what a kill and a start of the program leave of it."""

    def __init__(self, ledger: Ledger, clock: FakeClock) -> None:
        self.ledger, self.clock = ledger, clock
        self.tasks = Tasks()
        self.heard: list[EngineEvent] = []
        self.changes = 0
        self.pause: Pause

    async def again(self, *, run: bool = True) -> Pause:
        await self.tasks.stop()
        self.tasks = Tasks()
        self.pause = Pause(self.ledger, bus=_Ear(self.heard), clock=self.clock, on_change=self._changed)
        await self.pause.load()
        if run:
            self.tasks.start("pause", self.pause.run())
            await asyncio.sleep(0)
        return self.pause

    def _changed(self) -> None:
        self.changes += 1

    @property
    def told(self) -> list[tuple[bool, float | None]]:
        return [(each.paused, each.until) for each in self.heard if isinstance(each, AnnouncementsPaused)]


@asynccontextmanager
async def opened_pause(folder: Path) -> AsyncIterator[Held]:
    clock = FakeClock()
    ledger = Ledger(folder / "ledger.db", clock)
    await ledger.open()
    held = Held(ledger, clock)
    try:
        await held.again()
        yield held
    finally:
        await held.tasks.stop()
        await ledger.close()


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    async with opened_pause(tmp_path) as made:
        yield made


async def test_it_ends_by_itself_and_says_so(held: Held) -> None:
    pause, clock = held.pause, held.clock
    end = clock.now() + HOUR
    await pause.begin(end)
    assert (pause.active, pause.until, pause.since) == (True, end, clock.now())
    assert pause.sentence.startswith("Announcements are paused until 20")
    clock.advance(HOUR - 1)
    assert is_on(pause)
    clock.advance(1)
    assert not is_on(pause), "to the second, whether or not the loop has looked"
    await until(lambda: held.told == [(True, end), (False, None)])
    assert held.changes == 2
    assert (pause.since, pause.until, pause.sentence) == (None, None, "")
    await until(lambda: not pause.active)
    assert not is_on(await held.again())


async def test_one_without_an_end_lasts_until_resumed(held: Held) -> None:
    await held.pause.begin(None)
    held.clock.advance(400 * 24 * HOUR)
    assert is_on(held.pause)
    assert held.pause.sentence == "Announcements are paused until you resume them."
    pause = await held.again()
    assert is_on(pause)
    await pause.resume()
    await pause.resume()
    assert not is_on(pause)
    assert held.told == [(True, None), (False, None)]
    assert not is_on(await held.again())


async def test_a_clock_that_is_set_back_does_not_make_it_longer(held: Held) -> None:
    await held.pause.begin(held.clock.now() + HOUR)
    held.clock.jump(-24 * HOUR)
    held.clock.advance(HOUR - 1)
    assert is_on(held.pause)
    held.clock.advance(1)
    assert not is_on(held.pause)
    await until(lambda: len(held.told) == 2)
    assert not is_on(await held.again()), "the wall clock alone says that it goes on for a day"


async def test_a_clock_that_is_set_back_while_the_program_is_off_does_not_either(held: Held) -> None:
    await held.pause.begin(held.clock.now() + HOUR)
    held.clock.jump(-24 * HOUR)
    pause = await held.again()
    assert pause.until == held.clock.now() + HOUR
    held.clock.advance(HOUR)
    assert not is_on(pause)


async def test_after_a_sleep_it_is_over_by_the_wall_clock(held: Held) -> None:
    await held.pause.begin(held.clock.now() + HOUR)
    held.clock.jump(8 * HOUR)  # the monotonic clock stands still while a machine sleeps
    assert not is_on(held.pause)


async def test_what_is_over_at_the_start_says_so(held: Held) -> None:
    await held.pause.begin(held.clock.now() + HOUR)
    held.clock.advance(HOUR + 5)
    held.heard.clear()
    pause = await held.again()
    await until(lambda: (False, None) in held.told)
    assert not is_on(pause)
    assert pause.covers(held.clock.now() - HOUR)


async def test_a_running_one_gets_another_end(held: Held) -> None:
    began = held.clock.now()
    await held.pause.begin(began + HOUR)
    held.clock.advance(60)
    await held.pause.begin(None)
    held.clock.advance(2 * HOUR)
    assert (held.pause.active, held.pause.since) == (True, began)


@pytest.mark.parametrize("when", [-1.0, 0.0, 400 * 24 * HOUR])
async def test_a_time_that_makes_no_sense_is_refused(held: Held, when: float) -> None:
    with pytest.raises(UsageError, match="later than now"):
        await held.pause.begin(held.clock.now() + when)
    assert not is_on(held.pause)


async def test_it_counts_only_once_it_is_written(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_key: str, _value: str) -> None:
        raise LedgerUnavailableError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(held.ledger, "set_meta", full)
        with pytest.raises(LedgerUnavailableError):
            await held.pause.begin(None)
        assert (held.pause.active, held.told) == (False, [])
    await held.pause.begin(None)
    with monkeypatch.context() as patched:
        patched.setattr(held.ledger, "set_meta", full)
        with pytest.raises(LedgerUnavailableError):
            await held.pause.resume()
        assert is_on(held.pause)


async def test_its_end_waits_for_no_disk_but_is_written_down(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_key: str, _value: str) -> None:
        raise LedgerUnavailableError("The disk is full.")

    await held.pause.begin(held.clock.now() + HOUR)
    with monkeypatch.context() as patched:
        patched.setattr(held.ledger, "set_meta", full)
        held.clock.advance(HOUR)
        await until(lambda: held.told[-1] == (False, None))
        held.clock.jump(-24 * HOUR)
        assert not is_on(held.pause)

    async def written() -> bool:
        return msgspec.json.decode(await held.ledger.meta("announcements_paused") or "{}")["since"] is None

    await held.clock.run_until(written)


async def test_what_cannot_be_read_pauses_nothing(held: Held) -> None:
    await held.ledger.set_meta("announcements_paused", "{not json")
    assert not is_on(await held.again())


async def test_it_remembers_when_it_was(held: Held) -> None:
    began = held.clock.now()
    await held.pause.begin(None)
    held.clock.advance(HOUR)
    assert held.pause.covers(began + 1)
    await held.pause.resume()
    for pause in (held.pause, await held.again()):
        assert [pause.covers(began + at) for at in (-1, 0, HOUR, HOUR + 1)] == [False, True, True, False]


_KILLED = """
import asyncio, os, pathlib, signal, sys
from itsjustintv_desktop.engine.clock import SystemClock
from itsjustintv_desktop.engine.events import Bus
from itsjustintv_desktop.engine.pause import Pause
from itsjustintv_desktop.engine.storage.ledger import Ledger

async def main():
    ledger = Ledger(pathlib.Path(sys.argv[1]), SystemClock())
    await ledger.open()
    bus = Bus()
    bus.publish = lambda event: os.kill(os.getpid(), signal.SIGKILL)  # the very moment it is told
    pause = Pause(ledger, bus=bus, clock=SystemClock())
    await pause.load()
    await (pause.begin(None) if sys.argv[2] == "begin" else pause.resume())

asyncio.run(main())
"""


async def test_whoever_was_told_of_it_finds_it_so_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for word, paused in (("begin", True), ("resume", False)):
        run = await asyncio.create_subprocess_exec(sys.executable, "-c", _KILLED, str(path), word)
        assert await run.wait() == -signal.SIGKILL
        ledger = Ledger(path, SystemClock())
        await ledger.open()
        try:
            pause = Pause(ledger, bus=Bus(), clock=SystemClock())
            await pause.load()
            assert pause.active is paused
        finally:
            await ledger.close()


# With the whole engine


async def reasons(running: Running) -> list[str]:
    """Of each event, oldest first: its reason, or its state."""
    return [each.reason or each.state.value for each in (await running.engine.ledger.events())[::-1]]


async def ask(running: Running) -> None:
    """Twitch is asked who is live, and what follows from it is settled."""
    catch_up = running.engine.reach.catch_up
    polled = catch_up.status.last_poll
    catch_up.nudge("asked")
    await until(lambda: catch_up.status.last_poll != polled)
    await running.settled()


async def test_a_stream_is_listed_and_not_announced_later(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        heard = running.engine.subscribe()
        await running.engine.desk.pause()
        await running.simulator.go_live("alice")
        await running.settled()
        (event,) = await running.engine.ledger.events()
        assert (event.state, event.reason, event.streamer) == (EventState.SUPPRESSED, "paused", "alice")
        assert "Announcements were paused" in (event.explanation or "")
        assert event.payload is not None, "with its details, so that it can be shown and sent anyway"
        assert running.simulator.receiver.all == []
        report = await running.engine.health.report()
        part = report["parts"]["announcements"]
        assert (part["status"], part["reason"]) == ("waiting", "Announcements are paused until you resume them.")
        check = next(each for each in (await running.engine.wishes.doctor()).checks if each.name == "announcements")
        assert check.state.value == "amber"
        await running.restart()
        assert is_on(running.engine.pause)
        assert (await running.engine.snapshot()).paused is not None
        await running.engine.desk.resume()
        for _ in range(2):
            await ask(running)
        assert await reasons(running) == ["paused"]
        assert running.simulator.receiver.all == []
        assert [each.paused for each in heard._events if isinstance(each, AnnouncementsPaused)] == [True]
        assert "announcements" not in {each.name for each in (await running.engine.wishes.doctor()).checks}
        assert await running.engine.wishes.send_anyway(event.id) == ("main",)
        (received,) = await running.simulator.receiver.wait_for(1, "main")
        assert received.json["enriched"]


async def test_a_test_and_what_is_sent_by_hand_go_out_meanwhile(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        await running.engine.desk.pause()
        await running.engine.wishes.test_event("alice")
        (received,) = await running.simulator.receiver.wait_for(1, "main")
        assert received.json["test"]
        await running.simulator.go_live("alice")
        await running.settled()
        event = (await running.engine.ledger.events())[0]
        await running.engine.wishes.send_anyway(event.id)
        await running.simulator.receiver.wait_for(2, "main")


async def test_what_is_queued_is_held_and_sent_after(tmp_path: Path) -> None:
    quick = '[retry]\ninitial_delay = "100ms"\nmax_delay = "100ms"\n'
    async with running_engine(tmp_path, quick + ONE_STREAMER) as running:
        tried = running.simulator.receiver.all
        running.simulator.faults.set_receiver("main", status=503)
        await running.simulator.go_live("alice")
        await until(lambda: tried)
        await running.engine.desk.pause()
        await until(lambda: running.engine.dispatcher.lanes.in_flight == 0)
        first = len(tried)

        async def due() -> bool:
            (delivery,) = await running.deliveries()
            return delivery.next_at is not None and delivery.next_at < running.engine.now() - 0.3

        await until(due)
        await running.restart()
        await until(due)
        running.engine.dispatcher.wake()
        batch = await running.engine.ledger.claim(5, {}, 5, only_forced=True)
        assert (batch.deliveries, batch.next_due, len(tried)) == ((), None, first)
        (delivery,) = await running.deliveries()
        await running.engine.wishes.retry(delivery.id)
        await until(lambda: len(tried) == first + 1)
        await until(due)
        assert len(tried) == first + 1, "it failed, and waits like the others"
        running.simulator.faults.clear()
        await running.engine.desk.resume()
        await running.simulator.receiver.wait_for(1, "main")
        await running.settled()
        assert [each.state.value for each in await running.deliveries()] == ["delivered"]


# Found by asking


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    async with opened_net(tmp_path) as made:
        made.watch("alice")
        yield made


async def paused_net(net: Net) -> Pause:
    pause = Pause(net.world.ledger, bus=Bus(), clock=net.clock)
    net.catch_up._paused_at = pause.covers
    return pause


@pytest.mark.parametrize("resumed", [True, False])
async def test_a_stream_that_began_meanwhile_and_is_found_by_asking_is_listed(net: Net, resumed: bool) -> None:
    pause = await paused_net(net)
    await pause.begin(None)
    net.clock.advance(60)
    await net.live("alice")
    net.clock.advance(GRACE + 1)
    if resumed:
        await pause.resume()
        net.clock.advance(60)
    await net.ask()
    await net.ask()
    assert await net.reasons() == ["paused"]
    assert net.submitted == 0


async def test_twitchs_own_message_comes_first_where_it_can(net: Net) -> None:
    pause = await paused_net(net)
    await pause.begin(None)
    net.clock.advance(60)
    await net.live("alice")
    await net.ask()
    assert await net.reasons() == []


async def test_a_stream_that_began_before_or_after_is_none_of_it(net: Net) -> None:
    pause = await paused_net(net)
    await net.live("alice", ago=120.0)
    await pause.begin(None)
    net.clock.advance(60)
    await pause.resume()
    await net.ask()
    assert net.submitted == 1


async def test_what_was_suppressed_by_it_is_not_handed_in_again(net: Net) -> None:
    net.world.pipeline._paused = lambda: True
    net.world.run_pipeline()
    event_id = await net.world.accept(broadcaster_id=net.user_id("alice"), stream_id=await net.live("alice", ago=5))
    assert (await net.world.settled(event_id)).reason == "paused"
    net.world.pipeline._paused = lambda: False
    await net.ask()
    assert (net.submitted, await net.reasons()) == (0, ["paused"])
