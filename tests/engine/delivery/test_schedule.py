from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.schema import Retry
from itsjustintv_desktop.engine.delivery import schedule

MIDDLE = 0.5
"""With it the jitter is nil."""

retries = st.builds(
    Retry,
    initial_delay=st.floats(0.001, 1e6),
    max_delay=st.floats(0.001, 1e6),
    backoff_factor=st.floats(1.0, 100.0),
    jitter=st.floats(0.0, 1.0),
)
draws = st.floats(0.0, 1.0, exclude_max=True)


def delay(
    attempts: int, *, retry_after: float | None = None, draw: float = MIDDLE, retry: Retry | None = None
) -> float:
    return schedule.next_delay(attempts, retry or Retry(), retry_after=retry_after, random=lambda: draw)


def test_doubles_from_thirty_seconds_to_thirty_minutes() -> None:
    assert [delay(n) for n in range(1, 10)] == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]


def test_jitter_moves_a_delay_by_a_fifth_either_way() -> None:
    assert delay(1, draw=0.0) == pytest.approx(24)
    assert delay(1, draw=0.999999) == pytest.approx(36, rel=1e-4)
    spread = {delay(3, draw=random.Random(seed).random()) for seed in range(50)}
    assert len(spread) == 50


def test_retry_after_is_respected_up_to_the_maximum() -> None:
    assert delay(1, retry_after=1, draw=0.0) == 1
    assert delay(1, retry_after=1.5, draw=0.5) == pytest.approx(1.65)
    assert delay(5, retry_after=20, draw=0.0) == 20
    assert delay(1, retry_after=100, draw=0.0) == 100
    assert delay(1, retry_after=1e12, draw=0.0) == 1800
    assert delay(1, retry_after=math.inf, draw=0.0) == 1800
    assert delay(1, retry_after=math.nan) == 30
    assert delay(1, retry_after=-1) == 30


def test_one_that_always_asks_for_nothing_is_asked_ever_less_often() -> None:
    assert [delay(n, retry_after=0, draw=0.0) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    impatient = Retry(initial_delay=0.2, max_delay=1.0)
    assert [delay(n, retry_after=0, draw=0.0, retry=impatient) for n in range(1, 4)] == [0.2, 0.2, 0.2]


def test_never_earlier_than_the_receiver_asked() -> None:
    assert all(delay(1, retry_after=100, draw=n / 100) >= 100 for n in range(100))


@given(st.one_of(st.integers(0, 10), st.integers(0, 10**30)), retries, draws, st.one_of(st.none(), st.floats()))
def test_every_delay_is_finite_and_within_the_bounds(
    attempts: int, retry: Retry, draw: float, retry_after: float | None
) -> None:
    value = delay(attempts, retry_after=retry_after, draw=draw, retry=retry)
    assert 0 <= value <= schedule.longest_delay(retry) * (1 + 1e-9)


@given(st.integers(1, 60), retries)
def test_delays_never_shrink(attempts: int, retry: Retry) -> None:
    assert delay(attempts, retry=retry) <= delay(attempts + 1, retry=retry)


def test_after_a_refusal_it_waits_as_after_any_failure_but_minutes_in_all() -> None:
    def delays(retry: Retry) -> list[float]:
        count = range(1, schedule.MOST_REFUSALS)
        return [schedule.delay_after_refusal(n, retry, random=lambda: MIDDLE) for n in count]

    assert delays(Retry()) == [30, 60, 120, 240]
    assert delays(Retry(initial_delay=0.2, max_delay=1.0)) == [0.2, 15, 60, 120]


@given(st.floats(), st.floats(0, 1e11), retries)
def test_no_due_time_lies_further_ahead_than_the_longest_delay(next_at: float, now: float, retry: Retry) -> None:
    due = schedule.cap_due(next_at, now, retry)
    assert due <= now + schedule.longest_delay(retry)
    assert due == next_at or not next_at <= now + schedule.longest_delay(retry)


def test_a_clock_that_was_a_year_ahead_postpones_by_minutes_only() -> None:
    year = 365 * 86400.0
    assert schedule.cap_due(1000 + year, 1000, Retry()) == 1000 + 1800 * 1.2
    assert schedule.cap_due(1010, 1000, Retry()) == 1010


def test_ends_after_max_age() -> None:
    made = 1_790_000_000.5
    assert not schedule.is_over_age(made, made + 86399.5, Retry())
    assert schedule.is_over_age(made, made + 86400.0, Retry())


@pytest.mark.parametrize(
    ("most", "made", "over"),
    [(0, 1, False), (0, 10_000, False), (1, 0, False), (1, 1, True), (1, 2, True), (2, 1, False), (2, 2, True)],
)
def test_attempts_end_with_the_number_that_is_set(most: int, made: int, over: bool) -> None:
    assert schedule.attempts_used_up(made, Retry(max_attempts=most)) is over
