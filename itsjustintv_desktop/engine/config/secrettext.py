"""What a secret is, wherever it was given: without the blanks around it, and as the bytes it stands for.

Standard Webhooks (spec 1.0, "Signature scheme"): `whsec_` and then base64 of a key of 24 to 64 bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable

from itsjustintv_desktop.engine.config.report import Mistake

PREFIX = "whsec_"
_LENGTHS = range(24, 65)
_AROUND = re.compile(r"^[\s\u00ad\u200b-\u200f\u2060\ufeff]+|[\s\u00ad\u200b-\u200f\u2060\ufeff]+$")
"""Blanks, line breaks and invisible characters that come along when a secret is copied."""
_ALMOST = re.compile(r"""["'`\u2018-\u201f\u00ab\u00bb\s]*whsec_""", re.IGNORECASE)
_NOT_BASE64 = "what follows whsec_ must be base64; copy the secret again"


def trimmed(text: str) -> str:
    """A secret without what surrounds it. It is no part of any: files, shells and web pages add it."""
    return _AROUND.sub("", text)


def standard_key(secret: str) -> bytes:
    """The key of a Standard Webhooks secret: `whsec_<base64>` is decoded, anything else is taken as it is.

    Some receivers hand out their secrets without the padding. Raises Mistake, which does not show it, also for one that
    is meant to begin with whsec_ and does not: nobody would sign with its letters.
    """
    bare = trimmed(secret)
    if not bare.startswith(PREFIX):
        if _ALMOST.match(bare):
            raise Mistake("whsec_ must stand in small letters at its very beginning, without quotes")
        return secret.encode()
    encoded = bare.removeprefix(PREFIX).rstrip("=")
    if not encoded:
        raise Mistake("nothing follows whsec_; copy the secret again")
    if re.fullmatch(r"[\w-]+", encoded, re.ASCII) and re.search(r"[-_]", encoded):
        # Some libraries leave out what they do not know, and would sign with another key.
        raise Mistake("what follows whsec_ must be base64 with + and /; write + for each - and / for each _")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Mistake(_NOT_BASE64) from None


def check_standard(secret: str, warn: Callable[[str], None]) -> None:
    """Judge a secret of Standard Webhooks. Raises Mistake."""
    key = standard_key(secret)
    if not secret.startswith(PREFIX):
        warn("it does not begin with whsec_, so it is the key itself; libraries of Standard Webhooks decode it first")
    elif len(key) not in _LENGTHS:
        warn(f"its key has {len(key)} bytes; Standard Webhooks asks for 24 to 64, and some receivers take no others")


def new_standard_secret() -> str:
    """One that nobody can guess, as the specification recommends."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")
