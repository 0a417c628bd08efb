from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.wallclock import STEADY_SECONDS, WallClock
from tests.support.clock import FakeClock


@pytest.mark.parametrize("jump", [-365 * 86400.0, -3600.0, 301.0, 8 * 3600.0, 365 * 86400.0])
def test_a_jump_makes_it_doubtful_for_an_hour(jump: float) -> None:
    clock = FakeClock()
    wall = WallClock(clock, lambda: 0.0)
    seen: list[bool] = []
    for step in (10_000.0, 0.0, STEADY_SECONDS - 1, 2.0):
        clock.advance(step)
        if step == 0.0:
            clock.jump(jump)
        seen.append(wall.doubtful)
    assert seen == [False, True, True, False]


def test_small_corrections_are_no_jump() -> None:
    clock = FakeClock()
    wall = WallClock(clock, lambda: 0.0)
    for _ in range(10):
        clock.advance(60)
        clock.jump(2.0)
        assert not wall.doubtful


def test_far_from_twitchs_time_it_is_never_believed() -> None:
    clock = FakeClock()
    skews = [-86400.0]
    wall = WallClock(clock, lambda: skews[-1])
    clock.advance(10 * STEADY_SECONDS)
    assert wall.doubtful
    skews.append(3.0)
    now_right = wall.doubtful
    assert not now_right
