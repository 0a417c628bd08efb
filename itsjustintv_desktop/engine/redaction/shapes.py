"""What looks like a secret, whether known or not. Costs a few substring searches where nothing does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

HIDDEN: Final = "[hidden]"
_I = re.IGNORECASE

_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]{1,15}://)([^\s/?#\"'<>\\]*)([^\s?#\"'<>\\]*)([?#][^\s\"'<>\\]*)?", _I)
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z0-9-]*(?:token|key|secret|signature)[a-z0-9-]*|"
    r"[a-z0-9-]+-signature)"
    r"(\\?[\"']?\s*[:=]\s*(?:b?\\?[\"'])?|\\?[\"'],\s*b?\\?[\"'])([^\"'\r\n,;{}()\[\]\\]{2,})",
    _I,
)
_VALUE = re.compile(
    r"(\b\w*(?:secret|password|passwd|passphrase|token|api[_-]?key))"
    r"(\\?[\"']?\s*=\s*(?:b?\\?[\"'])?|\\?[\"']\s*:\s*b?\\?[\"']|:(?=\S))([^\s\"',;&<>{}()\[\]\\]{6,})",
    _I,
)
_CREDENTIAL = re.compile(r"\b(bearer\s+|oauth:?\s*|basic\s+)((?=[^\s\"',;]*\d)[\w.~+/=-]{8,}|[\w.~+/=-]{20,})", _I)
_JWK = re.compile(r"(\\?[\"'](?:d|p|q|dp|dq|qi|k)\\?[\"']\s*:\s*\\?[\"'])([\w-]{16,})")

_Replace = str | Callable[[re.Match[str]], str]


def _address(found: re.Match[str]) -> str:
    """Scheme, host and path stay; who asks, and what he asks with, do not."""
    scheme, host, path, rest = found.groups()
    if "@" in host:
        host = f"{HIDDEN}@{host.rpartition('@')[2]}"
    return f"{scheme}{host}{path}{rest[0] + HIDDEN if rest and len(rest) > 1 else rest or ''}"


_SHAPES: Final[tuple[tuple[tuple[str, ...], re.Pattern[str], _Replace], ...]] = (
    (
        ("-----begin",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        f"{HIDDEN} (a private key)",
    ),
    (('kty"', "kty'", "kty\\"), _JWK, rf"\1{HIDDEN}"),
    (("://",), _ADDRESS, _address),
    # Discord and what is compatible with it; Slack's incoming webhooks, workflows and triggers; Telegram's bots.
    (("/webhooks/",), re.compile(r"(/api(?:/v\d+)?/webhooks/)[^\s?#\"'<>\\]+", _I), rf"\1{HIDDEN}"),
    (
        ("/services/", "/workflows/", "/triggers/"),
        re.compile(r"(/(?:services|workflows|triggers)/)[TE][A-Z0-9]{5,}/[^\s?#\"'<>\\]+", _I),
        rf"\1{HIDDEN}",
    ),
    (("/bot",), re.compile(r"(/bot)\d{4,}:[\w-]{10,}", _I), rf"\1{HIDDEN}"),
    (("authorization", "cookie", "x-", "-signature"), _HEADER, rf"\1\2{HIDDEN}"),
    (("secret", "passw", "passphrase", "token", "key"), _VALUE, rf"\1\2{HIDDEN}"),
    (("bearer", "oauth", "basic"), _CREDENTIAL, rf"\1{HIDDEN}"),
    (("sha",), re.compile(r"\b(sha(?:1|256|384|512)=)[0-9a-f]{32,}", _I), rf"\1{HIDDEN}"),
    (("v1,", "v1a,"), re.compile(r"\b(v1a?,)[A-Za-z0-9+/=_-]{20,}"), rf"\1{HIDDEN}"),
    (("whsec_",), re.compile(r"\b(whsec_)[A-Za-z0-9+/=_-]{8,}"), rf"\1{HIDDEN}"),
    (("eyj",), re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"), HIDDEN),
    (("_",), re.compile(r"\b[A-Za-z0-9]{20,}_[A-Za-z0-9]{15,}\b"), HIDDEN),  # ngrok's tokens
)


def mask(text: str) -> str:
    """`text` without what looks like a credential: addresses' queries and user names, tokens, signatures, keys."""
    low = text.lower()
    for hints, pattern, instead in _SHAPES:
        for hint in hints:
            if hint in low:
                text = pattern.sub(instead, text)
                break
    return text
