from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.models import Outcome
from itsjustintv_desktop.engine.delivery import breaker as module
from itsjustintv_desktop.engine.delivery.breaker import Breaker, BreakerState, fingerprint

T = 1_700_000_000.0
YEAR = 365 * 86400.0


def opened(now: float = T) -> Breaker:
    breaker = Breaker()
    for _ in range(10):
        breaker.record(Outcome.RETRY, now, "no answer in time")
    return breaker


def restarted(breaker: Breaker) -> Breaker:
    """What comes back after the state went through the ledger as JSON."""
    return Breaker(msgspec.json.decode(msgspec.json.encode(breaker.snapshot()), type=BreakerState))


@pytest.fixture
def breaker() -> Breaker:
    return Breaker()


def test_opens_at_seventy_percent_of_ten(breaker: Breaker) -> None:
    for failed in [True] * 6 + [False] * 3:
        breaker.record(Outcome.RETRY if failed else Outcome.DELIVERED, T)
    assert (breaker.name(T), breaker.allow(T)) == ("closed", True)
    breaker.record(Outcome.RETRY, T, "no answer in time")
    assert (breaker.name(T), breaker.allow(T)) == ("open", False)
    state = breaker.snapshot()
    assert state.since == T
    assert state.reason == (
        "7 of the last 10 attempts failed, the latest with: no answer in time. "
        "It is tried again by itself, with pauses."
    )


def test_stays_closed_below_ten_attempts_or_below_seventy_percent() -> None:
    few, mixed = Breaker(), Breaker()
    for _ in range(9):
        few.record(Outcome.RETRY, T)
    for number in range(300):
        mixed.record(Outcome.RETRY if number % 3 else Outcome.DELIVERED, T)
    assert few.name(T) == mixed.name(T) == "closed"


def test_forgets_what_is_older_than_five_minutes(breaker: Breaker) -> None:
    for _ in range(9):
        breaker.record(Outcome.RETRY, T)
    breaker.record(Outcome.RETRY, T + 301)
    assert breaker.name(T + 301) == "closed"
    assert sum(bucket.attempts for bucket in breaker.snapshot().buckets) == 1


def test_attempts_spread_over_the_window_count_together(breaker: Breaker) -> None:
    for number in range(10):
        assert breaker.name(T + number * 25) == "closed"
        breaker.record(Outcome.RETRY, T + number * 25)
    assert breaker.name(T + 225) == "open"


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(Outcome)), max_size=200))
def test_memory_is_bounded(steps: list[tuple[float, Outcome]]) -> None:
    breaker, now = Breaker(), T
    for wait, outcome in steps:
        now += wait
        breaker.record(outcome, now)
        assert len(breaker.snapshot().buckets) <= 10


@pytest.mark.parametrize("outcome", [Outcome.DELIVERED, Outcome.DEAD])
def test_a_live_server_is_no_failure(outcome: Outcome, breaker: Breaker) -> None:
    for _ in range(50):
        breaker.record(outcome, T)
    assert breaker.name(T) == "closed"


def test_one_probe_at_a_time_after_thirty_seconds() -> None:
    breaker = opened()
    assert breaker.blocked_until(T + 29) == T + 30
    assert not breaker.allow(T + 29)
    assert breaker.name(T + 30) == "half-open"
    assert breaker.blocked_until(T + 30) is None
    assert [breaker.allow(T + 30) for _ in range(3)] == [True, False, False]
    assert breaker.name(T + 31) == "half-open"


@pytest.mark.parametrize("outcome", [Outcome.DELIVERED, Outcome.DEAD])
def test_a_probe_that_is_answered_closes_and_clears(outcome: Outcome) -> None:
    breaker = opened()
    assert breaker.allow(T + 30)
    breaker.record(outcome, T + 31)
    assert (breaker.name(T + 31), breaker.allow(T + 31), breaker.allow(T + 31)) == ("closed", True, True)
    assert breaker.snapshot() == BreakerState(since=T + 31)
    breaker.record(Outcome.RETRY, T + 32)
    assert breaker.name(T + 32) == "closed"


def test_each_failed_probe_doubles_the_pause_up_to_five_minutes() -> None:
    breaker, now, pauses = opened(), T, []
    for _ in range(8):
        until = breaker.blocked_until(now)
        assert until is not None
        pauses.append(until - now)
        now = until
        assert breaker.allow(now)
        breaker.record(Outcome.RETRY, now, "the connection was refused")
    assert pauses == [30, 60, 120, 240, 300, 300, 300, 300]
    assert "the connection was refused" in breaker.snapshot().reason


def test_after_a_success_the_pause_begins_small_again() -> None:
    breaker = opened()
    assert breaker.allow(T + 30)
    breaker.record(Outcome.RETRY, T + 30)
    assert breaker.allow(T + 90)
    breaker.record(Outcome.DELIVERED, T + 90)
    for _ in range(10):
        breaker.record(Outcome.RETRY, T + 91)
    assert breaker.blocked_until(T + 91) == T + 121


def test_outcomes_of_attempts_that_began_before_it_opened_change_nothing() -> None:
    breaker = opened()
    before = breaker.snapshot()
    breaker.record(Outcome.DELIVERED, T + 1)
    breaker.record(Outcome.RETRY, T + 2)
    assert breaker.snapshot() == before


def test_an_abandoned_or_lost_probe_makes_room_for_another() -> None:
    breaker = opened()
    assert breaker.allow(T + 30)
    breaker.abandon()
    assert breaker.allow(T + 31)
    assert breaker.blocked_until(T + 40) == T + 31 + module.PROBE_TIMEOUT
    assert not breaker.allow(T + 40)
    assert breaker.allow(T + 31 + module.PROBE_TIMEOUT)


