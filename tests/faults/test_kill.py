"""kill -9 at random moments, under load, with destinations and Twitch's API failing at random."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import killing, selfkill

KILLS = int(os.environ.get("KILLS", "200"))


Record = Callable[[str, object], None]


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_four_kills(tmp_path: Path) -> None:
    verdict = await killing.run(tmp_path, kills=4, seed=1)
    print(verdict.table())
    assert not verdict.faults()
    # The run was worth something: kills met the program at work.
    assert verdict.interrupted
    assert verdict.resumed


@pytest.mark.fault(
    "kill -9: at random moments, under load, while destinations and Twitch's API fail",
    seen="Nothing: after the next start every stream is announced once. A receiver may get a POST again, with the same "
    "webhook-id.",
)
@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_two_hundred_kills(tmp_path: Path, record_property: Record) -> None:
    """`KILLS` sets another number."""
    verdict = await killing.run(tmp_path, kills=KILLS, seed=2)
    print(verdict.table())
    for name, number in verdict.counters().items():
        record_property(name, number)
    assert not verdict.faults()
    assert verdict.interrupted
    assert verdict.resumed


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("sabotage", "seen"),
    [("answers_early", "lost"), ("marks_early", "lost"), ("forgets_ids", "doubled")],
)
async def test_a_broken_promise_is_seen(tmp_path: Path, sabotage: str, seen: str) -> None:
    verdict = await killing.run(tmp_path, kills=10, seed=3, program=selfkill.program(sabotage))
    assert getattr(verdict, seen)
