"""Judging one message of Twitch's webhook: is it theirs, is it fresh, what does it say (no HTTP here).

Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from multidict import istr

from itsjustintv_desktop.engine.core.clock import Clock, parse_rfc3339
from itsjustintv_desktop.engine.core.errors import MessageRefusedError, SecretsLockedError
from itsjustintv_desktop.engine.core.events import Signal
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.twitch import eventsub_messages

FRESH_SECONDS = 600.0
"""A message older (or further ahead) than this is refused: the replay window of Twitch's documentation."""

_MOST_NOTED = 20_000
"""Subscriptions: twice as many as a client id can have."""

# istr: a header collection would fold the case of a plain str at each look.
_ID = istr("Twitch-Eventsub-Message-Id")
_TIMESTAMP = istr("Twitch-Eventsub-Message-Timestamp")
_SIGNATURE = istr("Twitch-Eventsub-Message-Signature")
_TYPE = istr("Twitch-Eventsub-Message-Type")
_SUBSCRIPTION = istr("Twitch-Eventsub-Subscription-Type")


class Headers(Protocol):
    """What this needs of a header collection (case-insensitive names)."""

    def getall(self, key: str, default: list[str], /) -> list[str]: ...


class EventSubVerifier:
    """Verifies over the raw bytes first, then checks freshness, then reads."""

    def __init__(self, secrets: Callable[[], Sequence[bytes]], clock: Clock, skew: Callable[[], float]) -> None:
        """`secrets` gives the signing secrets now valid (none = not available yet), `skew` Twitch's time minus ours."""
        self._secrets = secrets
        self._clock = clock
        self._skew = skew
        self._signed: dict[str, bytes] = {}
        self.stale: Signal[()] = Signal()
        """Called when a rightly signed message is out of time: the local clock may be wrong."""
        self.expects_messages: Callable[[], bool] = lambda: True
        """False: without a secret no message can be meant for us (a conduit is used)."""
        self.why_no_secret: Callable[[], str | None] = lambda: None
        """Asked while there is no secret: the sentence that says why and what to do."""

    def judge(self, headers: Headers, body: bytes) -> eventsub_messages.Challenge | StreamEvent:
        """What the message says.

        Raises SecretsLockedError (503), MessageRefusedError (403) and MessageMalformedError (400).
        """
        secrets = self._secrets()
        if not secrets and not self.expects_messages():
            raise MessageRefusedError("Twitch hands its messages over through a conduit; nothing is expected here.")
        if not secrets:
            raise SecretsLockedError(self.why_no_secret() or "The webhook secret is not available yet.")
        message_id = _one(headers, _ID)
        timestamp = _one(headers, _TIMESTAMP)
        given = _one(headers, _SIGNATURE)
        try:
            raw_id, raw_timestamp, raw_given = message_id.encode(), timestamp.encode(), given.encode()
        except UnicodeEncodeError as error:  # bytes above 127 arrive as lone surrogates
            raise MessageRefusedError("A header is not ASCII.") from error
        secret = eventsub_messages.made_with(secrets, raw_id, raw_timestamp, body, raw_given)
        if not message_id or secret is None:
            raise MessageRefusedError(
                "The signature does not fit. Is the webhook secret the one we subscribed with?", kind="signature"
            )
        received_at = self._clock.now()
        try:
            sent_at = parse_rfc3339(timestamp)
        except ValueError as error:
            raise MessageRefusedError("The timestamp cannot be read.") from error
        if abs(received_at + self._skew() - sent_at) > FRESH_SECONDS:
            self.stale.emit()
            raise MessageRefusedError(
                "The message is too old or from the future. Is this machine's clock right?", kind="stale"
            )
        message = eventsub_messages.parse(
            _optional(headers, _TYPE),
            _optional(headers, _SUBSCRIPTION),
            body,
            message_id=message_id,
            received_at=received_at,
        )
        self._note(message.subscription_id, secret)
        return message

    def signed_with(self, subscription_id: str) -> str | None:
        """The secret that the latest message of this subscription was signed with; None: there was none lately."""
        secret = self._signed.get(subscription_id)
        return None if secret is None else secret.decode()

    def _note(self, subscription_id: str, secret: bytes) -> None:
        self._signed[subscription_id] = secret
        if len(self._signed) > _MOST_NOTED:
            del self._signed[next(iter(self._signed))]


def _one(headers: Headers, name: str) -> str:
    values = headers.getall(name, [])
    if len(values) != 1:
        raise MessageRefusedError(f"The header {name} is missing or doubled.")
    return values[0]


def _optional(headers: Headers, name: str) -> str:
    values = headers.getall(name, [])
    return values[0] if values else ""
