"""EventSub's webhook messages: their signature, and their bodies (challenge, notification, revocation).

The signature (lowercase hex HMAC-SHA256) covers message id, timestamp and body, but not the other headers: the body's
own `subscription.type` says what a message is about, and the header has to agree. Everything signed is bytes: comparing
text would raise on non-ASCII input, and decoding could change what was signed.

Source: Twitch documentation, "Handling webhook events" and "Verifying the event message".
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import msgspec

from itsjustintv_desktop.engine.core.clock import parse_rfc3339
from itsjustintv_desktop.engine.core.errors import MessageMalformedError
from itsjustintv_desktop.engine.core.models import SOURCE, STREAM_OFFLINE, STREAM_ONLINE, StreamEvent
from itsjustintv_desktop.engine.twitch.lenient import OR_NUMBER, Lenient

CHALLENGE = "webhook_callback_verification"
NOTIFICATION = "notification"
REVOCATION = "revocation"

CHANNEL_UPDATE = "channel.update"
LIVE = "live"
"""The type of a stream that is one; the others (rerun, playlist, premiere, watch_party) are not announced."""

_MAX_ID = 200
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=_MAX_ID), OR_NUMBER]
_AnyId = Annotated[str, msgspec.Meta(max_length=_MAX_ID), OR_NUMBER]
_Text = Annotated[str, msgspec.Meta(max_length=_MAX_ID)]
_PREFIX = b"sha256="
_LENGTH = len(_PREFIX) + 64


class Challenge(msgspec.Struct, frozen=True):
    """Twitch asks whether this address is ours. Answer 200 text/plain with exactly `text`."""

    text: str
    subscription_id: str


Parsed = Challenge | StreamEvent


class _Subscription(msgspec.Struct, gc=False):
    id: _AnyId = ""
    type: _Text = ""
    status: _Text = ""


class _ShardOrNone(msgspec.Struct, gc=False):
    """A challenge for a conduit's shard carries no subscription."""

    challenge: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    subscription: _Subscription | None = None


class _Envelope(msgspec.Struct, gc=False):
    subscription: _Subscription = msgspec.field(default_factory=_Subscription)
    event: msgspec.Raw = msgspec.Raw(b"null")


class _Event(msgspec.Struct, gc=False):
    broadcaster_user_id: _Id
    broadcaster_user_login: _Text = ""
    broadcaster_user_name: _Text = ""


class _Online(_Event, gc=False, kw_only=True):
    id: _Id
    type: _Text = LIVE
    started_at: _Text = ""


class _Offline(_Event, gc=False, kw_only=True):
    """Since 2026-06-26 it names the stream that ended."""

    id: _AnyId | None = None


_challenge = Lenient(_ShardOrNone)
_envelope = Lenient(_Envelope)
_event = Lenient(_Event)
_online = Lenient(_Online)
_offline = Lenient(_Offline)


