from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.clock import parse_rfc3339
from itsjustintv_desktop.engine.core.errors import MessageMalformedError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.twitch.eventsub_messages import Challenge, Parsed, parse
from tests.engine.twitch.test_eventsub_signature import captured
from tests.support.bent import MISSING, OTHERS, put

SUBSCRIPTION = {"id": "sub-1", "status": "enabled", "type": "stream.online", "version": "1", "condition": {}}
BROADCASTER = {
    "broadcaster_user_id": "12826",
    "broadcaster_user_login": "cool_user",
    "broadcaster_user_name": "Cool_User",
}
ONLINE = BROADCASTER | {"id": "40001", "type": "live", "started_at": "2026-11-23T08:16:36.5Z"}


def read(body: Any, message_type: str = "notification", subscription_type: str = "", message_id: str = "m-1") -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse(message_type, subscription_type, raw, message_id=message_id, received_at=100.0)


def event_of(body: Any, message_type: str = "notification", subscription_type: str = "") -> StreamEvent:
    parsed = read(body, message_type, subscription_type)
    assert isinstance(parsed, StreamEvent)
    return parsed


def about(kind: str, **more: Any) -> dict[str, Any]:
    return {"subscription": SUBSCRIPTION | {"type": kind}, **more}


def test_stream_online() -> None:
    assert event_of(about("stream.online", event=ONLINE), subscription_type="stream.online") == StreamEvent(
        source="twitch",
        kind="stream.online",
        message_id="m-1",
        received_at=100.0,
        broadcaster_id="12826",
        broadcaster_login="cool_user",
        broadcaster_name="Cool_User",
        stream_id="40001",
        started_at=parse_rfc3339("2026-11-23T08:16:36.5Z"),
        subscription_id="sub-1",
    )


@pytest.mark.parametrize("kind", ["playlist", "watch_party", "premiere", "rerun"])
def test_a_broadcast_that_is_not_live_says_so(kind: str) -> None:
    assert event_of(about("stream.online", event=ONLINE | {"type": kind})).detail == kind


def test_an_unreadable_start_does_not_lose_the_stream() -> None:
    for started_at in ("yesterday", "", "2026-11-23T08:16:36"):
        event = event_of(about("stream.online", event=ONLINE | {"started_at": started_at}))
        assert (event.stream_id, event.started_at, event.detail) == ("40001", None, "")


def test_stream_offline_and_channel_update() -> None:
    for kind in ("stream.offline", "channel.update"):
        event = event_of(about(kind, event=BROADCASTER | {"title": "new", "language": "de"}))
        assert (event.kind, event.broadcaster_id, event.stream_id) == (kind, "12826", "")


def test_stream_offline_names_the_stream_or_does_not() -> None:
    """Since 2026-06-26 it has an id."""
    for event, stream_id in (({"id": "40001"}, "40001"), ({}, ""), ({"id": None}, "")):
        assert event_of(about("stream.offline", event=BROADCASTER | event)).stream_id == stream_id
    with pytest.raises(MessageMalformedError):
        read(about("stream.offline", event=BROADCASTER | {"id": "4\n1"}))


def test_revocation() -> None:
    for status in ("user_removed", "authorization_revoked", "notification_failures_exceeded", "version_removed"):
        body = {"subscription": SUBSCRIPTION | {"status": status}}
        event = event_of(body, "revocation", "stream.online")
        assert (event.kind, event.detail, event.subscription_id) == ("revocation", status, "sub-1")


@pytest.mark.parametrize(
    "more", [{}, {"event": None}, {"event": []}, {"events": [{"a": 1}]}, {"event": {"broadcaster_user_id": 5.5}}]
)
@pytest.mark.parametrize("kind", ["drop.entitlement.grant", "stream.on", "stream.onlinf", "user.update", "a", "zz"])
def test_an_unknown_subscription_type_is_kept_whatever_its_event(kind: str, more: dict[str, Any]) -> None:
    event = event_of(about(kind, **more))
    assert (event.kind, event.broadcaster_id, event.stream_id) == (kind, "", "")


def test_an_unknown_subscription_type_about_a_channel_names_it() -> None:
    assert event_of(about("channel.follow", event=BROADCASTER)).broadcaster_login == "cool_user"


def test_an_unknown_message_type_is_kept_as_its_kind() -> None:
    assert event_of({"subscription": SUBSCRIPTION}, "weather_report").kind == "weather_report"


def test_challenge() -> None:
    body = {"challenge": "<b>pogchamp</b>", "subscription": SUBSCRIPTION}
    assert read(body, "webhook_callback_verification") == Challenge("<b>pogchamp</b>", "sub-1")
    shard = {"challenge": "abc", "conduit_shard": {"conduit_id": "c", "shard": "0"}}
    assert read(shard, "webhook_callback_verification") == Challenge("abc", "")


@pytest.mark.parametrize("challenge", [5, None, "", ["a"], "x" * 5000])
def test_a_challenge_that_is_none_is_refused(challenge: object) -> None:
    with pytest.raises(MessageMalformedError):
        read({"challenge": challenge, "subscription": SUBSCRIPTION}, "webhook_callback_verification")


