"""The part of an answer that is kept and shown: bounded, printable, and free of what must not be shown.

Servers like to echo: an error page names the path asked for, which for Discord and Slack is the whole secret, or the
headers that came with it, in whatever spelling the page needs.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

LIMIT = 16 * 1024
"""Bytes of an answer that are read."""

_HIDDEN = "[hidden]"
_LEAST = 6
_LEAST_ENCODED = 8
_LONG = 12
_TELLING = 3
_KEPT = "\n\t"
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SEPARATORS = re.compile(r"[\s=,;:\"']+")
_BASIC = re.compile(r"\s*basic\s+([\w+/-]+)", re.IGNORECASE)
_NO_SECRETS = frozenset({"bearer", "digest", "sha256", "sha512", "charset"})
"""Pieces of header values that only say how the rest is meant."""


def clean(data: bytes, *, truncated: bool, secrets: Iterable[str]) -> str:
    """`data` as text: undecodable bytes replaced, control and direction characters dropped, `secrets` hidden.

    Secrets are found as they are and as URLs, HTML, JSON and base64 spell them. With `truncated`, the beginning of a
    secret at the very end is hidden as well.
    """
    if not data:
        return ""
    text = _printable(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    spelled = {_printable(spelling) for secret in set(secrets) for spelling in _spellings(secret)}
    needles = [each for each in spelled if len(each) >= _LEAST]
    folded = text.casefold()
    # Looking for each is fast; a pattern of hundreds is not. Longest first, so that a whole address goes before a
    # part of it.
    found = sorted((each for each in needles if each.casefold() in folded), key=len, reverse=True)
    if found:
        text = re.sub("|".join(map(re.escape, found)), _HIDDEN, text, flags=re.IGNORECASE)
    return _without_beginning_at_the_end(text, needles) if truncated and needles else text


def address_secrets(url: str) -> set[str]:
    """The parts of a webhook's address that give access to it, as they may turn up in an answer."""
    parts = urlsplit(url)
    path_and_query = parts.path + (f"?{parts.query}" if parts.query else "")
    found = {url, path_and_query, parts.path, parts.query}
    found.update(segment for segment in parts.path.split("/") if _is_telling(segment))
    found.update(pair.partition("=")[2] for pair in parts.query.split("&"))
    if parts.username or parts.password:
        user, password = parts.username or "", parts.password or ""
        # Together they are what is sent as `Authorization: Basic`.
        found.update((user, password, unquote(f"{user}:{password}")))
    return _long_enough(found)


def worth_hiding(values: Iterable[str]) -> set[str]:
    """What of secrets, signatures and header values is long enough to be a secret.

    Each whole, its pieces, and what `Basic` credentials hold; all also without percent-encoding.
    """
    found: set[str] = set()
    for value in values:
        pieces = _SEPARATORS.split(value)
        found.add(value)
        # base64 may end in "=", which is also a separator.
        pieces += re.split(r"[\s,;]+", value)
        found.update(piece for piece in pieces if piece.casefold() not in _NO_SECRETS)
        if basic := _BASIC.match(value):
            found.update(_credentials(basic[1]))
    return _long_enough(found)


def _credentials(encoded: str) -> set[str]:
    """User and password of `Basic` credentials (RFC 7617), together and each."""
    try:
        both = base64.urlsafe_b64decode(encoded.replace("+", "-").replace("/", "_") + "==").decode("utf-8", "replace")
    except binascii.Error:
        return set()
    user, _, password = both.partition(":")
    return {both, user, password}


def _spellings(secret: str) -> set[str]:
    """The ways in which a server may write it into a page."""
    page = html.escape(secret)
    text = json.dumps(secret)[1:-1]
    data = secret.encode("utf-8", "replace")
    encoded = {code(data).decode("ascii").rstrip("=") for code in (base64.b64encode, base64.urlsafe_b64encode)}
    return {
        secret,
        quote(data),
        quote(data, safe=""),
        quote_plus(data),
        page,
        # Go's templates.
        page.replace("&quot;", "&#34;").replace("&#x27;", "&#39;").replace("+", "&#43;"),
        text,
        text.replace("/", "\\/"),
        text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1].replace("/", "\\/"),
        *(each for each in encoded if len(each) >= _LEAST_ENCODED),
    }


def _long_enough(values: set[str]) -> set[str]:
    return {value for value in values | {unquote_plus(value) for value in values} if len(value) >= _LEAST}


def _is_telling(segment: str) -> bool:
    """Words like "webhooks" are no secret; ids and tokens are long or hold a digit."""
    return len(segment) >= _LONG or any(char.isdigit() for char in segment)


def _printable(text: str) -> str:
    return "".join(char for char in text if char in _KEPT or unicodedata.category(char) not in _DROPPED)


def _without_beginning_at_the_end(text: str, needles: Iterable[str]) -> str:
    folded = [needle.casefold() for needle in needles]
    heads = {needle[:_TELLING] for needle in folded}
    for start in range(max(0, len(text) - max(map(len, folded))), len(text) - _TELLING + 1):
        if text[start : start + _TELLING].casefold()[:_TELLING] not in heads:
            continue
        rest = text[start:].casefold()
        if any(needle.startswith(rest) for needle in folded):
            return text[:start] + _HIDDEN
    return text
