"""What an answer means: delivered, try again, given up, or gone.

2xx delivered; 408, 425, 429, 5xx try again; 410 the destination is gone; redirects and all other 4xx are final.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from http import HTTPStatus

import msgspec

from itsjustintv_desktop.engine.models import Outcome

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRY = frozenset({408, 425, 429})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`error` is a sentence, None when delivered. `retry_after`: seconds from now, unclamped."""

    outcome: Outcome
    error: str | None = None
    retry_after: float | None = None


def judge(status: int, headers: Mapping[str, str], *, now: float) -> Verdict:
    """What to do after this answer. `headers` must look names up regardless of case; `now`: Unix seconds."""
    if 200 <= status < 300:
        return Verdict(outcome=Outcome.DELIVERED)
    shown = _status(status)
    if status == HTTPStatus.GONE:
        return Verdict(outcome=Outcome.GONE, error=f"answered {shown}: this webhook no longer exists there")
    # RFC 9110 15: an invalid status code is to be treated like a 5xx.
    if status in _RETRY or status >= 500 or status < 100:
        after = headers.get("Retry-After")
        return Verdict(
            outcome=Outcome.RETRY,
            error=f"answered {shown}",
            retry_after=None if after is None else retry_after(after, now),
        )
    if status in _REDIRECTS:
        # Where to is not said: the path of a webhook is a secret, the one redirected to as well.
        sentence = f"answered with a redirect ({status}) to another address; put the final address into the config"
    elif status < 400:
        sentence = f"answered {shown}, which is no answer to a webhook; check the address"
    else:
        sentence = f"refused with {shown}; trying again would not help"
    return Verdict(outcome=Outcome.DEAD, error=sentence)


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
