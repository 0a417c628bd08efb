"""Pauses that grow."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.core.backoff import Backoff


@pytest.mark.parametrize(
    ("first", "longest", "factor", "pauses"),
    [
        pytest.param(1.0, 60.0, 2.0, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0], id="doubled"),
        pytest.param(0.5, 100.0, 10.0, [0.5, 5.0, 50.0, 100.0], id="tenfold"),
        pytest.param(5.0, 5.0, 2.0, [5.0, 5.0], id="always the same"),
        pytest.param(9.0, 3.0, 2.0, [3.0, 3.0], id="never longer than the longest"),
    ],
)
def test_each_pause_is_longer_up_to_the_longest(
    first: float, longest: float, factor: float, pauses: list[float]
) -> None:
    backoff = Backoff(first, longest, factor=factor)
    assert [backoff.next() for _ in pauses] == pauses
    assert backoff.failures == len(pauses)


def test_it_begins_anew_once_it_worked() -> None:
    backoff = Backoff(1.0, 60.0)
    assert [backoff.next() for _ in range(3)] == [1.0, 2.0, 4.0]
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next() == 1.0


def test_years_of_failures_do_not_overflow() -> None:
    backoff = Backoff(1.0, 300.0)
    assert backoff.after(10**9) == 300.0
    backoff.failures = 10**9
    assert backoff.next() == 300.0


def test_those_who_count_elsewhere_ask_for_a_number() -> None:
    backoff = Backoff(30.0, 300.0)
    assert [backoff.after(failures) for failures in range(7)] == [30.0, 30.0, 60.0, 120.0, 240.0, 300.0, 300.0]
    assert backoff.failures == 0


def test_jitter_comes_last() -> None:
    factors = iter([0.5, 1.5, 1.0])
    backoff = Backoff(10.0, 15.0, jitter=lambda: next(factors))
    assert [backoff.next() for _ in range(3)] == [5.0, 22.5, 15.0]
