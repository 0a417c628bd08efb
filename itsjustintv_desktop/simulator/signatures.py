"""Checks the signatures of webhooks as a receiver does. Written apart from the code that makes them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
Scheme = Literal["x-hub", "standard-webhooks"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """How POSTs to one receiver must be signed. `tolerance`: seconds a Standard Webhooks timestamp may be off."""

    secret: str
    header: str = "X-Hub-Signature-256"
    hashing: str = "SHA-256"
    scheme: Scheme = "x-hub"
    tolerance: float | None = 300.0

    def __post_init__(self) -> None:
        if self.scheme not in {"x-hub", "standard-webhooks"}:
            raise ValueError(f"there is no signature scheme {self.scheme!r}")
        if _name(self.hashing) not in _DIGESTS:
            raise ValueError(f"there is no hashing {self.hashing!r}")

    def holds(self, headers: Mapping[str, str], body: bytes, now: float) -> bool:
        """Whether the signature in `headers` (case-insensitive mapping) is right; `now` is Unix seconds."""
        if self.scheme == "standard-webhooks":
            return self._standard(headers, body, now)
        algorithm = _name(self.hashing)
        right = hmac.new(self.secret.encode(), body, _DIGESTS[algorithm]).hexdigest()
        given = headers.get(self.header, "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), f"{algorithm}={right}".encode())

    def _standard(self, headers: Mapping[str, str], body: bytes, now: float) -> bool:
        """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
        message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not message_id or not (timestamp.isascii() and timestamp.isdigit()):
            return False
        if self.tolerance is not None and abs(now - int(timestamp)) > self.tolerance:
            return False
        signed = f"{message_id}.{timestamp}.".encode() + body
        right = base64.b64encode(hmac.new(_key(self.secret), signed, hashlib.sha256).digest())
        for given in headers.get("webhook-signature", "").split(" "):
            version, _, value = given.partition(",")
            if version == "v1" and hmac.compare_digest(value.encode("utf-8", "replace"), right):
                return True
        return False


def _name(hashing: str) -> str:
    return hashing.lower().replace("-", "")


def _key(secret: str) -> bytes:
    """`whsec_` and base64 as the standard writes keys, else the text itself."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret after whsec_ is not base64") from error