def parse(message_type: str, subscription_type: str, body: bytes, *, message_id: str, received_at: float) -> Parsed:
    """Read a message whose signature is good. What is null, missing or of another type beside the ids is absent.

    A type we don't know, of message or of subscription, becomes a StreamEvent of that kind, so that it is
    acknowledged like any other. A revocation has kind "revocation" and its status as `detail`. A stream.online
    that is not of type "live" (playlist, watch_party, premiere, rerun) keeps its kind and has its type as
    `detail`: only an empty `detail` is announced. Raises MessageMalformedError for all else.
    """
    try:
        text = body.decode()  # msgspec checks the encoding only of the fields it keeps
        if message_type == CHALLENGE:
            asked = _challenge.decode(text)
            return Challenge(asked.challenge, asked.subscription.id if asked.subscription else "")
        envelope = _envelope.decode(text)
        if subscription_type and envelope.subscription.type not in {"", subscription_type}:
            raise MessageMalformedError("The message is signed, but its headers tell of another subscription.")
        event = _read(message_type, subscription_type, envelope, message_id, received_at)
    except msgspec.ValidationError as error:
        raise MessageMalformedError(f"The message is signed, but not one of Twitch's: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageMalformedError("The message is signed, but it is not JSON.") from error
    ids = (message_id, event.kind, event.broadcaster_id, event.stream_id, event.subscription_id)
    together = "".join(ids)
    too_long = len(together) > _MAX_ID and any(len(one) > _MAX_ID for one in ids)
    if not message_id or not event.kind or too_long or not together.isprintable():
        raise MessageMalformedError("The message is signed, but an id or type in it is not one of Twitch's.")
    return event


def _read(
    message_type: str, subscription_type: str, envelope: _Envelope, message_id: str, received_at: float
) -> StreamEvent:
    subscription = envelope.subscription
    # The header is not signed, but it is all there is where the body does not say it.
    kind, detail, stream_id, started_at = subscription.type or subscription_type, "", "", None
    broadcaster: _Event | None = None
    if message_type != NOTIFICATION:
        if subscription == _Subscription():
            raise MessageMalformedError("The message is signed, but names no subscription.")
        kind, detail = message_type, subscription.status
    elif kind == STREAM_ONLINE:
        online = broadcaster = _online.decode(envelope.event)
        stream_id, started_at = online.id, _time(online.started_at)
        detail = "" if online.type in {"", LIVE} else online.type
    elif kind == STREAM_OFFLINE:
        offline = broadcaster = _offline.decode(envelope.event)
        stream_id = offline.id or ""
    elif kind == CHANNEL_UPDATE:
        broadcaster = _event.decode(envelope.event)
    else:
        broadcaster = _any_broadcaster(envelope.event)
    return StreamEvent(
        source=SOURCE,
        kind=kind,
        message_id=message_id,
        received_at=received_at,
        broadcaster_id=broadcaster.broadcaster_user_id if broadcaster else "",
        broadcaster_login=broadcaster.broadcaster_user_login if broadcaster else "",
        broadcaster_name=broadcaster.broadcaster_user_name if broadcaster else "",
        stream_id=stream_id,
        started_at=started_at,
        subscription_id=subscription.id,
        detail=detail,
    )


def _any_broadcaster(event: msgspec.Raw) -> _Event | None:
    """Who an event of an unknown type is about, if it says so in the usual fields."""
    try:
        return _event.decode(event)
    except msgspec.DecodeError:
        return None


def _time(text: str) -> float | None:
    """Unix seconds; None if it cannot be read: a stream is identified by its id."""
    try:
        return parse_rfc3339(text)
    except ValueError:
        return None


def sign(secret: bytes, message_id: bytes, timestamp: bytes, body: bytes) -> str:
    """The value of `Twitch-Eventsub-Message-Signature` for a message."""
    return "sha256=" + hmac.digest(secret, message_id + timestamp + body, "sha256").hex()


def made_with(
    secrets: Sequence[bytes], message_id: bytes, timestamp: bytes, body: bytes, header: bytes
) -> bytes | None:
    """The one of `secrets` (several while a secret is being changed) that `header` is a signature made with.

    Only the exact form Twitch sends counts: another algorithm, upper case or any padding is refused. An empty
    secret never matches, since everyone could sign with it.
    """
    if len(header) != _LENGTH or not header.startswith(_PREFIX):
        return None
    message = message_id + timestamp + body
    given = header[len(_PREFIX) :]
    matched: bytes | None = None
    for secret in secrets:
        expected = _keyed(secret).copy()
        expected.update(message)
        if hmac.compare_digest(expected.hexdigest().encode(), given) and secret:
            matched = secret
    return matched


@lru_cache(16)
def _keyed(secret: bytes) -> hmac.HMAC:
    """Its key schedule is a third of what an HMAC of a notification costs."""
    return hmac.new(secret, digestmod="sha256")
