"""Messages as Twitch signs them, made without any code of the program.

Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.support import rawhttp

SECRET = "a secret of twenty-six bytes"


def rfc3339(at: float) -> str:
    """With nine digits of fraction and a Z, as Twitch writes it."""
    whole = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{int(at % 1 * 1e9):09d}Z"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message; change parts of it with `but`, which signs anew unless `signature` is set."""

    at: float
    body: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    kind: str = "notification"
    type: str = "stream.online"
    secret: str = SECRET
    timestamp: str | None = None
    signature: str | None = None

    def but(self, **changes: Any) -> Message:
        return replace(self, **changes)

    def headers(self) -> list[tuple[str, str | bytes]]:
        stamp = self.timestamp if self.timestamp is not None else rfc3339(self.at)
        signed = self.id.encode() + stamp.encode() + self.body
        right = "sha256=" + hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return [
            ("Content-Type", "application/json"),
            ("Twitch-Eventsub-Message-Id", self.id),
            ("Twitch-Eventsub-Message-Retry", "0"),
            ("Twitch-Eventsub-Message-Type", self.kind),
            ("Twitch-Eventsub-Message-Signature", right if self.signature is None else self.signature),
            ("Twitch-Eventsub-Message-Timestamp", stamp),
            ("Twitch-Eventsub-Subscription-Type", self.type),
            ("Twitch-Eventsub-Subscription-Version", "1"),
        ]

    def request(self, target: str = "/twitch", **options: Any) -> bytes:
        """The bytes of the POST."""
        return rawhttp.request("POST", target, self.headers(), self.body, **options)


def subscription(type_: str, user_id: str, **details: Any) -> dict[str, Any]:
    return {
        "id": "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
        "status": "enabled",
        "type": type_,
        "version": "1",
        "cost": 1,
        "condition": {"broadcaster_user_id": user_id},
        "transport": {"method": "webhook", "callback": "https://example.com/twitch"},
        "created_at": "2026-11-01T10:11:12.634234626Z",
        **details,
    }


def online(at: float, *, user_id: str = "1337", login: str = "cooler_user", stream_id: str = "9001") -> Message:
    """stream.online version 1."""
    event = {
        "id": stream_id,
        "broadcaster_user_id": user_id,
        "broadcaster_user_login": login,
        "broadcaster_user_name": login.capitalize(),
        "type": "live",
        "started_at": rfc3339(at),
    }
    return message(at, {"subscription": subscription("stream.online", user_id), "event": event})


def challenge(at: float, text: object = "pogchamp-kappa-360noscope-vohiyo") -> Message:
    body = {"challenge": text, "subscription": subscription("stream.online", "1337")}
    return message(at, body, kind="webhook_callback_verification")


def revocation(at: float, status: str = "authorization_revoked") -> Message:
    return message(at, {"subscription": subscription("stream.online", "1337", status=status)}, kind="revocation")


def message(at: float, body: Mapping[str, Any], **details: Any) -> Message:
    return Message(at=at, body=json.dumps(body, separators=(",", ":")).encode(), **details)
