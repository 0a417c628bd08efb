"""In which parts, and in which spellings, a secret may turn up in a text."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

LEAST = 6
"""Characters that a secret, or a part of one, has at least: shorter ones are found in any text."""
_LEAST_ENCODED = 8
_LONG = 12
_VERY_LONG = 24
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")
_SEPARATORS = re.compile(r"[\s=,;:\"']+")
_BASIC = re.compile(r"\s*basic\s+([\w+/-]+)", re.IGNORECASE)
_NO_SECRETS = frozenset({"bearer", "digest", "sha256", "sha512", "charset"})
"""Pieces of header values that only say how the rest is meant."""


def address_secrets(url: str) -> set[str]:
    """The parts of a webhook's address that give access to it, as they may turn up in an answer."""
    parts = urlsplit(url)
    path_and_query = parts.path + (f"?{parts.query}" if parts.query else "")
    found = {url, path_and_query, parts.path, parts.query}
    found.update(segment for segment in parts.path.split("/") if _is_telling(segment))
    return _long_enough(found | _query_values(parts.query) | _user(parts.username, parts.password))


def address_marks(url: str) -> set[str]:
    """The same for texts of any kind: no word that may just as well be an ordinary one there.

    An empty set for what cannot be taken apart.
    """
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")  # a proxy may have no scheme
    except ValueError:
        return set()
    # Where a part of it is found by itself, the whole need not be looked for: there may be thousands of addresses.
    segments = {segment for segment in parts.path.split("/") if _is_unique(segment)}
    values = _long_enough(_query_values(parts.query))
    found = segments or {parts.path.rstrip("/")}
    return _long_enough(found | (values or {parts.query}) | _user(parts.username, parts.password))


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


def spellings(secret: str) -> set[str]:
    """The ways in which a server, a library or a log may write it: as it is, for URLs, HTML, JSON, and in base64."""
    data = secret.encode("utf-8", "replace")
    encoded = {code(data).decode("ascii").rstrip("=") for code in (base64.b64encode, base64.urlsafe_b64encode)}
    found = {secret, *(each for each in encoded if len(each) >= _LEAST_ENCODED)}
    if _PLAIN.fullmatch(secret):
        return found  # it looks the same everywhere, and a thousand of them are looked at together
    page = html.escape(secret)
    text = json.dumps(secret)[1:-1]
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    return found | {
        quote(data),
        quote(data, safe=""),
        quote_plus(data),
        page,
        # Go's templates.
        page.replace("&quot;", "&#34;").replace("&#x27;", "&#39;").replace("+", "&#43;"),
        text,
        text.replace("/", "\\/"),
        text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        plain,
        plain.replace("/", "\\/"),
    }


def buried(secret: str) -> set[str]:
    """What is seen of it where more than it alone was encoded: hex, and the middle of base64 at each offset."""
    data = secret.encode("utf-8", "replace")
    found = {data.hex()}
    for offset in range(3):
        # The characters that also hold bits of a neighbour are cut off at both ends.
        first, whole = (0, 2, 3)[offset], (offset + len(data)) // 3 * 4
        text = base64.b64encode(bytes(offset) + data).decode("ascii")[first:]
        partial = (offset + len(data)) % 3
        core = text[: whole + (0, 1, 2)[partial] - first]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return {each for each in found if len(each) >= _LEAST_ENCODED}


def _query_values(query: str) -> set[str]:
    return {pair.partition("=")[2] for pair in query.split("&")}


def _user(name: str | None, password: str | None) -> set[str]:
    """Together they are what is sent as `Authorization: Basic`."""
    if not (name or password):
        return set()
    return {name or "", password or "", unquote(f"{name or ''}:{password or ''}")}


def _credentials(encoded: str) -> set[str]:
    """User and password of `Basic` credentials (RFC 7617), together and each."""
    try:
        both = base64.urlsafe_b64decode(encoded.replace("+", "-").replace("/", "_") + "==").decode("utf-8", "replace")
    except binascii.Error:
        return set()
    user, _, password = both.partition(":")
    return {both, user, password}


def _long_enough(values: set[str]) -> set[str]:
    return {value for value in values | {unquote_plus(value) for value in values} if len(value) >= LEAST}


def _is_telling(segment: str) -> bool:
    """Words like "webhooks" are no secret; ids and tokens are long or hold a digit."""
    return len(segment) >= _LONG or any(char.isdigit() for char in segment)


def _is_unique(segment: str) -> bool:
    """Whether it can hardly be a word of a log line."""
    return len(segment) >= _VERY_LONG or (len(segment) >= _LONG and any(char.isdigit() for char in segment))
