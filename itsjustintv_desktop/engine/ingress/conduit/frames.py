"""The messages of EventSub's WebSocket, read.

Source: Twitch documentation, "WebSocket Messages". What a notification or revocation holds is the same as over a
webhook and is read by the same code.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from itsjustintv_desktop.engine.core.errors import MessageMalformedError
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.twitch import eventsub_messages
from itsjustintv_desktop.engine.twitch.lenient import OR_NUMBER, Lenient

LARGEST = 256 * 1024
"""Bytes of one message at most; Twitch's are below 4 KiB."""

_WELCOME = "session_welcome"
_KEEPALIVE = "session_keepalive"
_RECONNECT = "session_reconnect"

_Text = Annotated[str, msgspec.Meta(max_length=200)]


class Welcome(msgspec.Struct, frozen=True):
    """`keepalive`: seconds of silence at most; None = as before."""

    session_id: str
    keepalive: float | None


class Keepalive(msgspec.Struct, frozen=True):
    """Nothing happened, and the connection is well."""


class Reconnect(msgspec.Struct, frozen=True):
    """Twitch wants us elsewhere within 30 seconds."""

    url: str


class Unknown(msgspec.Struct, frozen=True):
    """A type that did not exist when this was written."""

    kind: str


Frame = Welcome | Keepalive | Reconnect | Unknown | StreamEvent


class _Metadata(msgspec.Struct, gc=False):
    message_type: _Text
    message_id: Annotated[_Text, OR_NUMBER] = ""
    subscription_type: _Text = ""


class _Message(msgspec.Struct, gc=False):
    metadata: _Metadata
    payload: msgspec.Raw = msgspec.Raw(b"null")


class _Session(msgspec.Struct, gc=False):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    keepalive_timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] | None = None


class _Moved(msgspec.Struct, gc=False):
    reconnect_url: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class _Welcomes(msgspec.Struct, gc=False):
    session: _Session


class _Moves(msgspec.Struct, gc=False):
    session: _Moved


_message = Lenient(_Message)
_welcome = Lenient(_Welcomes)
_moves = Lenient(_Moves)


def read(text: str, received_at: float) -> Frame:
    """One text message; `received_at` is Unix seconds. Raises MessageMalformedError, fit for a log line."""
    try:
        message = _message.decode(text)
        kind = message.metadata.message_type
        if kind == _KEEPALIVE:
            return Keepalive()
        if kind == _WELCOME:
            session = _welcome.decode(message.payload).session
            return Welcome(session.id, session.keepalive_timeout_seconds)
        if kind == _RECONNECT:
            return Reconnect(_moves.decode(message.payload).session.reconnect_url)
    except msgspec.DecodeError as error:
        raise MessageMalformedError(f"It is not one of Twitch's messages: {error}.") from error
    if kind not in {eventsub_messages.NOTIFICATION, eventsub_messages.REVOCATION}:
        return Unknown(kind)
    return _event(message, received_at)


def _event(message: _Message, received_at: float) -> StreamEvent:
    metadata = message.metadata
    try:
        event = eventsub_messages.parse(
            metadata.message_type,
            metadata.subscription_type,
            bytes(message.payload),
            message_id=metadata.message_id,
            received_at=received_at,
        )
    except MessageMalformedError as error:
        _, _, why = error.message.partition("but ")  # a signature is what webhooks have; here the socket's TLS vouches
        raise MessageMalformedError(f"Its payload cannot be used: {why}") from error
    assert isinstance(event, StreamEvent)  # a challenge is of another type
    return event
