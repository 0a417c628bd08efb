from __future__ import annotations

from itsjustintv_desktop.engine.sparing import Sparing
from tests.support.clock import FakeClock


def test_the_first_is_said_and_the_flood_is_counted() -> None:
    clock = FakeClock()
    sparing = Sparing(clock, every=10.0)
    assert sparing.due() == 0
    assert [sparing.due() for _ in range(5)] == [None] * 5
    clock.advance(9.0)
    assert sparing.due() is None
    clock.advance(1.5)
    assert sparing.due() == 6
    clock.advance(10.5)
    assert sparing.due() == 0
