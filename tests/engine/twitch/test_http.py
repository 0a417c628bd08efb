from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.errors import TwitchUnreachableError
from itsjustintv_desktop.engine.twitch.http import ClockSkew
from tests.engine.twitch.rig import Rig
from tests.support.waiting import until


@pytest.fixture
def skew() -> ClockSkew:
    return ClockSkew()


async def test_a_closed_session_is_never_opened_again(rig: Rig) -> None:
    await rig.http.exchange("GET", f"{rig.simulator.auth_url}/validate", timeout=5)
    await rig.http.close()
    with pytest.raises(TwitchUnreachableError, match="stopping"):
        await rig.http.exchange("GET", f"{rig.simulator.auth_url}/validate", timeout=5)
    assert rig.simulator.other_calls["validate"] == 1


async def test_closing_breaks_off_what_is_being_asked_and_nothing_asks_again(rig: Rig) -> None:
    channel = rig.simulator.add_channel("cool_user").user_id
    rig.simulator.faults.set("users", hang=True)
    asking = asyncio.ensure_future(rig.helix.users(ids=[channel]))
    await until(lambda: rig.simulator.calls["users"] == 1, what="Twitch was asked")
    began = time.monotonic()
    await rig.http.close()
    with pytest.raises(TwitchUnreachableError, match="stopping"):
        await asking
    assert time.monotonic() - began < 3.5, "it took the time of a whole try"
    assert rig.simulator.calls["users"] == 1


NOW = 1_790_000_000.0


def exchange(skew: ClockSkew, off: float, at: float, took: float = 0.1) -> None:
    """One exchange begun at `at` by our clock, with a server whose clock is `off` seconds ahead of ours."""
    skew.observe(formatdate(int(at + took / 2 + off), usegmt=True), at, at + took)


def test_nothing_measured_is_no_skew(skew: ClockSkew) -> None:
    assert (skew.seconds, skew.known, skew.describe()) == (0.0, False, None)


@given(st.floats(-4e7, 4e7), st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 0.8))
def test_measures_any_skew_to_a_second(off: float, fractions: list[float], took: float) -> None:
    skew = ClockSkew()
    for number, fraction in enumerate(fractions):
        exchange(skew, off, NOW + number * 10 + fraction, took)
    assert skew.known
    assert abs(skew.seconds - off) <= 0.5 + took + 1e-6  # floats of this size are this exact


def test_one_odd_answer_changes_nothing(skew: ClockSkew) -> None:
    for number in range(6):
        exchange(skew, 0.0, NOW + number)
    exchange(skew, 86400.0, NOW + 7)
    assert abs(skew.seconds) < 1
    exchange(skew, 0.0, NOW + 8)
    exchange(skew, -86400.0, NOW + 9)
    assert abs(skew.seconds) < 1


def test_a_clock_that_was_set_is_noticed_with_the_second_answer(skew: ClockSkew) -> None:
    for number in range(15):
        exchange(skew, 3600.0, NOW + number)
    exchange(skew, 0.0, NOW + 4000)
    exchange(skew, 0.0, NOW + 4010)
    assert abs(skew.seconds) < 1


@pytest.mark.parametrize("header", [None, "", "soon", "Thu, 99 Foo 2026 00:00:00 GMT", "1", "\x00", "Mon, 1 Jan 99999"])
def test_an_unreadable_date_is_left_out(header: str | None, skew: ClockSkew) -> None:
    skew.observe(header, NOW, NOW)
    assert not skew.known


@given(st.text())
def test_no_header_raises(header: str) -> None:
    ClockSkew().observe(header, NOW, NOW)


def test_slow_or_impossible_exchanges_say_nothing(skew: ClockSkew) -> None:
    date = formatdate(NOW, usegmt=True)
    skew.observe(date, NOW, NOW + 60)
    skew.observe(date, NOW, NOW - 5)
    assert not skew.known


@pytest.mark.parametrize(
    ("off", "words"),
    [(7200.0, "2 hours behind"), (-45.0, "45 seconds ahead of"), (365 * 86400.0, "365 days behind"), (5.0, None)],
)
def test_says_it_in_words(off: float, words: str | None, skew: ClockSkew) -> None:
    exchange(skew, off, NOW)
    said = skew.describe()
    assert said is None if words is None else words in (said or "")


def test_a_date_without_a_zone_is_utc(skew: ClockSkew) -> None:
    skew.observe(formatdate(NOW).replace("+0000", "-0000"), NOW, NOW)
    assert abs(skew.seconds) <= 1
