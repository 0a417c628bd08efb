"""What is said of this machine's time: to health, to the doctor, and as a notice."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from itsjustintv_desktop.engine.clocks import REMEMBERED, Clocks
from itsjustintv_desktop.engine.twitch.clock_skew import ClockSkew
from tests.support.clock import FakeClock

HOUR = 3600.0


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.skew = ClockSkew()
        self.notices: list[str] = []
        self.clocks = Clocks(self.clock, self.skew, self.notices.append)
        self.ask()

    def ask(self, ahead: float = 0.0) -> None:
        """Twitch is asked; our clock is ahead by so much."""
        now = self.clock.now()
        date = format_datetime(datetime.fromtimestamp(now - ahead, UTC), usegmt=True)
        self.skew.observe(date, now, now)

    def jump(self, seconds: float) -> None:
        self.clock.jump(seconds)
        self.clocks.woke(seconds)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_an_ordinary_day(rig: Rig) -> None:
    rig.clock.advance(8 * HOUR)
    rig.clocks.woke(0.0)
    assert not rig.clocks.doubtful()
    assert (rig.clocks.part().status, rig.clocks.part().reason, rig.notices) == ("ok", "", [])


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
    assert rig.clocks.doubtful()
    (notice,) = rig.notices
    assert notice.startswith(said)
    part = rig.clocks.part()
    assert part.status == "waiting"
    assert part.reason.startswith(said)
    assert "nothing is given up" in part.reason
    assert part.since == rig.clock.now()
    rig.clock.advance(REMEMBERED + 1)
    assert (rig.clocks.part().status, rig.clocks.part().reason) == ("ok", "")


def test_once_twitch_confirms_it_nothing_waits_but_it_is_still_told(rig: Rig) -> None:
    rig.jump(8 * HOUR)
    rig.clock.advance(5)
    rig.ask()
    assert not rig.clocks.doubtful()
    part = rig.clocks.part()
    assert part.status == "ok"
    assert part.reason.startswith("The machine slept for 8 hours")
    assert "given up" not in part.reason


def test_a_clock_that_was_really_set_wrong_stays_doubtful(rig: Rig) -> None:
    rig.jump(HOUR)
    for _ in range(3):
        rig.clock.advance(5)
        rig.ask(ahead=HOUR)
    rig.clock.advance(2 * HOUR)
    assert rig.clocks.doubtful()
    assert rig.clocks.part().status == "waiting"
    assert "ahead of Twitch's" in rig.clocks.part().reason


def test_a_small_correction_is_not_worth_a_word(rig: Rig) -> None:
    rig.jump(30.0)
    assert (rig.notices, rig.clocks.doubtful(), rig.clocks.part().reason) == ([], False, "")


def test_a_jump_that_only_the_wall_clock_shows_is_told_too(rig: Rig) -> None:
    """As in a command that does not listen for wake-ups."""
    rig.clock.jump(-HOUR)
    assert rig.clocks.lately is not None
    assert rig.clocks.lately.startswith("The clock was set back by 1 hour.")
