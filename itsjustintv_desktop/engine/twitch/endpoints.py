"""What single endpoints of Twitch's refuse, apart from the token: that concerns them and nothing else."""

from __future__ import annotations

import msgspec
import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import EndpointGivenUpError

GIVEN_UP_FOR = 86400.0
"""Seconds that an endpoint is not asked after it refused: a missing scope does not come by itself."""
RESTS_FOR = 600.0
"""Seconds that one is not asked that answers with errors or limits of its own (5xx, a 429 that names no time), doubled
each time up to a day."""
_RESTS = Backoff(RESTS_FOR, GIVEN_UP_FOR)
_AT_ONCE = frozenset({401, 403, 410, 429})
_ENOUGH = 3
"""Answers in a row of another kind (404, 5xx) that mean the endpoint and not one channel or moment."""

_log = structlog.get_logger(__name__)


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
