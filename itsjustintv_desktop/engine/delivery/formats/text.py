"""What the formats share: one line of text, limits counted as the receivers count, addresses, times."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unicodedata import category as category_of

import msgspec

WIDTH, HEIGHT = 1280, 720
TEST = "This is a test. Nobody went live."

_ELLIPSIS = "…"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Cs", "Mn", "Zs", "Zl", "Zp"})
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as nothing (Hangul fillers, the empty Braille pattern)."""


def encode(value: dict[str, Any]) -> bytes:
    """UTF-8 JSON without spaces. A lone surrogate, which UTF-8 cannot hold, becomes "?"."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def decode(body: bytes) -> dict[str, Any]:
    """The JSON object in a body from outside; {} if there is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def length(text: str) -> int:
    """UTF-16 units: the strictest way in which receivers count characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def one_line(text: Any) -> str:
    """Text from outside as a single line: control and direction characters gone, blanks joined. "" if there is none.

    What shows nothing is none: receivers take it for empty, and refuse a message for it.
    """
    line = " ".join(_CONTROL.sub(" ", text).split()) if isinstance(text, str) else ""
    return line if any(char not in _BLANK and category_of(char) not in _UNSEEN for char in line) else ""


def fit(text: str, limit: int, escape: Callable[[str], str] = str) -> str:
    """`text` with each character escaped, cut with an ellipsis to at most `limit` units, never inside an escape."""
    pieces: list[str] = []
    room = limit
    for char in text:
        piece = escape(char)
        room -= length(piece)
        pieces.append(piece)
        if room < 0:
            break
    else:
        return "".join(pieces)
    while pieces and sum(map(length, pieces)) > limit - length(_ELLIPSIS):
        pieces.pop()
    return "".join(pieces).rstrip() + _ELLIPSIS


def web_address(url: Any, limit: int) -> str | None:
    """`url` if a receiver takes it as an address (http or https, ASCII, within the limit), else None.

    One bad address makes Discord and Slack refuse the whole message, and "|", "<" or ">" would end a Slack link.
    """
    if not isinstance(url, str) or len(url) > limit or not re.fullmatch(r"https?://[!#-;=?-\[\]_a-z~]+", url):
        return None
    return url


def thumbnail(payload: dict[str, Any], limit: int) -> str | None:
    """The stream's picture in 1280x720. The receivers cache by address, so each announcement has one of its own."""
    template = (payload.get("stream") or {}).get("thumbnail_url")
    if not isinstance(template, str):
        return None
    url = template.replace("{width}", str(WIDTH)).replace("{height}", str(HEIGHT))
    moment = when(payload.get("timestamp"))
    if moment is not None:
        url += f"{'&' if '?' in url else '?'}t={int(moment.timestamp())}"
    return web_address(url, limit)


def when(text: Any) -> datetime | None:
    """An RFC 3339 time in UTC; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def started(payload: dict[str, Any]) -> datetime | None:
    """When the stream began, else when the announcement was made."""
    return when((payload.get("stream") or {}).get("started_at")) or when(payload.get("timestamp"))


def streamer(payload: dict[str, Any]) -> str:
    """The name to show; never empty."""
    return one_line(payload.get("streamer_name")) or one_line(payload.get("streamer_login")) or "A channel"


def title(payload: dict[str, Any]) -> str:
    """The stream's title, or a sentence that can stand for it; never empty."""
    return one_line((payload.get("stream") or {}).get("title")) or f"{streamer(payload)} is live"


def category(payload: dict[str, Any]) -> str:
    return one_line((payload.get("stream") or {}).get("category_name"))


def viewers(payload: dict[str, Any]) -> str:
    """With thousands marked; "" when not known, and for the 0 that every stream begins with."""
    count = payload.get("view_count")
    return f"{count:,}" if isinstance(count, int) and count > 0 else ""


def facts(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """What is shown beside the title, each with its label; what is not known is left out."""
    known = (("Category", category(payload)), ("Viewers", viewers(payload)))
    return [(label, value) for label, value in known if value]


def profile_image(payload: dict[str, Any], limit: int) -> str | None:
    return web_address((payload.get("image") or {}).get("url"), limit)
