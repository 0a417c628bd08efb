"""Signed stream.online notifications, made before the clock runs, so that the load costs nothing to make."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine.twitch.eventsub_messages import sign

SECRET = "benchmark-webhook-secret"
SUBSCRIPTION = "f1c2a387-161a-49f9-a165-0f21d7a4e1c4"
CHANNELS = 100
FIRST_USER_ID = 200_000_001

END = b"\0"
"""Ends a request in the file that the load generators read. It occurs in no request."""


def user_id(number: int) -> str:
    return str(FIRST_USER_ID + number)


def login(number: int) -> str:
    return f"channel{number:05}"


def online(number: int, stream_id: str, *, message_id: str | None = None, now: float | None = None) -> bytes:
    """Headers and body of one notification, everything of the request but its first line."""
    at = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"  # nanoseconds, as Twitch sends them
    body = msgspec.json.encode(
        {
            "subscription": {
                "id": SUBSCRIPTION,
                "status": "enabled",
                "type": "stream.online",
                "version": "1",
                "condition": {"broadcaster_user_id": user_id(number)},
                "transport": {"method": "webhook", "callback": "https://example.com/callback"},
                "created_at": "2026-01-11T10:11:12.123456789Z",
                "cost": 1,
            },
            "event": {
                "id": stream_id,
                "broadcaster_user_id": user_id(number),
                "broadcaster_user_login": login(number),
                "broadcaster_user_name": login(number).title(),
                "type": "live",
                "started_at": stamp,
            },
        }
    )
    message = message_id or str(uuid.uuid4())
    signature = sign(SECRET.encode(), message.encode(), stamp.encode(), body)
    head = (
        "Host: 127.0.0.1\r\n"
        "User-Agent: Go-http-client/1.1\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Twitch-Eventsub-Message-Id: {message}\r\n"
        "Twitch-Eventsub-Message-Retry: 0\r\n"
        f"Twitch-Eventsub-Message-Signature: {signature}\r\n"
        f"Twitch-Eventsub-Message-Timestamp: {stamp}\r\n"
        "Twitch-Eventsub-Message-Type: notification\r\n"
        "Twitch-Eventsub-Subscription-Type: stream.online\r\n"
        "Twitch-Eventsub-Subscription-Version: 1\r\n"
        "Accept-Encoding: gzip\r\n\r\n"
    )
    return head.encode() + body


def flapping(count: int) -> Iterator[bytes]:
    """`count` messages, all ids different, about CHANNELS streams: what resends and flapping streams look like."""
    for number in range(count):
        channel = number % CHANNELS
        yield online(channel, f"4{channel:010}")


def write(path: Path, requests: Iterator[bytes]) -> None:
    """A file of requests for a load generator."""
    with path.open("wb") as file:
        for request in requests:
            file.write(request + END)


def read(path: Path) -> list[bytes]:
    return path.read_bytes().split(END)[:-1]
