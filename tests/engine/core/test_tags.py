from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.tags import from_tags, language, passes


@pytest.mark.parametrize(
    ("tag_filter", "tags", "allowed"),
    [
        ([], [], True),
        ([], ["English"], True),
        (["english"], ["English"], True),
        (["Speedrun", "CHESS"], ["German", "chess"], True),
        (["chess"], [], False),
        (["chess"], ["chessboxing"], False),
        (["STRASSE"], ["straße"], True),
        (["cafe\u0301"], ["CAFÉ"], True),
        (["РУССКИЙ"], ["Русский"], True),
        ([" chess "], ["chess"], True),
        (["", " "], ["chess"], True),
    ],
)
def test_any_own_tag_equals_any_entry_ignoring_case(tag_filter: list[str], tags: list[str], allowed: bool) -> None:
    assert passes(tag_filter, tags) is allowed


words = st.text(min_size=1).filter(str.strip)


@given(st.lists(words, min_size=1), st.data())
def test_one_common_tag_is_enough(tag_filter: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(tag_filter))
    assert passes(tag_filter, ["something else entirely", chosen])


TABLE = {
    "English": "en",
    "Deutsch": "de",
    "Español": "es",
    "Français": "fr",
    "Italiano": "it",
    "Português": "pt",
    "Русский": "ru",
    "日本語": "ja",
    "한국어": "ko",
    "中文": "zh",
}


@pytest.mark.parametrize(("tag", "code"), TABLE.items())
def test_a_tag_that_names_a_language(tag: str, code: str) -> None:
    assert language(["Chess", tag], "xx") == language([tag.upper()], None) == from_tags([tag.lower()]) == code


def test_the_first_such_tag_then_the_channel_then_english() -> None:
    assert language(["Deutsch", "English"], "fr") == "de"
    assert language(["Chess"], "fr") == "fr"
    assert language([], None) == language([], "") == "en"
    assert from_tags(["Chess"]) is None
