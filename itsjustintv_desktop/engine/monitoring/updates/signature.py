"""The detached signature: latest.json.sig holds one a line, each Ed25519 (RFC 8032) over the manifest's bytes, base64.

Several lines let a manifest be signed by an old and a new key while the keys change.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection

_SIZE = 64
_MOST = 8
"""Signatures that are looked at."""


def is_signed(raw: bytes, signatures: bytes, keys: Collection[bytes]) -> bool:
    """Whether one of the signatures is one of these public keys' over `raw`.

    Loads `cryptography`: 8 MB, where nothing else did before.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for key in keys:
        public = Ed25519PublicKey.from_public_bytes(key)
        for signature in _parse(signatures):
            try:
                public.verify(signature, raw)
            except InvalidSignature:
                continue
            return True
    return False


def tidy(signatures: bytes) -> bytes:
    """The same without what cannot be a signature: nobody vouches for that, and it is not kept."""
    return b"".join(base64.b64encode(each) + b"\n" for each in _parse(signatures))


def _parse(content: bytes) -> list[bytes]:
    """What of it can be a signature at all."""
    found = []
    for line in content.split()[:_MOST]:
        try:
            signature = base64.b64decode(line, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(signature) == _SIZE:
            found.append(signature)
    return found