def test_410_pauses_until_resumed(breaker: Breaker) -> None:
    breaker.observe_address("abc", T)
    breaker.record(Outcome.GONE, T, "answered 410 Gone: this webhook no longer exists there")
    assert (breaker.name(T), breaker.allow(T + YEAR), breaker.blocked_until(T + YEAR)) == ("paused", False, math.inf)
    assert breaker.snapshot().reason.startswith("answered 410")
    again = restarted(breaker)
    assert not again.allow(T + YEAR)
    again.resume(T + YEAR)
    assert again.allow(T + YEAR)


def test_a_pause_outlasts_outcomes_that_come_in_late(breaker: Breaker) -> None:
    breaker.pause("by hand", "abc", T)
    for outcome in (Outcome.DELIVERED, Outcome.RETRY, Outcome.DEAD):
        breaker.record(outcome, T + 1)
    assert breaker.name(T + 1) == "paused"


@pytest.mark.parametrize("state", ["paused", "open"])
def test_a_new_address_starts_afresh(state: str, breaker: Breaker) -> None:
    assert not breaker.observe_address(fingerprint("https://a/1"), T)
    if state == "paused":
        breaker.record(Outcome.GONE, T)
    else:
        for _ in range(10):
            breaker.record(Outcome.RETRY, T)
    breaker = restarted(breaker)
    assert not breaker.observe_address(fingerprint("https://a/1"), T + 1)
    assert breaker.name(T + 1) == state
    assert breaker.observe_address(fingerprint("https://a/2"), T + 1)
    assert breaker.allow(T + 1)
    assert breaker.snapshot() == BreakerState(since=T + 1, fingerprint=fingerprint("https://a/2"))


def test_a_fingerprint_is_short_and_does_not_hold_the_address() -> None:
    made = fingerprint("https://discord.com/api/webhooks/1/token")
    assert len(made) == 16
    assert made != fingerprint("https://discord.com/api/webhooks/1/tokem")
    assert int(made, 16)


def test_survives_a_restart() -> None:
    again = restarted(opened())
    assert again.blocked_until(T + 1) == T + 30
    assert again.allow(T + 30)
    # The probe's outcome died with the process: another goes at once.
    third = restarted(again)
    assert third.name(T + 31) == "half-open"
    assert third.allow(T + 31)
    nine = Breaker()
    for _ in range(9):
        nine.record(Outcome.RETRY, T)
    last = restarted(nine)
    last.record(Outcome.RETRY, T + 1)
    assert last.name(T + 1) == "open"


def test_a_clock_set_back_a_year_does_not_keep_it_open_for_one() -> None:
    breaker = opened(T + YEAR)
    assert breaker.blocked_until(T) == T + 30
    assert breaker.blocked_until(T + 10) == T + 30
    assert breaker.snapshot().since == T
    assert breaker.allow(T + 30)


def test_a_clock_set_back_during_a_probe_does_not_wait_for_it_for_a_year() -> None:
    breaker = opened(T + YEAR)
    assert breaker.allow(T + YEAR + 30)
    assert breaker.blocked_until(T) == T + module.PROBE_TIMEOUT
    assert breaker.allow(T + module.PROBE_TIMEOUT)


def test_a_clock_set_ahead_only_brings_the_probe_forward() -> None:
    breaker = opened()
    assert breaker.allow(T + YEAR)
    breaker.record(Outcome.RETRY, T + YEAR)
    assert breaker.blocked_until(T + YEAR) == T + YEAR + 60
    assert breaker.blocked_until(T) == T + 60


def test_failures_of_a_future_that_never_was_do_not_count(breaker: Breaker) -> None:
    for _ in range(9):
        breaker.record(Outcome.RETRY, T + YEAR)
    breaker.record(Outcome.RETRY, T)
    assert breaker.name(T) == "closed"


states = st.builds(
    BreakerState,
    name=st.sampled_from(["closed", "open", "half-open"]),
    since=st.floats(),
    open_until=st.floats(),
    openings=st.integers(-5, 10**9),
    probe_since=st.one_of(st.none(), st.floats()),
    reason=st.just(""),
    fingerprint=st.just(""),
    buckets=st.just(()),
)


@given(states, st.floats(0, 1e10))
def test_whatever_was_stored_a_probe_goes_within_ten_minutes(state: BreakerState, now: float) -> None:
    breaker = Breaker(state)
    until = breaker.blocked_until(now)
    assert until is None or until <= now + module.LONGEST_OPEN
    assert breaker.allow(until or now)


@given(st.lists(st.tuples(st.floats(-1e8, 1e8), st.sampled_from(Outcome)), max_size=80))
def test_unless_paused_it_always_comes_back(steps: list[tuple[float, Outcome]]) -> None:
    breaker, now = Breaker(), T
    for move, outcome in steps:
        now += move
        if breaker.allow(now):
            breaker.record(outcome, now)
        until = breaker.blocked_until(now)
        if breaker.name(now) == "paused":
            assert until == math.inf
            breaker.resume(now)
        else:
            assert until is None or now < until <= now + module.LONGEST_OPEN


def test_the_window_is_ten_buckets_and_not_an_eleventh() -> None:
    count = round(module.WINDOW / module.BUCKET)
    assert count == 10
    start = math.floor(T / module.BUCKET) * module.BUCKET
    breaker = Breaker()
    for number in range(count + 1):
        breaker.record(Outcome.DELIVERED, start + number * module.BUCKET)
        kept = [bucket.start for bucket in breaker.snapshot().buckets]
        newest = round(start / module.BUCKET) + number
        assert kept == list(range(max(newest - count + 1, round(start / module.BUCKET)), newest + 1))
