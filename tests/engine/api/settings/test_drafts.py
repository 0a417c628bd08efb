"""A text that is being edited, as the form sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from itsjustintv_desktop.engine.api.settings.drafts import with_values, written
from itsjustintv_desktop.engine.core.errors import ConfigError

TEXT = """\
# mine
[twitch]
client_id = "abc"          # of the console
client_secret = "a-secret-of-mine"
poll_interval = "5m"

[server.tls]
enabled = false
domains = ["a.example", "b.example"]
"""


def test_it_says_what_the_text_says_and_nothing_secret() -> None:
    found = written(TEXT)
    assert found[("twitch", "client_id")] == "abc"
    assert found[("twitch", "poll_interval")] == "5m"
    assert found[("server", "tls", "enabled")] == "false"
    assert found[("server", "tls", "domains")] == "a.example, b.example"
    assert ("twitch", "client_secret") not in found
    assert "a-secret-of-mine" not in found.values()
    assert ("server", "port") not in found


def test_a_text_that_is_no_toml() -> None:
    with pytest.raises(ConfigError):
        written("[twitch")


def test_values_come_into_the_text_and_comments_stay(tmp_path: Path) -> None:
    typed = {("twitch", "poll_interval"): "10m", ("server", "tls", "domains"): "", ("retry", "max_attempts"): "3"}
    text = with_values(TEXT, typed, tmp_path / "config.toml", {})
    assert "# mine" in text
    assert "# of the console" in text
    found = written(text)
    assert found[("twitch", "poll_interval")] == "10m"
    assert found[("retry", "max_attempts")] == "3"
    assert ("server", "tls", "domains") not in found
    assert not (tmp_path / "config.toml").exists()


def test_a_value_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"server\.port"):
        with_values(TEXT, {("server", "port"): "many"}, tmp_path / "config.toml", {})
