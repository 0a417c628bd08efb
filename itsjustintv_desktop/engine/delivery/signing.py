"""Signatures of what we send, and the headers every attempt carries.

X-Hub style: `<header>: sha256=<hex HMAC of the raw body>`, as GitHub does it (and the Go service).
Standard Webhooks (standardwebhooks.com, spec 1.0): `webhook-signature: v1,<base64>` over `id.timestamp.body`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.config.validators import standard_key
from itsjustintv_desktop.engine.core.errors import ConfigError

_HASHES = {
    "SHA-1": ("sha1", hashlib.sha1),
    "SHA-256": ("sha256", hashlib.sha256),
    "SHA-512": ("sha512", hashlib.sha512),
}


def base_headers(*, webhook_id: str, timestamp: int) -> dict[str, str]:
    """What every attempt carries, signed or not. `timestamp`: Unix seconds of this attempt."""
    return {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp)}


def signature_headers(
    destination: Destination, secret: str | None, *, webhook_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The signature header of one attempt; empty without a secret.

    Raises ConfigError when the secret is not usable for the chosen kind of signature.
    """
    if not secret:
        return {}
    if destination.signature == "standard-webhooks":
        try:
            key = standard_key(secret)
        except Mistake as mistake:
            raise ConfigError([f'The secret of destination "{destination.name}" cannot be used: {mistake}.']) from None
        signed = f"{webhook_id}.{timestamp}.".encode() + body
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        return {"webhook-signature": "v1," + base64.b64encode(digest).decode("ascii")}
    name, algorithm = _HASHES[destination.hashing]
    return {destination.header: f"{name}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"}
