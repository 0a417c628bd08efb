from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.core.clock_trust import STEADY_SECONDS, UNCONFIRMED_SECONDS, WallClock
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


def test_twitchs_time_ends_the_doubt() -> None:
    clock, told = FakeClock(), [1]
    wall = WallClock(clock, lambda: 0.0, lambda: told[0])
    clock.jump(8 * 3600)
    seen = [wall.doubtful]
    clock.advance(30)
    seen.append(wall.doubtful)
    told[0] += 1
    seen.append(wall.doubtful)
    assert seen == [True, True, False]
    assert wall.jump is None


def test_a_clock_that_was_wrong_from_the_start_is_not_believed() -> None:
    """No certificate seems valid to it then, so Twitch cannot be asked either."""
    clock, told = FakeClock(), [0]
    wall = WallClock(clock, lambda: 0.0, lambda: told[0])
    for _ in range(5):
        clock.advance(STEADY_SECONDS)
        assert wall.doubtful
    assert wall.jump is None
    told[0] = 1
    confirmed = not wall.doubtful
    assert confirmed
    never = WallClock(clock, lambda: 0.0, lambda: 0)
    clock.advance(UNCONFIRMED_SECONDS + 1)
    after_a_day = not never.doubtful
    assert after_a_day


def test_it_says_how_far_it_jumped() -> None:
    clock = FakeClock()
    wall = WallClock(clock, lambda: 0.0)
    assert (wall.doubtful, wall.jump) == (False, None)
    clock.jump(-7200)
    assert (wall.doubtful, wall.jump) == (True, -7200)
