"""The part of an answer that is kept and shown: bounded, printable, and free of what must not be shown.

Servers like to echo: an error page names the path asked for, which for Discord and Slack is the whole secret, or the
headers that came with it, in whatever spelling the page needs.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

from itsjustintv_desktop.engine.redaction import HIDDEN
from itsjustintv_desktop.engine.redaction.spellings import LEAST, buried, spellings

LIMIT = 16 * 1024
"""Bytes of an answer that are read."""

SHORT = 200
"""Characters of it that an error quotes."""
_LONGEST = 4096
"""What is longer, and no page, is not the word of an API on what it did not like."""

_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|\?xml|[a-z][a-z0-9]{0,9}[\s>])", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]+)</title", re.IGNORECASE)
_UNREAD = re.compile(r"<(script|style)\b.*?(</\1[^>]*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>?")
_TELLING = 3
_KEPT = "\n\t"
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(data: bytes, *, truncated: bool, secrets: Iterable[str]) -> str:
    """`data` as text: undecodable bytes replaced, control and direction characters dropped, `secrets` hidden.

    Secrets are found as they are and as URLs, HTML, JSON, hex and base64 spell them. With `truncated`, the beginning
    of a secret at the very end is hidden as well.
    """
    if not data:
        return ""
    text = _printable(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    spelled = {_printable(spelling) for secret in set(secrets) for spelling in spellings(secret) | buried(secret)}
    needles = [each for each in spelled if len(each) >= LEAST]
    folded = text.casefold()
    # Looking for each is fast; a pattern of hundreds is not. Longest first, so that a whole address goes before a
    # part of it.
    found = sorted((each for each in needles if each.casefold() in folded), key=len, reverse=True)
    if found:
        text = re.sub("|".join(map(re.escape, found)), HIDDEN, text, flags=re.IGNORECASE)
    return _without_beginning_at_the_end(text, needles) if truncated and needles else text


def quoted(sentence: str | None, answer: str, secrets: Iterable[str]) -> str | None:
    """`sentence` with the beginning of what was answered, on one line: an API says there what it did not like.

    `answer` comes from `clean`. Of a page for browsers it is the title, or what a person would read of it; `secrets`
    are looked for in that once more, since a page may spell them in many ways.
    """
    if _MARKUP.match(answer):
        title = _TITLE.search(answer)
        answer = html.unescape(_TAG.sub(" ", title[1] if title else _UNREAD.sub(" ", answer)))
        answer = clean(answer.encode("utf-8", "replace"), truncated=False, secrets=secrets)
    elif len(answer) > _LONGEST:
        return sentence
    line = " ".join(answer.split())
    if sentence is None or not line:
        return sentence
    return f"{sentence} (it wrote: {line if len(line) <= SHORT else f'{line[: SHORT - 1]}…'})"


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
            return text[:start] + HIDDEN
    return text
