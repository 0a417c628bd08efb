"""What differs between two configs, in words."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.diff import compare
from itsjustintv_desktop.engine.config.load import parse
from itsjustintv_desktop.engine.config.schema import Config

SECRET = "not-to-be-told"


def read(text: str) -> Config:
    return parse(text, file="config.toml", environ={}).config


BEFORE = f"""
[retry]
max_age = "1h"
[server.tls]
email = "a@example.com"
[destinations.main]
url = "https://example.com/{SECRET}"
secret = "{SECRET}"
[destinations.old]
url = "https://example.com/old"
[streamers.alice]
destinations = ["main"]
[streamers.bob]
target_webhook_url = "https://example.com/bob"
"""


def test_nothing_differs_from_itself() -> None:
    changes = compare(read(BEFORE), read(f"# a comment\n{BEFORE}"))
    assert not changes
    assert changes.sentence == ""
    assert not changes.shrinks


def test_each_difference_is_named_and_no_value_is() -> None:
    after = f"""
[retry]
max_age = "2h"
[server.tls]
email = "b@example.com"
[destinations.main]
url = "https://example.com/{SECRET}/2"
secret = "{SECRET}-2"
[destinations.new]
url = "https://example.com/new"
[streamers.alice]
destinations = ["main", "new"]
[streamers.carol]
login = "carol"
"""
    changes = compare(read(BEFORE), read(after))
    assert changes.streamers.added == ("carol",)
    assert changes.streamers.removed == ("bob",)
    assert changes.streamers.changed == ("alice",)
    assert changes.destinations.added == ("new",)
    assert set(changes.destinations.removed) == {"old", "bob"}, "a streamer's own address is a destination, too"
    assert changes.destinations.changed == ("main",)
    assert changes.keys == ("[server.tls] email", "[retry] max_age")
    assert changes.shrinks
    assert SECRET not in changes.sentence
    assert "Added streamer carol." in changes.sentence
    assert "Changed [server.tls] email, [retry] max_age" in changes.sentence


def test_many_names_are_counted() -> None:
    many = "".join(f"[streamers.s{number}]\n" for number in range(40))
    sentence = compare(Config(), read(many)).sentence
    assert sentence == "Added streamers s0, s1, s2, s3, s4 and 35 more."


def test_the_global_destination_can_go() -> None:
    before = read('[global_webhook]\nenabled = true\nurl = "https://example.com/"\n')
    assert compare(before, Config()).destinations.removed == ("global",)
