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

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.errors import LedgerUnavailableError, UsageError
from itsjustintv_desktop.engine.core.events import AnnouncementsPaused, Bus, EngineEvent
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.support.clock import FakeClock
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
        self.pause = Pause(self.ledger, bus=_Ear(self.heard), clock=self.clock)
        self.pause.changed.connect(self._changed)
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


async def test_one_that_a_wrong_clock_ended_holds_nothing_back_later(held: Held) -> None:
    """Resumed while the clock was two hours ahead: what begins after it was set right is announced."""
    pause = held.pause
    await pause.begin(None)
    held.clock.jump(2 * HOUR)
    await pause.resume()
    held.clock.jump(-2 * HOUR)
    held.clock.advance(60)
    assert not pause.active
    assert not pause.covers(held.clock.now())
    assert not (await held.again()).covers(held.clock.now())


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


async def test_after_a_sleep_it_is_over(held: Held) -> None:
    await held.pause.begin(held.clock.now() + HOUR)
    held.clock.suspend(8 * HOUR)
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


async def test_one_begun_at_the_moment_another_ends_is_not_ended_with_it(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write = asyncio.Event(), held.ledger.set_meta

    async def slow(key: str, value: str) -> None:
        await written.wait()
        await write(key, value)

    began = held.clock.now()
    await held.pause.begin(began + HOUR)
    monkeypatch.setattr(held.ledger, "set_meta", slow)
    beginning = asyncio.ensure_future(held.pause.begin(began + 3 * HOUR))
    await until(lambda: held.pause._turn.locked())
    held.clock.advance(HOUR)
    await until(lambda: (False, None) in held.told)  # the first is over, and its end waits for its turn
    written.set()
    await beginning
    await until(lambda: not held.pause._turn.locked())
    for _ in range(10):
        await asyncio.sleep(0)
    assert is_on(held.pause)
    assert held.pause.until == began + 3 * HOUR


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


async def test_many_short_pauses_push_none_out(held: Held) -> None:
    began = held.clock.now()
    await held.pause.begin(None)
    held.clock.advance(HOUR)
    await held.pause.resume()
    for _ in range(30):
        held.clock.advance(1)
        await held.pause.begin(None)
        held.clock.advance(1)
        await held.pause.resume()
    for pause in (held.pause, await held.again()):
        assert pause.covers(began + 1)
    held.clock.advance(4 * 86400)
    await held.pause.begin(None)
    await held.pause.resume()
    assert not held.pause.covers(began + 1), "nothing is remembered for ever"


_KILLED = """
import asyncio, os, pathlib, signal, sys
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.announce.pause import Pause
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
