"""Whether a secret is still the one it was, without saying what it is: salted anew each time the program runs."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

import msgspec

Fingerprints = Mapping[str, str]
"""By the name of what they are of. What has none is not set; `UNKNOWN` cannot be looked up now."""
UNKNOWN = ""

_SALT = secrets.token_bytes(32)


def fingerprint(value: object) -> str:
    """Of a text, or of a table of texts."""
    return hashlib.blake2b(msgspec.json.encode(value, order="sorted"), key=_SALT, digest_size=16).hexdigest()


def fits(one: Fingerprints, other: Fingerprints) -> bool:
    """Whether both are of the same; nothing speaks against what is not known."""
    return not any(differs(one, other, name) for name in {*one, *other})


def differs(one: Fingerprints, other: Fingerprints, name: str) -> bool:
    before, after = one.get(name), other.get(name)
    return before != after and UNKNOWN not in (before, after)
