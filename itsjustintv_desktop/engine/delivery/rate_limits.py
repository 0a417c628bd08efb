"""What a receiver says of its rate limits, and how many POSTs it takes before it would reject one.

Discord (developer docs, Rate Limits): per bucket by X-RateLimit-*; Reset-After is always seconds. Retry-After and
retry_after are seconds at /api/v8 and newer, and were milliseconds at older and unversioned addresses. Slack: one
message a second for each incoming webhook.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from itsjustintv_desktop.engine.core.models import RateLimit
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats.base import Format
from itsjustintv_desktop.engine.delivery.responses import asks_for_another, retry_after

LONGEST_WINDOW = 60.0
"""Seconds for which what a receiver said keeps POSTs back; then one is tried."""
SAME_WINDOW = 0.5
"""Seconds by which the end of one window may vary, as responses take longer or shorter."""

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def service(url: str) -> str:
    """Whose limits hold there: the service's name, else the host."""
    if (known := formats.service(url)) is not None:
        return known.name
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return ""


def versioned(url: str) -> str:
    """The address to call for `url`."""
    known = formats.service(url)
    return url if known is None else known.call_address(url)


def one_for_all(url: str) -> str:
    """The same for all addresses of one webhook: a thread or another version of the API has no limits of its own."""
    address, known = versioned(url).partition("?")[0], formats.service(url)
    return address if known is None else f"{known.name} {urlsplit(address).path}"


def read(
    status: int, headers: Mapping[str, str], body: bytes, kind: Format, url: str, *, now: float
) -> RateLimit | None:
    """What this response says, None if nothing. `url`: as it was called."""
    later = asks_for_another(status)  # one that is refused says nothing of when another message would be taken
    said = _json(body) if kind.limits_in_body and later else {}
    scope = headers.get("X-RateLimit-Scope", "").strip().lower()
    everywhere = (
        scope == "global"
        or headers.get("X-RateLimit-Global", "").strip().lower() == "true"
        or said.get("global") is True
    )
    remaining = _number(headers.get("X-RateLimit-Remaining"))
    reset_after = _number(headers.get("X-RateLimit-Reset-After"))
    wait = None
    if later:
        wait = _asked(headers, said, kind, url, now)
        # The bucket is what ran out, unless another limit is named, or the bucket has room.
        if reset_after is not None and not everywhere and scope != "shared" and not remaining:
            wait = reset_after
    if wait is None and (remaining is None or reset_after is None):
        return None
    limit = _number(headers.get("X-RateLimit-Limit"))
    return RateLimit(
        wait=wait,
        everywhere=everywhere,
        bucket=headers.get("X-RateLimit-Bucket", ""),
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None or reset_after is None else int(remaining),
        reset_after=reset_after or 0.0,
    )


def _asked(headers: Mapping[str, str], said: Mapping[str, Any], kind: Format, url: str, now: float) -> float | None:
    """Seconds that Retry-After or retry_after ask for."""
    in_body = said.get("retry_after")
    if isinstance(in_body, bool) or not isinstance(in_body, int | float) or not 0 <= in_body < 1e12:
        in_body = None
    header = headers.get("Retry-After")
    in_header = None if header is None else retry_after(header, now)
    if kind.in_milliseconds(url):
        # Seconds have decimals there, milliseconds have not. A wrong guess comes back early, and ever later then.
        if isinstance(in_body, int) and in_body >= 100:
            return in_body / 1000
        if in_body is None and in_header is not None and in_header >= 1000 and (header or "").strip().isdecimal():
            return in_header / 1000
    return in_header if in_body is None else float(in_body)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text := text.strip()) else None


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


class Pace:
    """How many POSTs may be under way to one address. Times are Unix seconds."""

    def __init__(self, every: float = 0.0) -> None:
        """`every`: so many seconds lie between two POSTs, whatever the receiver says."""
        self.under_way = 0
        self._every = every
        self._limit: int | None = None
        self._left: int | None = None
        self._resets = 0.0
        self._bucket = ""

    @property
    def limited(self) -> bool:
        """Whether anything is known of limits here."""
        return self._left is not None or self._every > 0

    def most(self, now: float) -> float:
        """So many at most. Each under way may use up one of those that are left."""
        self._resets = min(self._resets, now + LONGEST_WINDOW)  # what asks for longer, and a clock set back
        if now < self._resets and self._left is not None:
            return self._left
        if self._every:
            return 1
        if self._left is None:
            return math.inf
        return self._limit or 1  # a new window; the first response in it says more

    def room(self, now: float) -> float:
        """How many more may begin now."""
        return max(0, self.most(now) - self.under_way)

    def forget(self) -> None:
        """Let the next one try, whatever was said before."""
        self._left, self._resets = None, 0.0

    def opens(self, now: float) -> float:
        """When there is room again, if there is none."""
        return self._resets if self.most(now) < 1 else 0.0

    def begin(self, now: float) -> None:
        self.under_way += 1
        if self._every:
            self._left, self._resets = 0, now + self._every

    def end(self, said: RateLimit | None, now: float, *, answered: bool) -> None:
        """A POST ended; `said` is what its response tells of the limits."""
        self.under_way -= 1
        in_window = now < self._resets
        if said is not None and said.remaining is not None:
            resets = now + said.reset_after
            same = in_window and said.bucket == self._bucket and resets <= self._resets + SAME_WINDOW
            self._left = said.remaining if not same or self._left is None else min(self._left, said.remaining)
            self._resets = max(resets, self._resets) if same else resets
            self._limit, self._bucket = said.limit, said.bucket
        elif answered and not in_window and (said is None or said.wait is None):
            self._left = None  # it takes them without saying anything
        elif self._left and not answered:
            self._left -= 1
        if said is not None and said.wait is not None:
            self._left, self._resets = 0, max(self._resets if in_window else 0.0, now + said.wait)
        self.most(now)