def test_up_to_the_limits_it_is_taken() -> None:
    assert event_of(with_event(id="4" * 200)).stream_id == "4" * 200
    assert event_of(with_event(broadcaster_user_name="x" * 200)).broadcaster_name == "x" * 200
    assert event_of(with_event(broadcaster_user_name="x" * 201)).broadcaster_name == ""
    asked = read({"challenge": "x" * 4096}, "webhook_callback_verification")
    assert asked == Challenge("x" * 4096, "")
    with pytest.raises(MessageMalformedError):
        read({"challenge": "x" * 4097}, "webhook_callback_verification")
    subscription = {"subscription": SUBSCRIPTION}
    assert read(subscription, "other", message_id="m" * 200)
    with pytest.raises(MessageMalformedError):
        read(subscription, "other", message_id="m" * 201)


def test_the_signed_body_has_the_say_over_unsigned_headers() -> None:
    with pytest.raises(MessageMalformedError):
        read(about("stream.offline", event=BROADCASTER), subscription_type="stream.online")
    with pytest.raises(MessageMalformedError):  # a challenge replayed as a notification
        read({"challenge": "abc", "subscription": SUBSCRIPTION}, "notification", "stream.online")


def with_event(**changes: Any) -> bytes:
    return json.dumps(about("stream.online", event=ONLINE | changes)).encode()


