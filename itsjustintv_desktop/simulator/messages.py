"""EventSub messages: their events, bodies, headers and signature, and the text messages of its WebSocket.

https://dev.twitch.tv/docs/eventsub/handling-webhook-events/ and https://dev.twitch.tv/docs/eventsub/websocket-
reference/
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field
from typing import Any

from itsjustintv_desktop.simulator import answers
from itsjustintv_desktop.simulator.shards import Shard
from itsjustintv_desktop.simulator.state import Channel, State, Stream
from itsjustintv_desktop.simulator.subscriptions import Subscription

NOTIFICATION = "notification"
VERIFICATION = "webhook_callback_verification"
REVOCATION = "revocation"
WELCOME = "session_welcome"
KEEPALIVE = "session_keepalive"
RECONNECT = "session_reconnect"


@dataclass(slots=True)
class Sent:
    """One message on its way, and what came of it: a POST to a callback, or a frame over a WebSocket.

    `elapsed` is seconds until the head of the answer was in, or the frame was written. `headers`, `status` and
    `answer` are of a POST. A challenge to a shard is about no subscription.
    """

    subscription: Subscription | None
    kind: str
    message_id: str
    timestamp: str
    retry: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    answer: bytes = b""
    answer_type: str = ""
    """Its Content-Type, with no Content-Length ""."""
    elapsed: float = 0.0
    error: str | None = None
    shard: Shard | None = None
    """The shard of a conduit it went to."""
    session_id: str = ""
    """The WebSocket session it went to."""

    @property
    def ok(self) -> bool:
        if self.session_id:
            return self.error is None
        return self.status is not None and 200 <= self.status < 300


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the lowercase hex HMAC-SHA256 of id, timestamp and raw body."""
    signed = message_id.encode() + timestamp.encode() + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def headers(sent: Sent, given_signature: str | None = None, *, secret: str | None = None) -> dict[str, str]:
    """The headers of a message. The signature is the right one unless another is given.

    `secret` is the subscription's own unless a shard's callback has one.
    """
    subscription = sent.subscription
    if secret is None:
        secret = subscription.transport.secret if subscription is not None else ""
    right = signature(secret, sent.message_id, sent.timestamp, sent.body)
    made = {
        "Content-Type": "application/json",
        "Twitch-Eventsub-Message-Id": sent.message_id,
        "Twitch-Eventsub-Message-Retry": str(sent.retry),
        "Twitch-Eventsub-Message-Signature": right if given_signature is None else given_signature,
        "Twitch-Eventsub-Message-Timestamp": sent.timestamp,
        "Twitch-Eventsub-Message-Type": sent.kind,
    }
    if subscription is not None:
        made["Twitch-Eventsub-Subscription-Type"] = subscription.type
        made["Twitch-Eventsub-Subscription-Version"] = subscription.version
    return made


def broadcaster(channel: Channel) -> dict[str, str]:
    return {
        "broadcaster_user_id": channel.user_id,
        "broadcaster_user_login": channel.login,
        "broadcaster_user_name": channel.display_name,
    }


def stream_online(state: State, channel: Channel, stream: Stream) -> dict[str, Any]:
    """stream.online version 1: no title and no game."""
    started_at = state.stamp(stream.started_at)
    return {"id": stream.id, **broadcaster(channel), "type": stream.type, "started_at": started_at}


def stream_offline(channel: Channel) -> dict[str, Any]:
    """stream.offline version 1. Since 2026-06-26 it names the stream that ended."""
    return {"id": channel.last_stream_id, **broadcaster(channel)}


def channel_update(channel: Channel) -> dict[str, Any]:
    """channel.update version 2."""
    return {
        **broadcaster(channel),
        "title": channel.title,
        "language": channel.language,
        "category_id": channel.category.id,
        "category_name": channel.category.name,
        "content_classification_labels": [],
    }


def session_frame(kind: str, timestamp: str, details: dict[str, Any] | None = None) -> str:
    """A message about the session itself; `details` are its payload's `session` (a keepalive has none)."""
    metadata = {"message_id": str(uuid.uuid4()), "message_type": kind, "message_timestamp": timestamp}
    return answers.body({"metadata": metadata, "payload": {} if details is None else {"session": details}}).decode()


def notification_frame(sent: Sent) -> str:
    """A notification or revocation: what a callback gets as headers and body, as one frame.

    The body goes in as it is, so that one which is no JSON makes a frame which is none either.
    """
    metadata = {
        "message_id": sent.message_id,
        "message_type": sent.kind,
        "message_timestamp": sent.timestamp,
    }
    if sent.subscription is not None:
        metadata["subscription_type"] = sent.subscription.type
        metadata["subscription_version"] = sent.subscription.version
    return f'{{"metadata":{answers.body(metadata).decode()},"payload":{sent.body.decode(errors="replace")}}}'
