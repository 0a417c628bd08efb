from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from itsjustintv_desktop.engine.core.tasks import FIRST_PAUSE, Supervisor, Tasks
from tests.conftest import ErrorLog
from tests.support.clock import FakeClock
from tests.support.waiting import until


class Rig:
    """A loop that counts its starts and its orderly ends, and does what the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.tasks = Tasks()
        self.supervisor = Supervisor(self.tasks, self.clock)
        self.starts = 0
        self.ends = 0
        self.error: BaseException | None = None

    async def loop(self) -> None:
        self.starts += 1
        try:
            if self.error is not None:
                raise self.error
            await asyncio.Event().wait()
        finally:
            self.ends += 1


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    yield made
    await made.tasks.stop()


async def test_a_loop_is_restarted_wherever_it_stands_and_tidies_up_first(rig: Rig) -> None:
    rig.supervisor.keep("worker", rig.loop)
    for count in (1, 2, 3):
        await until(partial(lambda wanted: rig.starts == wanted, count))
        assert rig.ends == count - 1
        rig.supervisor.restart("worker")
        rig.supervisor.restart("worker")  # once more changes nothing
    await until(lambda: rig.starts == 4)
    assert rig.supervisor.broken == {}
    assert rig.clock.sleepers == 0, "without a pause"


async def test_one_that_is_not_there_cannot_be_restarted(rig: Rig) -> None:
    rig.supervisor.restart("nobody")


async def test_a_stop_is_no_restart(rig: Rig) -> None:
    rig.supervisor.keep("worker", rig.loop)
    await until(lambda: rig.starts)
    await rig.tasks.stop()
    assert (rig.starts, rig.ends) == (1, 1)


@pytest.mark.expected_errors("a loop broke")
async def test_a_loops_own_timeout_is_a_fault_like_any_other(rig: Rig) -> None:
    rig.error = TimeoutError()
    rig.supervisor.keep("worker", rig.loop)
    await until(lambda: rig.supervisor.broken)
    assert rig.supervisor.broken == {"worker": "TimeoutError"}
    assert rig.supervisor.broken_since == {"worker": rig.clock.now()}
    rig.error = None
    rig.clock.advance(FIRST_PAUSE)
    await until(lambda: rig.starts == 2)
    assert rig.supervisor.broken == {}


async def test_a_loop_that_ran_out_of_time_is_started_again_without_a_traceback(rig: Rig, error_log: ErrorLog) -> None:
    rig.error = TimeoutError()
    rig.supervisor.keep("test.loop", rig.loop)
    await until(lambda: rig.clock.sleeping)
    assert rig.supervisor.broken == {"test.loop": "TimeoutError"}
    rig.error = None
    rig.clock.advance(FIRST_PAUSE)
    await until(lambda: rig.starts == 2)
    assert not error_log.messages