MALFORMED = {
    "empty": b"",
    "not json": b"hello",
    "half": with_event()[:-1],
    "trailing": with_event() + b"x",
    "byte order mark": b"\xef\xbb\xbf" + with_event(),
    "utf-16": with_event().decode().encode("utf-16"),
    "bad utf-8 in a field we keep": with_event().replace(b"cool_user", b"cool\xff"),
    "bad utf-8 in a field we skip": with_event(extra="zzzz").replace(b"zzzz", b"\xc3\x28zz"),
    "lone surrogate": with_event(extra="zzzzzz").replace(b"zzzzzz", b"\\ud800"),
    "NaN": with_event(extra="zzz").replace(b'"zzz"', b"NaN"),
    "array": b"[]",
    "null": b"null",
    "number": b"1",
    "no subscription": json.dumps({"event": ONLINE}).encode(),
    "no event": json.dumps({"subscription": SUBSCRIPTION}).encode(),
    "event is null": json.dumps({"subscription": SUBSCRIPTION, "event": None}).encode(),
    "deep": b'{"a":' + b"[" * 60000 + b"]" * 60000 + b"}",
    "deep, unfinished": b"[" * 65000,
    "deep in the event": with_event(extra="zzz").replace(b'"zzz"', b"[" * 30000 + b"]" * 30000),
    "id is a number with a decimal": with_event(id=40001.0),
    "id is negative": with_event(id=-40001),
    "id is true": with_event(id=True),
    "id is a character too long": with_event(id="4" * 201),
    "id is a huge number": with_event(id="zzz").replace(b'"zzz"', b"9" * 5000),
    "id is empty": with_event(id=""),
    "id is too long": with_event(id="4" * 300),
    "id has a line break": with_event(id="4\n5"),
    "id has a NUL": with_event(id="4\0"),
    "no broadcaster": with_event(broadcaster_user_id=None),
    "an end of nobody's": json.dumps(about("stream.offline", event={})).encode(),
    "an update of nobody's": json.dumps(about("channel.update", event={})).encode(),
    "empty broadcaster": with_event(broadcaster_user_id=""),
    "no type of a notification": json.dumps({"subscription": {"id": "sub-1", "type": None}, "event": ONLINE}).encode(),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    with pytest.raises(MessageMalformedError) as refused:
        read(MALFORMED[name])
    assert "cool" not in refused.value.message


@pytest.mark.parametrize(
    "body",
    [
        with_event(extra="zzz").replace(b'"zzz"', b"9" * 5000),
        with_event(extra="zzz").replace(b'"zzz"', b"1e999"),
        with_event().replace(b'"type": "live"', b'"type": "live", "type": "live"'),
        with_event(extra=[1, {"a": None}]),
    ],
)
def test_oddities_beside_what_we_need_do_no_harm(body: bytes) -> None:
    assert event_of(body).stream_id == "40001"


@pytest.mark.parametrize("subscription", [None, [], {}, "text", 5, {"type": None}, {"type": ["a"], "id": 7}])
def test_what_the_subscription_does_not_say_its_header_says(subscription: object) -> None:
    body = json.loads(with_event())
    body["subscription"] = subscription
    event = event_of(json.dumps(body).encode(), subscription_type="stream.online")
    assert (event.kind, event.stream_id, event.broadcaster_id) == ("stream.online", "40001", "12826")
    del body["subscription"]
    assert event_of(json.dumps(body).encode(), subscription_type="stream.online") == msgspec.structs.replace(
        event, subscription_id=""
    )
    with pytest.raises(MessageMalformedError):
        parse("notification", "", json.dumps(body).encode(), message_id="m", received_at=0.0)
    with pytest.raises(MessageMalformedError):
        parse("revocation", "stream.online", json.dumps(body).encode(), message_id="m", received_at=0.0)


def test_an_id_may_come_as_a_number() -> None:
    for name, field in (("id", "stream_id"), ("broadcaster_user_id", "broadcaster_id")):
        assert getattr(event_of(with_event(**{name: 9007199254740993})), field) == "9007199254740993"
    both = with_event(id=40001, broadcaster_user_id=12826)
    assert event_of(both) == event_of(with_event())
    end = about("stream.offline", event={"broadcaster_user_id": 12826, "id": 40001})
    assert (event_of(end).broadcaster_id, event_of(end).stream_id) == ("12826", "40001")
    for kind in ("channel.update", "channel.follow"):
        assert event_of(about(kind, event={"broadcaster_user_id": 12826})).broadcaster_id == "12826"
    revoked = {"subscription": SUBSCRIPTION | {"id": 7, "status": "user_removed"}}
    assert event_of(revoked, "revocation").subscription_id == "7"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NAMES = ("broadcaster_user_login", "broadcaster_user_name", "type", "started_at")


@pytest.mark.parametrize("name", NAMES)
def test_only_what_identifies_a_stream_is_required(name: str) -> None:
    """null means absent: a stream is not lost for want of its name, login, type or start."""
    whole = event_of(about("stream.online", event=ONLINE))
    field = {"broadcaster_user_login": "broadcaster_login", "broadcaster_user_name": "broadcaster_name"}.get(name, name)
    field = "detail" if field == "type" else field
    for value in (*OTHERS, "x" * 1000):
        event = event_of(about("stream.online", event=put(ONLINE, (name,), value)))
        for each in ("broadcaster_id", "stream_id", "broadcaster_login", "broadcaster_name", "started_at", "detail"):
            if each != field:
                assert getattr(event, each) == getattr(whole, each), value
        if not isinstance(value, str):
            assert getattr(event, field) in {"", None}, value


@pytest.mark.parametrize("name", ["id", "status", "version", "cost", "condition", "transport", "created_at"])
@pytest.mark.parametrize("message_type", ["notification", "revocation"])
def test_the_subscription_may_lack_all_but_its_type(message_type: str, name: str) -> None:
    for value in OTHERS:
        body = put(about("stream.online", event=ONLINE), ("subscription", name), value)
        event = event_of(body, message_type, "stream.online")
        if message_type == "notification":
            known = (event.kind, event.stream_id, event.broadcaster_login)
            assert known == ("stream.online", "40001", "cool_user"), value
        else:
            assert event.kind == "revocation", value


@given(st.dictionaries(st.sampled_from(NAMES), anything | st.just(MISSING)))
def test_any_of_them_may_be_anything(changes: dict[str, Any]) -> None:
    body = about("stream.online", event=ONLINE)
    for name, value in changes.items():
        body = put(body, ("event", name), value)
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # no JSON
    event = event_of(raw)
    assert (event.stream_id, event.broadcaster_id) == ("40001", "12826")
    assert event.broadcaster_login == "cool_user" or "broadcaster_user_login" in changes


@pytest.mark.parametrize(("message_type", "message_id"), [("", "m"), ("x" * 300, "m"), ("a\nb", "m"), ("x", "")])
def test_odd_headers_are_malformed(message_type: str, message_id: str) -> None:
    with pytest.raises(MessageMalformedError):
        read({"subscription": SUBSCRIPTION}, message_type, message_id=message_id)


types = st.sampled_from(["notification", "revocation", "webhook_callback_verification", "other"]) | st.text(max_size=9)
fields = st.sampled_from(["id", "type", "started_at", "broadcaster_user_id", "broadcaster_user_login"])


@given(types, st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(message_type: str, body: bytes) -> None:
    with contextlib.suppress(MessageMalformedError):
        read(body, message_type)


@given(types, st.dictionaries(fields, anything), st.dictionaries(st.sampled_from(["id", "type", "status"]), anything))
def test_random_fields_raise_nothing_else(message_type: str, event: dict[str, Any], sub: dict[str, Any]) -> None:
    body = {"subscription": SUBSCRIPTION | sub, "event": ONLINE | event, "challenge": event.get("id")}
    try:
        parsed = read(json.dumps(body).encode("utf-8", "surrogatepass"), message_type)
    except MessageMalformedError:
        return
    if isinstance(parsed, StreamEvent):
        json.dumps([parsed.broadcaster_name, parsed.stream_id]).encode()


@pytest.mark.parametrize("message", captured())
def test_reads_messages_captured_from_twitchs_own_tool(message: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in message["headers"].items()}
    kind, about_what = headers["twitch-eventsub-message-type"], headers["twitch-eventsub-subscription-type"]
    parsed = read(message["body"].encode(), kind, about_what)
    body = json.loads(message["body"])
    if kind == "webhook_callback_verification":
        assert parsed == Challenge(body["challenge"], body["subscription"]["id"])
    else:
        assert isinstance(parsed, StreamEvent)
        assert (parsed.kind, parsed.broadcaster_id) == (about_what, body["event"]["broadcaster_user_id"])
