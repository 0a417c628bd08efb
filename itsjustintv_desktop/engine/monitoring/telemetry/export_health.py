"""Says when the collector does not take what is sent: one sentence at once, then one now and then, none a batch."""

from __future__ import annotations

from threading import Lock

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle

EVERY = 600.0
"""Seconds between two sentences while it goes on."""

_log = structlog.get_logger(__name__)


class ExportHealth:
    """Called from the exporters' threads. `reason` is what to show now; empty while all is well."""

    def __init__(self, clock: Clock) -> None:
        self._lock = Lock()
        self._throttle = LogThrottle(clock, EVERY)
        self._failing: dict[str, str] = {}
        self._said = False

    @property
    def reason(self) -> str:
        with self._lock:
            return next(iter(self._failing.values()), "")

    def failed(self, signal: str, status: int | None = None) -> None:
        """An export came to nothing; `status` is the collector's answer over HTTP, where there was one."""
        text = _sentence(status)
        with self._lock:
            self._failing[signal] = text
            due = self._throttle.due() is not None
            self._said = self._said or due
        if due:
            _log.warning("telemetry does not arrive", reason=text)

    def worked(self, signal: str) -> None:
        with self._lock:
            if not self._failing:
                return
            self._failing.pop(signal, None)
            heal = not self._failing and self._said
            self._said = self._said and not heal
        if heal:
            _log.info("telemetry arrives again")


def _sentence(status: int | None) -> str:
    """Never the address (it may hold a key), never a header."""
    if status is None:
        return (
            "The collector at [telemetry] endpoint does not answer. Is it running, and does it speak this protocol? "
            "What is measured meanwhile is dropped; announcements are not affected."
        )
    if status in {401, 403}:
        return f"The collector at [telemetry] endpoint refuses us ({status}). Check [telemetry] headers."
    return f"The collector at [telemetry] endpoint answers {status}. Check the endpoint and the collector's log."
