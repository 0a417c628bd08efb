"""What a response means: delivered, try again, a few more attempts, given up, or gone.

2xx delivered; 408, 425, 429, 5xx try again; 410 the destination is gone; other 4xx may pass (a gateway that restarts
answers 404), unless the receiver's format says that they will not; redirects are final.
"""

from __future__ import annotations

import re
from email.utils import mktime_tz, parsedate_tz
from http import HTTPStatus

import msgspec

from itsjustintv_desktop.engine.core.models import Outcome
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats.base import Format

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRY = frozenset({408, 425, 429})
_LOST = frozenset({502, 504, 520, 524})
"""A gateway says that the service behind it got the request and did not answer, or closed (502, as nginx has it). 520
and 524 are Cloudflare's."""


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

    `kind`: what the receiver understands; it tells what is final. `service`: the one that the address belongs to.
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
        # Where to is not said: the path of a webhook is a secret, the one redirected to as well.
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
