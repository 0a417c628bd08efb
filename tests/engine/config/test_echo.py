"""A secret pasted into the wrong place never comes back in a sentence."""

from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.load import parse
from itsjustintv_desktop.engine.errors import ConfigError

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
