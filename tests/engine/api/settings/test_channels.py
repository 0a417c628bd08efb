"""Channels out of whatever a person pastes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.api.settings.channels import MOST, parse_channels

logins = st.from_regex(r"[a-z][a-z0-9_]{0,24}", fullmatch=True)
lists = st.lists(logins.filter(lambda name: name not in {"login", "name", "channel"}), min_size=1, unique=True)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("alice", ["alice"]),
        ("Alice, bob;carol\tdave|eve\nfrank", ["alice", "bob", "carol", "dave", "eve", "frank"]),
        ("@alice #bob", ["alice", "bob"]),
        ("https://www.twitch.tv/Alice", ["alice"]),
        ("twitch.tv/alice?x=1 m.twitch.tv/bob/videos http://twitch.tv/carol#top", ["alice", "bob", "carol"]),
        ("https://www.twitch.tv/popout/alice/chat https://player.twitch.tv/?channel=bob", ["alice", "bob"]),
        ("12826 alice", ["12826", "alice"]),
        ("- alice\n- bob\n* carol\n1. dave\n2) eve", ["alice", "bob", "carol", "dave", "eve"]),
        ("login\nalice\nbob", ["login", "alice", "bob"]),
        ("alice, bob\ncarol, dave\n", ["alice", "bob", "carol", "dave"]),
        ("name, alice\nbob", ["name", "alice", "bob"]),
        ("[alice] {bob}", ["alice", "bob"]),
        ("login", ["login"]),
        ("\ufeffalice\r\nbob\r\n", ["alice", "bob"]),
        ("", []),
        ("  \n,;,", []),
    ],
)
def test_names_are_found(text: str, names: list[str]) -> None:
    assert list(parse_channels(text).names) == names


@pytest.mark.parametrize(
    ("text", "shown", "part"),
    [
        ("this-is-none", "this-is-none", "login"),
        ("https://www.twitch.tv/directory/game", "www.twitch.tv/...", "page of Twitch"),
        ("https://youtube.com/alice", "youtube.com/...", "twitch.tv"),
        ("https://nottwitch.tv/alice", "nottwitch.tv/...", "twitch.tv"),
        ("alice ALICE", "ALICE", "twice"),
        ("https://discord.com/api/webhooks/1/t0p-s3cret", "discord.com/...", "twitch.tv"),
    ],
)
def test_what_is_ignored_says_why(text: str, shown: str, part: str) -> None:
    (ignored,) = parse_channels(text).ignored
    assert ignored.text == shown
    assert part in ignored.reason


def test_not_without_end() -> None:
    parsed = parse_channels(" ".join(f"user{number}" for number in range(MOST + 10)))
    assert len(parsed.names) == MOST
    assert len(parsed.ignored) == 10
    assert parse_channels("x" * (5 * 1024 * 1024)).names == ()


@given(lists, st.lists(st.sampled_from([" ", ",", ";", "\n", "\t", ", ", "\r\n", " | "]), min_size=1))
def test_a_list_comes_out_as_it_went_in_whatever_is_between(names: list[str], between: list[str]) -> None:
    text = "".join(name + between[number % len(between)] for number, name in enumerate(names))
    assert list(parse_channels(text).names) == names


EXPORTS = [
    '["alice", "bob"]',
    '{"data":[{"to_login":"alice","to_id":"1"}]}',
    "name,followed_at\nAlice,2020-01-01\nbob,2021-01-01",
    "user_id;user_login;user_name\n1;alice;\u30a2\u30ea\u30b9",
    '"Login","Followed At"\r\n"alice","2020-01-01, 10:00"\r\n',
    "Channel\tURL\nAlice B\thttps://www.twitch.tv/alice_b",
    "alice,2020-01-01T10:00:00Z,true\nbob,2020-01-02T10:00:00Z,true",
]


@pytest.mark.parametrize("text", EXPORTS)
def test_an_export_says_what_can_be_pasted(text: str) -> None:
    parsed = parse_channels(text)
    (ignored,) = parsed.ignored
    assert parsed.names == ()
    assert ignored.text == "..."
    assert "one per line or separated by commas" in ignored.reason


@given(lists, st.sampled_from([",", ";", "\t"]), st.sampled_from(["login", "User Login", "channel", "name"]))
def test_a_table_of_any_kind_is_taken_for_no_list(names: list[str], delimiter: str, heading: str) -> None:
    rows = [delimiter.join([f'"{number} of all"', name, "2020-01-01"]) for number, name in enumerate(names)]
    text = "\n".join([delimiter.join(["no", heading, "followed_at"]), *rows])
    assert parse_channels(text).names == ()
    assert parse_channels(json.dumps(names)).names == ()
    assert parse_channels(json.dumps([{"login": name} for name in names], indent=2)).names == ()


@given(st.text())
def test_whatever_it_is_it_ends_well(text: str) -> None:
    parsed = parse_channels(text)
    assert len(set(parsed.names)) == len(parsed.names)
    assert all(name == name.lower() and 0 < len(name) <= 25 for name in parsed.names)
    assert parse_channels(" ".join(parsed.names)).names == parsed.names
