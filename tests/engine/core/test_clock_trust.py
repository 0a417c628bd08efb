from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from itsjustintv_desktop.engine.core.clock_trust import (
    REMEMBERED,
    STEADY_SECONDS,
    UNCONFIRMED_SECONDS,
    ClockTrust,
    WallClock,
)
from itsjustintv_desktop.engine.twitch.http import ClockSkew
from tests.support.clock import FakeClock

HOUR = 3600.0


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


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.skew = ClockSkew()
        self.notices: list[str] = []
        self.clock_trust = ClockTrust(self.clock, self.skew, self.notices.append)
        self.ask()

    def ask(self, ahead: float = 0.0) -> None:
        """Twitch is asked; our clock is ahead by so much."""
        now = self.clock.now()
        date = format_datetime(datetime.fromtimestamp(now - ahead, UTC), usegmt=True)
        self.skew.observe(date, now, now)

    def jump(self, seconds: float) -> None:
        self.clock.jump(seconds)
        self.clock_trust.woke(seconds)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_an_ordinary_day(rig: Rig) -> None:
    rig.clock.advance(8 * HOUR)
    rig.clock_trust.woke(0.0)
    assert not rig.clock_trust.doubtful()
    assert (rig.clock_trust.health().level, rig.clock_trust.health().reason, rig.notices) == ("ok", "", [])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (8 * HOUR, "The machine slept for 8 hours, or its clock was set ahead by that."),
        (-HOUR, "The clock was set back by 1 hour."),
        (-3653 * 24 * HOUR, "The clock was set back by 3653 days."),
        (3653 * 24 * HOUR, "The machine slept for 3653 days"),
    ],
)
def test_a_jump_is_told_and_remembered_for_an_hour(rig: Rig, seconds: float, said: str) -> None:
    rig.jump(seconds)
    assert rig.clock_trust.doubtful()
    (notice,) = rig.notices
    assert notice.startswith(said)
    part = rig.clock_trust.health()
    assert part.level == "waiting"
    assert part.reason.startswith(said)
    assert "nothing is given up" in part.reason
    assert part.since == rig.clock.now()
    rig.clock.advance(REMEMBERED + 1)
    assert (rig.clock_trust.health().level, rig.clock_trust.health().reason) == ("ok", "")


def test_once_twitch_confirms_it_nothing_waits_but_it_is_still_told(rig: Rig) -> None:
    rig.jump(8 * HOUR)
    rig.clock.advance(5)
    rig.ask()
    assert not rig.clock_trust.doubtful()
    part = rig.clock_trust.health()
    assert part.level == "ok"
    assert part.reason.startswith("The machine slept for 8 hours")
    assert "given up" not in part.reason


def test_a_clock_that_was_really_set_wrong_stays_doubtful(rig: Rig) -> None:
    rig.jump(HOUR)
    for _ in range(3):
        rig.clock.advance(5)
        rig.ask(ahead=HOUR)
    rig.clock.advance(2 * HOUR)
    assert rig.clock_trust.doubtful()
    assert rig.clock_trust.health().level == "waiting"
    assert "ahead of Twitch's" in rig.clock_trust.health().reason


def test_a_small_correction_is_not_worth_a_word(rig: Rig) -> None:
    rig.jump(30.0)
    assert (rig.notices, rig.clock_trust.doubtful(), rig.clock_trust.health().reason) == ([], False, "")


def test_a_jump_that_only_the_wall_clock_shows_is_told_too(rig: Rig) -> None:
    """As in a command that does not listen for wake-ups."""
    rig.clock.jump(-HOUR)
    assert rig.clock_trust.lately is not None
    assert rig.clock_trust.lately.startswith("The clock was set back by 1 hour.")
