"""Twitch's message signature: `sha256=` and the lowercase hex HMAC-SHA256 of id + timestamp + raw body.

Source: Twitch documentation, "Verifying the event message". Everything is bytes: comparing text would raise on
non-ASCII input, and decoding could change what was signed.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

_PREFIX = b"sha256="
_LENGTH = len(_PREFIX) + 64


def sign(secret: bytes, message_id: bytes, timestamp: bytes, body: bytes) -> str:
    """The value of `Twitch-Eventsub-Message-Signature` for a message."""
    return "sha256=" + hmac.digest(secret, message_id + timestamp + body, "sha256").hex()


def verify(secrets: Sequence[bytes], message_id: bytes, timestamp: bytes, body: bytes, header: bytes) -> bool:
    """Whether `header` is the signature made with one of `secrets`, as `made_with`."""
    return made_with(secrets, message_id, timestamp, body, header) is not None


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
        expected = hmac.digest(secret, message, "sha256").hex().encode()
        if hmac.compare_digest(expected, given) and secret:
            matched = secret
    return matched
