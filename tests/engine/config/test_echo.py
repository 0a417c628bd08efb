"""A secret pasted into the wrong place never comes back in a sentence."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.load import parse
from itsjustintv_desktop.engine.core.errors import ConfigError

PASTED = "abcdefghijklmnopqrstuvwx0123"
WITH_PASTED = [
    '[twitch]\ntransport = "{}"',
    '[retry]\nmax_age = "{}"',
    '[server]\nport = "{}"',
    '[streamers.a]\ntag_filter = "{}"',
    '[streamers.a]\nlogin = "{}"',
    '[streamers.a]\ndestinations = ["{}"]',
    '[streamers]\n"x: {}" = 1',
    '[destinations]\n"https://a/{}" = 1',
    '[destinations.a]\nurl = "http://a/"\ntimeout = 1\n"Bearer {}" = "x"',
    '[server]\nport = -1\n"Authorization: {}" = "x"',
    '[server]\nport = -1\n["Bearer {}"]',
    '[telemetry]\nheaders = {{ "Bearer {}" = "x" }}',
    '[telemetry]\nheaders = {{ "{0}" = "x", "{0}" = "y" }}',
]


@pytest.mark.parametrize("pasted", [PASTED, f"Bearer {PASTED}"])
@pytest.mark.parametrize("text", WITH_PASTED)
def test_what_may_be_a_secret_in_the_wrong_place_is_not_shown(text: str, pasted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text.format(pasted), file="config.toml", environ={})
    assert PASTED not in "\n".join([*caught.value.problems, *caught.value.warnings])


@pytest.mark.parametrize("value", ['max_age = "{}"', "max_age = {}.5", 'jitter = "{}"', 'max_attempts = "{}"'])
def test_a_long_number_is_not_shown(value: str) -> None:
    digits = "1234567890" * 3
    with pytest.raises(ConfigError) as caught:
        parse(f"[retry]\n{value.format(digits)}", file="config.toml", environ={})
    assert digits not in "".join(caught.value.problems)


@pytest.mark.parametrize("pasted", ["a8f3k2m9q7x1z5w4", "qz8f3k2m9q7x1z5w4b6n0v3c7h5j2l"])
@pytest.mark.parametrize(
    "text",
    [
        '[twitch]\ntransport = "{}"',
        '[destinations.a]\nurl = "http://a/"\nformat = "{}"',
        '[destinations.a]\nurl = "http://a/"\nsignature = "{}"',
        '[destinations.a]\nurl = "http://a/"\nhashing = "{}"',
        '[server]\nport = -1\n{} = "x"',
        "[server]\nport = -1\n[{}]",
        "[server]\nport = -1\n[streamers.a]\n{} = 1",
    ],
)
def test_a_bare_token_is_not_shown_either(text: str, pasted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text.format(pasted), file="config.toml", environ={})
    assert pasted not in "\n".join([*caught.value.problems, *caught.value.warnings])


@pytest.mark.parametrize(("word", "shown"), [("lettersalone", False), ("smoke", True), ("discordance", True)])
def test_of_a_choice_only_a_short_word_or_a_slip_is_shown(word: str, shown: bool) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f'[destinations.a]\nurl = "http://a/"\nformat = "{word}"', file="config.toml", environ={})
    assert (word in "".join(caught.value.problems)) is shown


def test_a_plain_unknown_key_keeps_its_name() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("[server]\nport = -1\nmy_own_option_2 = 1", file="config.toml", environ={})
    assert "server.my_own_option_2" in "".join(caught.value.warnings)
