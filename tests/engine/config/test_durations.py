"""Durations against the rules of Go's time.ParseDuration."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.durations import parse, render


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("-0", 0.0),
        ("0s", 0.0),
        ("200ms", 0.2),
        ("30s", 30.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        ("-5s", -5.0),
        ("+5s", 5.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("1m1m", 120.0),
        ("1s1h", 3601.0),
        ("10ns", 1e-8),
        ("11us", 1.1e-5),
        ("12µs", 1.2e-5),
        ("12μs", 1.2e-5),
        ("168h", 604800.0),
    ],
)
def test_go_durations(text: str, seconds: float) -> None:
    assert parse(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["", "s", ".", "-", "1", "1d", "1h 30m", " 1s", "1S", ".s", "1e3s", "--1s", "1s-", "٣s", "1_0s"]
)
def test_what_go_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="such as"):
        parse(text)


def test_a_number_alone_is_told_its_units() -> None:
    with pytest.raises(ValueError, match='"30s" for seconds or "30m" for minutes'):
        parse("30")


@pytest.mark.parametrize("text", ["300000000h", "9" * 60 + "h", "9" * 100_000 + "s"])
def test_absurd_lengths_are_refused_quickly(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_the_longest_is_that_of_go_to_the_nanosecond() -> None:
    assert parse(f"{2**63 - 1}ns") == pytest.approx(292 * 365.25 * 86400, rel=0.01)
    with pytest.raises(ValueError, match="longer than 292 years"):
        parse(f"{2**63}ns")


def test_more_than_64_characters_are_not_read() -> None:
    assert parse("7s".rjust(64, "0")) == 7.0
    with pytest.raises(ValueError, match="write a number with a unit"):
        parse("7s".rjust(65, "0"))


def test_a_long_number_is_not_repeated_in_the_sentence() -> None:
    with pytest.raises(ValueError, match=f'"{"1" * 18}s" for seconds'):
        parse("1" * 18)
    with pytest.raises(ValueError, match="write a number with a unit"):
        parse("1" * 19)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.2, "200ms"),
        (90, "1m30s"),
        (5400, "1h30m"),
        (86400, "24h"),
        (1.5, "1.5s"),
        (-5, "-5s"),
        (1e-7, "100ns"),
    ],
)
def test_spelling(seconds: float, text: str) -> None:
    assert render(seconds) == text


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_spelling_and_reading_agree_to_the_nanosecond(nanoseconds: int) -> None:
    seconds = nanoseconds / 1e9
    assert parse(render(seconds)) == pytest.approx(seconds, abs=1e-9, rel=1e-15)


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse(text), float)
