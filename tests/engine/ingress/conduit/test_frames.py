"""The messages of the socket: those of Twitch's documentation, and those nobody should send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.errors import MessageMalformedError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.ingress.conduit import frames
from tests.support.bent import OTHERS, put

AT = 1_790_000_000.0
SUBSCRIPTION = {
    "id": "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
    "status": "enabled",
    "type": "stream.online",
    "version": "1",
    "cost": 1,
    "condition": {"broadcaster_user_id": "100"},
    "transport": {"method": "conduit", "conduit_id": "c"},
    "created_at": "2023-07-19T14:56:51.616329898Z",
}
EVENT = {
    "id": "9001",
    "broadcaster_user_id": "100",
    "broadcaster_user_login": "alice",
    "broadcaster_user_name": "Alice",
    "type": "live",
    "started_at": "2026-09-21T14:13:20.123456789Z",
}


def message(kind: str | None, payload: Any, **metadata: Any) -> str:
    head = {"message_id": "m-1", "message_type": kind, "message_timestamp": "2026-09-21T14:13:20.5Z", **metadata}
    return json.dumps({"metadata": head, "payload": payload})


def session(**details: Any) -> dict[str, Any]:
    return {"session": {"id": "s-1", "status": "connected", "connected_at": "2026-09-21T14:13:20Z", **details}}


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        (message("session_welcome", session(keepalive_timeout_seconds=30, reconnect_url=None)),
         frames.Welcome("s-1", 30.0)),
        (message("session_welcome", session(keepalive_timeout_seconds=None)), frames.Welcome("s-1", None)),
        (message("session_welcome", session()), frames.Welcome("s-1", None)),
        (message("session_welcome", session(keepalive_timeout_seconds=-1)), frames.Welcome("s-1", None)),
        (message("session_welcome", session(keepalive_timeout_seconds="x")), frames.Welcome("s-1", None)),
        (message("session_keepalive", {}), frames.Keepalive()),
        (message("session_keepalive", None, message_id=None), frames.Keepalive()),
        (message("session_reconnect", session(reconnect_url="wss://a/ws?x=%2F", keepalive_timeout_seconds=None)),
         frames.Reconnect("wss://a/ws?x=%2F")),
        (message("session_sing", {"la": "la"}), frames.Unknown("session_sing")),
        (message("webhook_callback_verification", {"challenge": "x"}),
         frames.Unknown("webhook_callback_verification")),
    ],
)  # fmt: skip
def test_what_twitch_says(text: str, frame: frames.Frame) -> None:
    assert frames.read(text, AT) == frame


def test_a_notification_is_the_same_event_as_over_a_webhook() -> None:
    text = message(
        "notification",
        {"subscription": SUBSCRIPTION, "event": EVENT},
        subscription_type="stream.online",
        subscription_version="1",
    )
    event = frames.read(text, AT)
    assert isinstance(event, StreamEvent)
    assert (event.kind, event.message_id, event.received_at) == ("stream.online", "m-1", AT)
    assert (event.broadcaster_id, event.broadcaster_login, event.stream_id) == ("100", "alice", "9001")
    assert event.subscription_id == SUBSCRIPTION["id"]
    assert event.started_at == pytest.approx(1_790_000_000.123, abs=0.01)


@pytest.mark.parametrize(
    "path",
    [
        *(("payload", "event", name) for name in ("broadcaster_user_login", "broadcaster_user_name", "type")),
        ("payload", "event", "started_at"),
        *(("payload", "subscription", name) for name in SUBSCRIPTION if name != "type"),
        ("metadata", "message_timestamp"),
        ("metadata", "subscription_version"),
    ],
)
def test_a_field_that_is_null_or_odd_does_not_lose_the_stream(path: tuple[str, ...]) -> None:
    """Twitch does not send again what came over a socket."""
    plain = message("notification", {"subscription": SUBSCRIPTION, "event": EVENT}, subscription_version="1")
    for value in OTHERS:
        event = frames.read(json.dumps(put(json.loads(plain), path, value)), AT)
        assert isinstance(event, StreamEvent), value
        known = (event.kind, event.message_id, event.stream_id, event.broadcaster_id)
        assert known == ("stream.online", "m-1", "9001", "100"), value


def test_an_id_may_come_as_a_number() -> None:
    plain = message("notification", {"subscription": SUBSCRIPTION, "event": EVENT}, subscription_version="1")
    bent = json.loads(plain)
    bent["metadata"]["message_id"] = 17
    bent["payload"]["event"] |= {"id": 9001, "broadcaster_user_id": 100}
    event = frames.read(json.dumps(bent), AT)
    assert isinstance(event, StreamEvent)
    assert (event.message_id, event.stream_id, event.broadcaster_id) == ("17", "9001", "100")


def test_a_revocation_is_one_too() -> None:
    revoked = {**SUBSCRIPTION, "status": "user_removed"}
    text = message("revocation", {"subscription": revoked}, subscription_type="stream.online")
    event = frames.read(text, AT)
    assert isinstance(event, StreamEvent)
    assert (event.kind, event.detail, event.subscription_id) == ("revocation", "user_removed", SUBSCRIPTION["id"])


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "1", '"x"', "{}", '{"metadata": {}}', "[" * 100_000, '{"a":' * 100_000,
        message("session_welcome", {}), message("session_welcome", session(id="")),
        message("session_welcome", session(id=5)), message("session_reconnect", session()),
        message("session_reconnect", session(reconnect_url=None)), message("session_reconnect", None),
        message("notification", {}), message("notification", {"subscription": SUBSCRIPTION, "event": {}}),
        message("notification", {"subscription": SUBSCRIPTION, "event": EVENT}, message_id=""),
        message("notification", {"subscription": SUBSCRIPTION, "event": EVENT}, message_id=None),
        message(None, {"subscription": SUBSCRIPTION, "event": EVENT}),
        message("notification", {"subscription": SUBSCRIPTION, "event": EVENT}, message_id="x" * 300),
        message("notification", {"subscription": SUBSCRIPTION, "event": EVENT}, subscription_type="stream.offline"),
        message("notification", {"subscription": {**SUBSCRIPTION, "id": "a\nb"}, "event": EVENT}),
        message("revocation", {"subscription": None}), '{"metadata": {"message_type": "\ud800"}}',
    ],
)  # fmt: skip
def test_what_it_should_not_say(text: str) -> None:
    with pytest.raises(MessageMalformedError) as caught:
        frames.read(text, AT)
    assert "signed" not in caught.value.message, "nothing is signed here"


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x)).map(json.dumps))
def test_nothing_else_escapes(text: str) -> None:
    with pytest.raises(MessageMalformedError):
        frames.read(text, AT)
