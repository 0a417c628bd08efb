"""Keys and values as TOML writes them: what is read back is what was meant."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time

from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.config.notation import dotted, encode, quoted, split


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=4))
def test_dotted_keys_come_apart_again(parts: list[str]) -> None:
    assert split(dotted(tuple(parts))) == tuple(parts)


@given(st.text(st.characters(codec="utf-8")))
def test_quoting(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == text


def test_a_date_is_written_as_one() -> None:
    dates = {"a": datetime(1979, 5, 27, 7, 32, tzinfo=UTC), "b": date(1979, 5, 27), "c": time(7, 32)}
    assert tomllib.loads(f"x = {encode(dates)}")["x"] == dates
