"""How many POSTs a receiver gets: what it says of its rate limits, and how a backlog is spread.

Discord (developer docs, Rate Limits): per bucket by X-RateLimit-*; Reset-After is always seconds. Retry-After and
retry_after are seconds at /api/v8 and newer, and were milliseconds at older and unversioned addresses. Slack: one
message a second for each incoming webhook.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.models import RateLimit
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.formats.base import Format
from itsjustintv_desktop.engine.delivery.formats.text import decode
from itsjustintv_desktop.engine.delivery.responses import asks_for_another, retry_after

FIRST_WIDTH = 4
"""Attempts under way to a destination of which nothing is known yet."""
LONGEST_WINDOW = 60.0
"""Seconds for which what a receiver said keeps POSTs back; then one is tried."""
SAME_WINDOW = 0.5
"""Seconds by which the end of one window may vary, as responses take longer or shorter."""

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def service(url: str) -> str:
    """Whose limits hold there: the service's name, else the host."""
    known = formats.service(url)
    return formats.host_of(url) if known is None else known.name


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
    said = decode(body) if kind.limits_in_body and later else {}
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


class Pace:
    """How many POSTs may be under way to one address. Times are Unix seconds."""

    def __init__(self, every: float = 0.0) -> None:
        """`every`: seconds between two POSTs, whatever the receiver says."""
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
        """POSTs that may be under way. Each may use up one of those that are left."""
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
        """When there is room again (Unix seconds); 0.0 if there is room now."""
        return self._resets if self.most(now) < 1 else 0.0

    def begin(self, now: float) -> None:
        self.under_way += 1
        if self._every:
            self._left, self._resets = 0, now + self._every

    def end(self, said: RateLimit | None, now: float, *, answered: bool) -> None:
        """A POST ended; `said` is what its response says of the limits."""
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


OVERDUE = 60.0
"""Seconds. A destination whose first delivery should have been sent this long ago has a backlog."""
BURST = 8
"""Deliveries that go out at once."""
MEAN_PAUSE = 0.2
"""Seconds between two after that, on average; each pause is drawn between 0 and twice as much."""
SHORTEST, LONGEST = 20.0, 40.0
"""Seconds after which a destination is let go. Drawn for each, so that not all are let go at the same moment."""


class _Trickle:
    def __init__(self, now: float, dice: Callable[[], float]) -> None:
        self.left = BURST
        self.next_at = now + 2 * MEAN_PAUSE * dice()
        self.until = now + SHORTEST + (LONGEST - SHORTEST) * dice()


class BacklogPacer:
    """After a sleep or a long stop much is due at once: each destination gets it in a trickle with jitter.

    Due times stay as they are, so that nothing has to survive a kill, and it ends after LONGEST seconds at most.
    Asked before each claim. Times are monotonic; `dice` gives floats in [0, 1).
    """

    def __init__(self, clock: Clock, dice: Callable[[], float]) -> None:
        self._clock = clock
        self._dice = dice
        self._trickles: dict[str, _Trickle] = {}

    @property
    def names(self) -> Collection[str]:
        """Destinations that get a trickle now."""
        return self._trickles.keys()

    def begin(self, due: dict[str, float], now: float) -> list[str]:
        """A gap ended at `now`; `due` says when the first delivery of each destination is. Those with a backlog."""
        late = [name for name, at in due.items() if at < now - OVERDUE]
        mono = self._clock.monotonic()
        for name in late:
            self._trickles[name] = _Trickle(mono, self._dice)
        return late

    def limit(self, slots: dict[str, int]) -> float | None:
        """Lower `slots` to what may go now; seconds until more may, None = nothing is held back."""
        if not self._trickles:
            return None
        now = self._clock.monotonic()
        soonest: float | None = None
        for name, trickle in list(self._trickles.items()):
            if now >= trickle.until:
                del self._trickles[name]
                continue
            while trickle.next_at <= now and trickle.left < BURST:
                trickle.left += 1
                trickle.next_at += 2 * MEAN_PAUSE * self._dice()
            slots[name] = min(slots.get(name, FIRST_WIDTH), trickle.left)
            if not trickle.left:
                wait = trickle.next_at - now
                soonest = wait if soonest is None else min(soonest, wait)
        return soonest

    def sent(self, name: str) -> None:
        """One was taken for an attempt."""
        trickle = self._trickles.get(name)
        if trickle is not None:
            # Pauses are not saved up while it was idle.
            if trickle.left == BURST:
                trickle.next_at = self._clock.monotonic() + 2 * MEAN_PAUSE * self._dice()
            trickle.left -= 1
