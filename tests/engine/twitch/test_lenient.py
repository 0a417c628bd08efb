"""null is absent, everywhere: whatever Twitch leaves out or sends otherwise, the rest is used."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.twitch import helix, tokens
from itsjustintv_desktop.engine.twitch.helix import ChannelInfo, Stream, User
from itsjustintv_desktop.engine.twitch.lenient import Cursor, Lenient, Page, items_of
from itsjustintv_desktop.engine.twitch.subscriptions.models import RemoteSubscription
from tests.support.bent import MISSING, OTHERS, paths, put

USER = {
    "id": "100", "login": "alice", "display_name": "Alice", "description": "Hi!", "profile_image_url": "https://a/b.png",
}  # fmt: skip
STREAM = {
    "id": "9001", "user_id": "100", "user_login": "alice", "user_name": "Alice", "game_id": "1", "game_name": "Chess",
    "type": "live", "title": "A title", "viewer_count": 7, "started_at": "2026-09-21T14:13:20Z", "language": "de",
    "thumbnail_url": "https://a/{width}x{height}.png", "tags": ["English", "Chess"],
}  # fmt: skip
CHANNEL = {
    "broadcaster_id": "100", "broadcaster_login": "alice", "broadcaster_name": "Alice", "broadcaster_language": "de",
    "game_id": "1", "game_name": "Chess", "title": "A title", "tags": ["English"],
}  # fmt: skip
HELD = {
    "id": "f1c2", "status": "enabled", "type": "stream.online", "version": "1", "cost": 1,
    "condition": {"broadcaster_user_id": "100"}, "created_at": "2026-09-21T14:13:20Z",
    "transport": {"method": "webhook", "callback": "https://a/twitch"},
}  # fmt: skip
SHARD = {
    "id": "0", "status": "enabled",
    "transport": {"method": "websocket", "session_id": "s", "connected_at": "2026-09-21T14:13:20Z"},
}  # fmt: skip
KINDS: dict[str, tuple[Any, dict[str, Any], set[str]]] = {
    "user": (User, USER, {"id"}),
    "stream": (Stream, STREAM, {"id", "user_id"}),
    "channel": (ChannelInfo, CHANNEL, {"broadcaster_id"}),
    "subscription": (RemoteSubscription, HELD, {"id"}),
    "conduit": (helix.ConduitInfo, {"id": "c", "shard_count": 1}, {"id"}),
    "shard": (helix.Shard, SHARD, {"id"}),
    "token": (tokens.Granted, {"access_token": "t", "expires_in": 5000000}, {"access_token"}),
}
CASES = [(kind, path) for kind, (_, sample, _) in KINDS.items() for path in paths(sample)]


@pytest.mark.parametrize(("kind", "path"), CASES, ids=[f"{kind}: {'.'.join(map(str, path))}" for kind, path in CASES])
def test_one_field_spoils_nothing_else(kind: str, path: tuple[Any, ...]) -> None:
    type_, sample, required = KINDS[kind]
    whole = msgspec.to_builtins(Lenient(type_).decode(json.dumps(sample)))
    for value in OTHERS:
        body = json.dumps(put(sample, path, value))
        if path[0] in required:
            if isinstance(value, str) and len(path) == 1:
                continue  # as good as any
            with pytest.raises(msgspec.ValidationError):
                Lenient(type_).decode(body)
            continue
        found = msgspec.to_builtins(Lenient(type_).decode(body))
        assert found.keys() == whole.keys(), value
        assert without(found, path[0]) == without(whole, path[0]), value
        if len(path) > 1 and isinstance(found[path[0]], dict):  # within an object, too
            assert without(found[path[0]], path[1]) == without(whole[path[0]], path[1]), value


def without(items: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: item for name, item in items.items() if name != key}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_fields_may_be_anything(kind: str, data: st.DataObject) -> None:
    type_, sample, required = KINDS[kind]
    optional = sorted(sample.keys() - required)
    changed = data.draw(st.dictionaries(st.sampled_from(optional), anything | st.just(MISSING)))
    body = sample
    for name, value in changed.items():
        body = put(body, (name,), value)
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # no JSON: a lone surrogate
    found = msgspec.to_builtins(Lenient(type_).decode(raw))
    whole = msgspec.to_builtins(Lenient(type_).decode(json.dumps(sample)))
    assert all(found[key] == whole[key] for key in whole if key not in changed)


@given(st.binary(max_size=100) | anything.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_whatever_comes_is_decoded_or_a_decode_error(body: bytes) -> None:
    for kind, _, _ in KINDS.values():
        with contextlib.suppress(msgspec.DecodeError):
            Lenient(kind).decode(body)


@pytest.mark.parametrize("value", [5, "x", None, {}, [5], 1.5, True, MISSING])
@pytest.mark.parametrize("field", ["data", "pagination"])
def test_a_list_may_be_null(field: str, value: object) -> None:
    body = put({"data": [USER], "pagination": {"cursor": "c"}}, (field,), value)
    page = Lenient(Page).decode(json.dumps(body))
    items = items_of(page, Lenient(User), "/users")
    assert [one.id for one in items] == (["100"] if field == "pagination" else [])
    assert page.pagination == (Cursor("c") if field == "data" else Cursor())


def test_items_that_lack_what_is_required_are_left_out() -> None:
    body = json.dumps({"data": [None, 5, {"login": "b"}, {"id": None}, USER | {"login": None}, {"id": "3"}]})
    items = items_of(Lenient(Page).decode(body), Lenient(User), "/users")
    assert [(one.id, one.login) for one in items] == [("100", ""), ("3", "")]


def test_an_item_of_a_plain_list_is_left_out_alone() -> None:
    body = json.dumps(STREAM | {"tags": ["English", None, 5, "Chess"], "title": None})
    stream = Lenient(Stream).decode(body)
    assert (stream.tags, stream.title, stream.viewer_count) == (("English", "Chess"), None, 7)


@pytest.mark.parametrize("body", [b"", b"{", b"x", b"\xff", b'{"id": "\xff"}', b"[" * 100_000, b'{"a":' * 100_000])
def test_no_json_is_said_as_such(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        Lenient(User).decode(body)


def test_what_is_beyond_all_numbers_is_absent() -> None:
    raw = json.dumps(STREAM).replace('"viewer_count": 7', '"viewer_count": 1e999').encode()
    assert Lenient(Stream).decode(raw).viewer_count is None
    deep = json.dumps(STREAM).replace('"viewer_count": 7', '"viewer_count": ' + "[" * 50_000 + "]" * 50_000)
    with pytest.raises(msgspec.ValidationError, match="deep"):
        Lenient(Stream).decode(deep)
