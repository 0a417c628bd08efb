"""When the next try may be: a ladder while trying fails, and what the authority itself demands.

The steps are those of Caddy and certbot in spirit: quick at first, never more than one a minute, then rarely, since
every try that fails counts against the authority's limits.
"""

from __future__ import annotations

import random

from itsjustintv_desktop.engine.core.clock import Clock

_LADDER = (60.0, 600.0, 3600.0, 21600.0, 86400.0)
_URGENT = 3600.0
"""The longest step while there is no good certificate, or one with less than a tenth of its life left."""
_HERE = 600.0
"""The longest step while the trouble is on this machine, where trying costs nobody anything."""
_JITTER = 0.2
_LEAST = 60.0

_AT_HOME = frozenset({"disk", "http_port", "not_serving"})
_PROVING = frozenset({"wrong_dns", "port_closed", "refused"})
_REHEARSE_AFTER = 2


class Retries:
    """Counts what failed in a row and says how long to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._unproven = 0
        self._due = clock.monotonic()
        self._last = clock.monotonic() - _LEAST
        self._demanded = clock.monotonic()
        """Until then the authority wants to hear nothing of us, whoever asks."""

    @property
    def wait(self) -> float:
        """Seconds until the next try; 0 = now."""
        return max(0.0, self._due - self._clock.monotonic())

    @property
    def rehearse(self) -> bool:
        """The authority refused us twice or more: try where it costs nothing first."""
        return self._unproven >= _REHEARSE_AFTER

    def began(self) -> None:
        """A try begins."""
        self._last = self._clock.monotonic()

    def succeeded(self, *, quiet: float = 0.0) -> None:
        """All went well; not again within `quiet` seconds, whatever a wrong clock makes of the certificate."""
        self._failures = self._unproven = 0
        self._due = self._clock.monotonic() + quiet

    def failed(self, code: str, *, urgent: bool, retry_after: float | None) -> float:
        """Note a failure of this named state; gives the seconds until the next try."""
        step = _LADDER[min(self._failures, len(_LADDER) - 1)]
        self._failures += 1
        self._unproven += code in _PROVING
        if urgent:
            step = min(step, _URGENT)
        if code in _AT_HOME:
            step = min(step, _HERE)
        step *= 1 + random.uniform(-_JITTER, _JITTER)
        now = self._clock.monotonic()
        if retry_after is not None:
            self._demanded = now + retry_after
        self._due = max(now + step, self._demanded)
        return self.wait

    def hurry(self, *, changed: bool) -> None:
        """Somebody asks, or the config changed: try soon, but never against the authority's word."""
        if changed:
            self._failures = self._unproven = 0
        soon = self._clock.monotonic() if changed else self._last + _LEAST
        self._due = max(min(self._due, soon), self._demanded)
