"""The event loop watched from outside. It really stands still here: something blocks it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest
from structlog.testing import capture_logs

from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.monitoring.watchdog import REMEMBERED, LoopWatch
from tests.support.waiting import until


class _Counting(LoopWatch):
    answers = 0

    def _answer(self, answered: threading.Event) -> None:
        self.answers += 1
        super()._answer(answered)


class Rig:
    def __init__(self) -> None:
        self.told: list[float] = []
        self.watch = _Counting(SystemClock(), self.told.append, every=0.02, stuck=0.2, grace=0.05)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    made.watch.start()
    yield made
    made.watch.stop()
    await until(lambda: not any(thread.name == "loop.watch" for thread in threading.enumerate()))


def block(secret: str, seconds: float) -> None:
    assert secret
    time.sleep(seconds)


async def test_a_loop_that_runs_says_nothing(rig: Rig) -> None:
    await until(lambda: rig.watch.answers >= 5)
    assert rig.told == []
    assert rig.watch.health().reason == ""


async def test_a_loop_that_stands_still_is_told_with_where_it_is_and_no_value(rig: Rig) -> None:
    await until(lambda: rig.watch.answers)
    with capture_logs() as lines:
        block("a-secret-value", 0.8)
        await until(lambda: rig.told)
    (line,) = [each for each in lines if each["log_level"] == "error"]
    assert line["event"] == "the event loop stands still"
    assert line["stack"].endswith(" block")
    assert "test_watchdog_loop.py:" in line["stack"]
    assert "a-secret-value" not in str(lines)
    assert 0.5 < rig.told[0] < 5
    part = rig.watch.health()
    assert part.level == "ok", "it is over"
    assert part.reason.startswith("It stood still for ")
    rig.watch._stood_still = (12.0, time.time() - REMEMBERED - 60)
    assert rig.watch.lately is None


@pytest.mark.expected_errors("stands still")
async def test_each_standstill_is_told_once(rig: Rig) -> None:
    for count in (1, 2):
        await until(lambda: rig.watch.answers)
        block("x", 0.6)
        await until(partial(lambda wanted: len(rig.told) == wanted, count))
        rig.watch.answers = 0
    await until(lambda: rig.watch.answers >= 3)
    assert len(rig.told) == 2


async def test_a_loop_that_ended_is_no_alarm() -> None:
    watch = Rig().watch

    async def short() -> None:
        watch.start()
        await asyncio.sleep(0.05)

    await asyncio.to_thread(lambda: asyncio.run(short()))
    await until(lambda: not any(thread.name == "loop.watch" for thread in threading.enumerate()))
