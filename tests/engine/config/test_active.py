from __future__ import annotations

import pytest

from itsjustintv_desktop.engine.config.active import Matcher
from itsjustintv_desktop.engine.config.schema import Config, Streamer
from itsjustintv_desktop.engine.core.models import Channel
from tests.support.builders import make_event

CONFIG = Config(
    streamers={
        "by_id": Streamer(key="by_id", user_id="1", login="old_name"),
        "by_login": Streamer(key="by_login", login="Some_One"),
        "resolved": Streamer(key="resolved", login="third"),
        "off": Streamer(key="off", user_id="4", enabled=False),
    }
)
RESOLVED = {"by_id": Channel("by_id", "1", "new_name", "New"), "resolved": Channel("resolved", "3", "third", "Third")}


@pytest.mark.parametrize(
    ("user_id", "login", "key"),
    [
        ("1", "new_name", "by_id"),
        ("1", "whatever_it_is_now", "by_id"),
        ("77", "some_one", "by_login"),
        ("77", "SOME_ONE", "by_login"),
        ("3", "renamed_since", "resolved"),
        ("4", "", "off"),
        ("", "NEW_name", "by_id"),
        ("", "third", "resolved"),
        ("99", "nobody", None),
        ("", "", None),
        ("99", "", None),
    ],
)
def test_by_id_then_by_login(user_id: str, login: str, key: str | None) -> None:
    found = Matcher(CONFIG, RESOLVED).match(make_event(broadcaster_id=user_id, broadcaster_login=login))
    assert (found.key if found else None) == key


def test_whoever_took_over_an_old_login_is_someone_else() -> None:
    matcher = Matcher(CONFIG, RESOLVED)
    assert matcher.match(make_event(broadcaster_id="500", broadcaster_login="old_name")) is None
    assert matcher.match(make_event(broadcaster_id="500", broadcaster_login="new_name")) is None
    assert matcher.match(make_event(broadcaster_id="500", broadcaster_login="third")) is None


def test_before_anything_is_resolved_logins_count() -> None:
    found = Matcher(CONFIG, {}).match(make_event(broadcaster_id="3", broadcaster_login="third"))
    assert found is not None
    assert found.key == "resolved"


def test_several_for_one_channel_come_in_the_order_of_the_config() -> None:
    streamers = [
        Streamer(key="first", login="some_one"),
        Streamer(key="second", user_id="77"),
        Streamer(key="off", user_id="77", enabled=False),
        Streamer(key="third", login="Some_One"),
    ]
    matcher = Matcher(Config(streamers={each.key: each for each in streamers}), {})
    about = make_event(broadcaster_id="77", broadcaster_login="some_one")
    assert [each.key for each in matcher.entries(about)] == ["first", "second", "third"]
    for key, found in (("third", "third"), ("off", "off"), ("gone", "first"), (None, "first")):
        one = matcher.match(about, key)
        assert one is not None
        assert one.key == found
    only_off = Matcher(Config(streamers={"off": streamers[2]}), {})
    assert [each.key for each in only_off.entries(about)] == ["off"]
