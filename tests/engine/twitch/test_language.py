from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.twitch.language import from_tags, language

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
