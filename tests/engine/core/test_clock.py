from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.clock import format_rfc3339, parse_rfc3339


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-11-23T08:16:36Z", 1795421796.0),
        ("2026-11-23T08:16:36.363921243Z", 1795421796.363921243),
        ("2020-12-13T14:15:16.1718Z", 1607868916.1718),
        ("2020-01-01T00:00:00.120000000Z", 1577836800.12),
        ("2026-11-23t08:16:36.3z", 1795421796.3),
        ("2026-11-23 08:16:36Z", 1795421796.0),
        ("2026-11-23T10:16:36+02:00", 1795421796.0),
        ("2026-11-22T23:46:36.5-08:30", 1795421796.5),
        ("2016-12-31T23:59:60Z", 1483228800.0),
        ("2024-02-29T00:00:00Z", 1709164800.0),
    ],
)
def test_reads_what_twitch_and_the_rfc_write(text: str, seconds: float) -> None:
    assert parse_rfc3339(text) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23T08:16:36",
        "2026-11-23T08:16:36.5",
        "2026-11-23",
        "2026-11-23T08:16Z",
        "2026-11-23T08:16:36.Z",
        "2026-11-23T08:16:36ZZ",
        " 2026-11-23T08:16:36Z",
        "2026-11-23T08:16:36Z\n",
        "2026-13-23T08:16:36Z",
        "2026-02-29T08:16:36Z",
        "0000-01-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-11-23T08:16:61Z",
        "2026-11-23T08:16:36+0200",
        "2026-11-23T08:16:36+24:00",
        "2026-W48-1T08:16:36Z",
        "20261123T081636Z",
        "٢٠٢٦-11-23T08:16:36Z",
        "1795421796",
        "2026-11-23T08:16:36." + "1" * 5000 + "Z",
    ],
)
def test_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rfc3339(text)


@given(st.text(max_size=40))
def test_raises_nothing_but_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse_rfc3339(text))


zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=zones).filter(lambda moment: 1 < moment.year < 9999))
def test_agrees_with_the_standard_library(moment: datetime) -> None:
    assert parse_rfc3339(moment.isoformat()) == pytest.approx(moment.timestamp(), abs=1e-4)


@given(st.integers(-62135596800_000, 253402300799_999))
def test_written_times_are_read_back_to_the_millisecond(milliseconds: int) -> None:
    text = format_rfc3339(milliseconds / 1000)
    assert text.endswith("Z")
    assert parse_rfc3339(text) == pytest.approx(milliseconds / 1000, abs=1e-3)


def test_writes_whole_seconds_without_a_fraction() -> None:
    assert format_rfc3339(1795421796) == "2026-11-23T08:16:36Z"
    assert format_rfc3339(1795421796.3639) == "2026-11-23T08:16:36.364Z"
    assert format_rfc3339(1795421795.9999) == "2026-11-23T08:16:36Z"
    assert format_rfc3339(datetime(999, 1, 2, tzinfo=UTC).timestamp()) == "0999-01-02T00:00:00Z"


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 1e18, -1e18])
def test_refuses_to_write_what_is_no_time(seconds: float) -> None:
    with pytest.raises(ValueError):
        format_rfc3339(seconds)
