from __future__ import annotations

from itsjustintv_desktop.engine.core.log_throttle import FailureLog, LogThrottle, LogThrottles
from tests.support.clock import FakeClock


def test_the_first_is_said_and_the_flood_is_counted() -> None:
    clock = FakeClock()
    sparing = LogThrottle(clock, every=10.0)
    assert sparing.due() == 0
    assert [sparing.due() for _ in range(5)] == [None] * 5
    clock.advance(9.0)
    assert sparing.due() is None
    clock.advance(1.5)
    assert sparing.due() == 6
    clock.advance(10.5)
    assert sparing.due() == 0


def test_no_kind_hides_another() -> None:
    clock = FakeClock()
    kinds = LogThrottles(clock, every=60.0)
    assert [kinds.due(kind) for kind in "abab"] == [0, 0, None, None]
    clock.advance(60.0)
    assert kinds.due("a") == 1
    said = [kinds.due(f"made up {number}") for number in range(10_000)]
    assert said.count(0) < 150, "what a stranger makes up is no way round it"


def test_what_goes_on_failing_is_said_when_it_begins_changes_and_now_and_then() -> None:
    clock = FakeClock()
    lasting = FailureLog(clock, every=600.0)
    assert not lasting.worked()
    assert [lasting.failed("offline") for _ in range(3)] == [0, None, None]
    assert lasting.failed("refused") == 0
    clock.advance(599.0)
    assert lasting.failed("refused") is None
    clock.advance(1.0)
    assert lasting.failed("refused") == 1
    assert [lasting.worked() for _ in range(2)] == [True, False]
    assert lasting.failed("refused") == 0
