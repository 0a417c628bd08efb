"""What Twitch lets us ask: its rate limit as its answers tell it, and endpoints that refuse us."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import AppError, EndpointGivenUpError, TwitchRateLimitedError

_log = structlog.get_logger(__name__)

_AMPLE = 0.5
_SHORTEST = 1.0
"""Seconds to wait when the reset seems past already: the skew is known to about half a second only."""
_WINDOW = 60.0
"""Seconds until Twitch's bucket is full again (800 points a minute)."""
_LONGEST = 10 * _WINDOW
"""A reset further ahead is absurd, or our clock was set back since: nothing may wait for that."""
_PAUSES = Backoff(_WINDOW, _LONGEST)


class RateBudget(msgspec.Struct):
    """The `Ratelimit-*` headers of the latest answer. None = not known yet.

    Source: Twitch documentation, "Twitch rate limits". `reset_at` is our wall clock, Unix seconds.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: float | None = None
    unexplained: int = 0
    """429s in a row that did not say for how long."""

    def learn(self, headers: Mapping[str, str], skew: float) -> None:
        """Take what an answer says; `skew` is Twitch's time minus ours."""
        self.limit = _number(headers.get("Ratelimit-Limit"), self.limit)
        self.remaining = _number(headers.get("Ratelimit-Remaining"), self.remaining)
        reset = _number(headers.get("Ratelimit-Reset"), None)
        if reset is not None:
            self.reset_at = reset - skew

    def limited(self, headers: Mapping[str, str], now: float) -> TwitchRateLimitedError:
        """What to raise after a 429 with these headers, which `learn` has seen.

        Without a reset time nothing is sent for a window, and twice as long each time it comes again.
        """
        if _number(headers.get("Ratelimit-Reset"), None) is None:
            self.unexplained += 1
            pause = _PAUSES.after(self.unexplained)
            self.remaining, self.reset_at = 0, now + (_number(headers.get("Retry-After"), None) or pause)
        return self.exhausted(now)

    def ample(self, now: float) -> bool:
        """Whether calls that could also wait may be made: at least half of the points are left."""
        if self.remaining is None or not self._lasts(now):
            return True
        if self.limit is None:
            return self.remaining > 0
        return self.remaining >= self.limit * _AMPLE

    def check(self, now: float) -> None:
        """Raises TwitchRateLimitedError while nothing is left."""
        if self.remaining == 0 and self._lasts(now):
            raise self.exhausted(now)

    def _lasts(self, now: float) -> bool:
        """Whether `remaining` still holds: the bucket was not refilled since."""
        return self.reset_at is not None and now < self.reset_at <= now + _LONGEST

    def exhausted(self, now: float) -> TwitchRateLimitedError:
        """What to raise after a 429: until the reset, or for a whole window if that is missing or absurd."""
        retry_at = now + _WINDOW
        if self.reset_at is not None and self.reset_at <= now + _LONGEST:
            retry_at = max(self.reset_at, now + _SHORTEST)
        return TwitchRateLimitedError(
            f"Twitch's rate limit is used up for {retry_at - now:.0f} seconds. It is tried again by itself.",
            retry_at=retry_at,
        )


class HelixStatus(msgspec.Struct, frozen=True):
    """How the API fared, for health. `ok` None = not called yet; `since` = when `ok` became so, Unix seconds.

    `error` is why it fails now, None while it answers.
    """

    ok: bool | None = None
    since: float = 0.0
    error: AppError | None = None
    last_ok_at: float | None = None

    @property
    def last_error(self) -> str | None:
        return self.error.message if self.error is not None else None


def _number(text: str | None, default: int | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return default
    return int(text)


GIVEN_UP_FOR = 86400.0
"""Seconds that an endpoint is not asked after it refused: a missing scope stays missing."""
RESTS_FOR = 600.0
"""Seconds that one is not asked after errors or limits of its own (5xx, a 429 without a time), doubled
each time up to a day."""
_RESTS = Backoff(RESTS_FOR, GIVEN_UP_FOR)
_AT_ONCE = frozenset({401, 403, 410, 429})
_ENOUGH = 3
"""Answers in a row of another kind (404, 5xx) that mean the endpoint and not one channel or moment."""


class _Endpoint(msgspec.Struct):
    failures: int = 0
    rests: int = 0
    """How often it was given up since it last worked."""
    until: float = float("-inf")
    """Monotonic: not asked before."""
    reason: str = ""
    mistrusted: str = ""
    """The token that it refused though it was new: another new one would be no use."""


class Endpoints:
    """Keyed by "GET /users". Only those whose answers can be done without are ever given up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, _Endpoint] = {}
        self._client_id = ""

    def is_given_up(self, endpoint: str) -> bool:
        """Whether asking would be refused right here."""
        known = self._known.get(endpoint)
        return known is not None and self._clock.monotonic() < known.until

    def check(self, endpoint: str, client_id: str) -> None:
        """Raises EndpointGivenUpError. Another client id may have what the one before lacked."""
        if client_id != self._client_id:
            self._known.clear()
            self._client_id = client_id
        if self.is_given_up(endpoint):
            raise EndpointGivenUpError(self._known[endpoint].reason)

    def worked(self, endpoint: str) -> None:
        self._known.pop(endpoint, None)

    def refused(self, endpoint: str, status: int, reason: str) -> None:
        """One that can be done without answered so. `reason` is a sentence for the log."""
        known = self._known.setdefault(endpoint, _Endpoint())
        known.failures += 1
        known.reason = reason
        passes = status == 429 or status >= 500
        if status in _AT_ONCE or (known.failures >= _ENOUGH and (status == 404 or passes)):
            known.rests += 1
            rest = _RESTS.after(known.rests) if passes else GIVEN_UP_FOR
            known.until = self._clock.monotonic() + rest
            known.failures = 0
            if known.rests == 1:  # what goes on is noted once
                text = "an endpoint of Twitch's is not asked for a while"
                _log.warning(text, endpoint=endpoint, reason=reason, minutes=round(rest / 60))

    def mistrusts(self, endpoint: str, token: str) -> None:
        """It answered 401 to a token made a moment ago."""
        self._known.setdefault(endpoint, _Endpoint()).mistrusted = token

    def wants_another(self, endpoint: str, token: str) -> bool:
        """Whether a new token may be what a 401 there asks for."""
        known = self._known.get(endpoint)
        return known is None or known.mistrusted != token
