"""The public keys that this build believes: resources/update-keys.txt.

One Ed25519 key a line (RFC 8032, 32 bytes, base64), `#` begins a comment. Needs nothing but Python: a release's
checks read it, too.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

NAME = "update-keys.txt"
SIZE = 32
_PACKAGE = Path(__file__).parents[3]


def pinned() -> tuple[bytes, ...]:
    """All of this build's, none for one without. Raises ValueError naming the line that is no key, OSError."""
    return parse(_file().read_text(encoding="utf-8"))


def parse(text: str) -> tuple[bytes, ...]:
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
        if len(key) != SIZE:
            raise ValueError(f"line {number} is no Ed25519 public key in base64")
        keys.append(key)
    return tuple(keys)


def _file() -> Path:
    """Inside of a wheel or bundle, or beside the package in a checkout."""
    inside = _PACKAGE / "resources"
    return (inside if inside.is_dir() else _PACKAGE.parent / "resources") / NAME
