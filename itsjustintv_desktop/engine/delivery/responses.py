"""What a response means (delivered, try again, a few more attempts, given up, gone), and the part of it that is kept.

2xx delivered; 408, 425, 429, 5xx try again; 410 the destination is gone; other 4xx may pass (a gateway that restarts
answers 404), unless the receiver's format says that they will not; redirects are final.

What is kept is bounded, printable, and free of what must not be shown: servers like to echo the path asked for, which
for Discord and Slack is the whole secret, or the headers that came with it, in whatever spelling the page needs.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from email.utils import mktime_tz, parsedate_tz
from http import HTTPStatus

import msgspec

from itsjustintv_desktop.engine.core.models import Outcome
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats.base import Format
from itsjustintv_desktop.engine.redaction import HIDDEN
from itsjustintv_desktop.engine.redaction.spellings import LEAST, buried, spellings

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRY = frozenset({408, 425, 429})
_LOST = frozenset({502, 504, 520, 524})
"""A gateway says that the service behind it got the request and did not answer, or closed (502, as nginx has it). 520
and 524 are Cloudflare's."""
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


class Classification(msgspec.Struct, frozen=True, kw_only=True):
    """`error` is a sentence, None when delivered.

    `lost`: a gateway answered, and the service may have taken the request.
    """

    outcome: Outcome
    error: str | None = None
    lost: bool = False


def classify(
    status: int, body: bytes = b"", kind: Format = formats.DEFAULT, service: Format | None = None
) -> Classification:
    """What to do after this response.

    `kind`: what the receiver understands; it decides what is final. `service`: the one that the address belongs to.
    """
    if 200 <= status < 300:
        return Classification(outcome=Outcome.DELIVERED)
    shown = _status(status)
    if status == HTTPStatus.GONE:
        return Classification(outcome=Outcome.GONE, error=f"answered {shown}: this webhook no longer exists there")
    if asks_for_another(status):
        lost = status in _LOST and (service is None or status not in service.not_taken)
        return Classification(outcome=Outcome.RETRY, error=f"answered {shown}", lost=lost)
    if refused(status) and not kind.is_final(body):
        return Classification(outcome=Outcome.REFUSED, error=f"refused with {shown}")
    if status in _REDIRECTS:
        # The location is not shown: the path of a webhook is a secret, also the one redirected to.
        sentence = f"answered with a redirect ({status}) to another address; put the final address into the config"
    elif status < 400:
        sentence = f"answered {shown}, which is no answer to a webhook; check the address"
    else:
        sentence = f"refused with {shown}; trying again would not help"
    return Classification(outcome=Outcome.DEAD, error=sentence)


def asks_for_another(status: int) -> bool:
    """Whether another attempt may be taken. An invalid status code is to be treated like a 5xx (RFC 9110 15)."""
    return status in _RETRY or status >= 500 or status < 100


def refused(status: int | None) -> bool:
    """A 4xx that does not ask for another attempt, and does not say that the webhook is gone."""
    return status is not None and 400 <= status < 500 and status not in _RETRY and status != HTTPStatus.GONE


def retry_after(value: str, now: float) -> float | None:
    """Seconds from `now` (Unix seconds) that a Retry-After header asks for; None if it says nothing usable.

    RFC 9110 10.2.3: delta-seconds or an HTTP-date in any of its three forms (5.6.7, always GMT). Decimals are
    taken too, since Discord sends them. A date in the past is 0. Huge numbers are left to the schedule's clamp.
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    if len(value) > 64:
        return None
    try:
        parsed = parsedate_tz(value)
        return None if parsed is None else max(0.0, mktime_tz(parsed) - now)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _status(status: int) -> str:
    """The number with the standard's own phrase; the server's phrase could hold anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


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
