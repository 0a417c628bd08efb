from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from itsjustintv_desktop.engine.core.sleep_detector import EVERY, SleepDetector
from itsjustintv_desktop.engine.core.tasks import Tasks
from tests.support.clock import FakeClock
from tests.support.waiting import until


class Machine:
    """A machine that sleeps when told to."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.gaps: list[float] = []
        self.wake = SleepDetector(self.clock)
        self.wake.woke_up.connect(self.gaps.append)

    async def look(self, seconds: float = EVERY) -> None:
        """Let that much time pass, and the next look happen."""
        await until(lambda: self.clock.sleeping)
        self.clock.advance(seconds)
        await asyncio.sleep(0)
        await until(lambda: self.clock.sleeping, what="it looked and waits again")


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    made, tasks = Machine(), Tasks()
    tasks.start("wake", made.wake.run())
    yield made
    await tasks.stop()


async def test_awake_it_says_nothing(machine: Machine) -> None:
    for _ in range(5):
        await machine.look()
        machine.clock.jump(0.5)  # as a clock is corrected
    assert machine.gaps == []


async def test_a_sleep_in_which_the_monotonic_clock_stood_still(machine: Machine) -> None:
    await machine.look()
    machine.clock.jump(8 * 3600)
    await machine.look()
    assert machine.gaps == [8 * 3600]
    await machine.look()
    assert machine.gaps == [8 * 3600], "once"


async def test_a_sleep_in_which_the_monotonic_clock_went_on(machine: Machine) -> None:
    await machine.look(EVERY + 3600)
    assert machine.gaps == [3600]


@pytest.mark.parametrize("jump", [-3600.0, -365 * 86400.0])
async def test_a_clock_set_back_is_told_as_that(machine: Machine, jump: float) -> None:
    machine.clock.jump(jump)
    await machine.look()
    assert machine.gaps == [jump]


async def test_the_systems_signal_counts_at_once_and_only_once(machine: Machine) -> None:
    await machine.look()
    machine.clock.jump(600)
    machine.wake.woke()
    assert machine.gaps == [600], "not after the next look only"
    machine.wake.woke()
    for _ in range(3):
        await machine.look()
    assert machine.gaps == [600]


async def test_the_signal_after_our_own_noticing_is_the_same_wake_up(machine: Machine) -> None:
    machine.clock.jump(600)
    await machine.look()
    machine.wake.woke()
    assert machine.gaps == [600]
    await machine.look()
    machine.clock.jump(700)
    machine.wake.woke()
    assert machine.gaps == [600, 700], "another sleep is another wake-up"


async def test_started_again_it_knows_what_it_slept_through() -> None:
    machine, tasks = Machine(), Tasks()
    machine.clock.jump(3600)
    tasks.start("wake", machine.wake.run())
    await machine.look()
    assert machine.gaps == [3600]
    await tasks.stop()


async def test_a_machine_that_woke_for_a_moment_and_slept_on(machine: Machine) -> None:
    machine.clock.jump(3600)
    machine.wake.woke()
    machine.clock.advance(6)  # as it does to look for mail
    machine.clock.jump(8 * 3600)
    machine.wake.woke()
    assert machine.gaps == [3600, 8 * 3600]
