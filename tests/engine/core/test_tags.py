from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.tags import passes


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
