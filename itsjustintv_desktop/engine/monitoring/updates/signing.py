"""What a build believes of newer versions: its public keys, their signatures, and the order of version numbers.

Needs nothing but Python until a signature is verified: a release's checks read it, too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from pathlib import Path

KEYS = "update-keys.txt"
"""In resources/. One Ed25519 key a line (RFC 8032, 32 bytes, base64); `#` begins a comment."""
KEY_SIZE = 32
_PACKAGE = Path(__file__).parents[3]


def pinned_keys() -> tuple[bytes, ...]:
    """All of this build's, none for one without. Raises ValueError naming the line that is no key, OSError."""
    return parse_keys(_file().read_text(encoding="utf-8"))


def parse_keys(text: str) -> tuple[bytes, ...]:
    """The keys in the text of such a file. Raises ValueError naming the line that is none."""
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        try:
            key = base64.b64decode(written, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_SIZE:
            raise ValueError(f"line {number} is no Ed25519 public key in base64")
        keys.append(key)
    return tuple(keys)


def _file() -> Path:
    """Inside of a wheel or bundle, or beside the package in a checkout."""
    inside = _PACKAGE / "resources"
    return (inside if inside.is_dir() else _PACKAGE.parent / "resources") / KEYS


_SIGNATURE_SIZE = 64
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
        for signature in _signatures(signatures):
            try:
                public.verify(signature, raw)
            except InvalidSignature:
                continue
            return True
    return False


def tidy(signatures: bytes) -> bytes:
    """The same without what cannot be a signature: nobody vouches for that, and it is not kept."""
    return b"".join(base64.b64encode(each) + b"\n" for each in _signatures(signatures))


def _signatures(content: bytes) -> list[bytes]:
    """What of it can be a signature at all."""
    found = []
    for line in content.split()[:_MOST]:
        try:
            signature = base64.b64decode(line, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(signature) == _SIGNATURE_SIZE:
            found.append(signature)
    return found


Order = tuple[int, int, int, int, int]
"""Compares as the versions do."""

_FORM = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:(a|b|rc)(\d{1,6}))?", re.ASCII)
_PHASES = {"a": 0, "b": 1, "rc": 2, None: 3}


def order(version: str) -> Order:
    """What to compare it by. Raises ValueError for everything that is not of this very form."""
    found = _FORM.fullmatch(version)
    if found is None:
        raise ValueError("not a version such as 1.2.3")
    major, minor, patch, phase, number = found.groups()
    return int(major), int(minor), int(patch), _PHASES[phase], int(number or 0)


def is_final(of: Order) -> bool:
    """Whether it is a release, and no pre-release such as 1.2.3rc1."""
    return of[3] == _PHASES[None]
