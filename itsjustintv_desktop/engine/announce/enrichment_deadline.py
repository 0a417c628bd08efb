"""Enriching within a deadline, also where the enricher forgets it or the machine stood still meanwhile."""

from __future__ import annotations

import asyncio

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.models import Enrichment, StreamEvent
from itsjustintv_desktop.engine.core.sources import Enricher, WatchedStreamer

_GRACE = 1.0
"""Seconds that an enricher may be late."""
_STALLED = 1.0
_AFTER_STALL = 3.0
"""A deadline missed by more than _STALLED was missed by the machine, which gets that many seconds once more."""

_log = structlog.get_logger(__name__)


class EnrichmentDeadline:
    """A deadline that passes is no fault: it is said in one line for many events."""

    def __init__(self, clock: Clock) -> None:
        self._noise = LogThrottle(clock)

    async def enrich(
        self, enricher: Enricher, event: StreamEvent, streamer: WatchedStreamer, *, seconds: float
    ) -> Enrichment | None:
        """What can be had within `seconds`; None: nothing. Raises whatever breaks in the enricher."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds + _GRACE
        try:
            async with asyncio.timeout_at(until):
                return await enricher.enrich(event, streamer, timeout=seconds)
        except TimeoutError:
            stalled = loop.time() >= until + _STALLED
        if stalled:  # nobody has looked yet at what was answered in time
            try:
                async with asyncio.timeout(_AFTER_STALL + _GRACE):
                    return await enricher.enrich(event, streamer, timeout=_AFTER_STALL)
            except TimeoutError:
                pass
        if (more := self._noise.due()) is not None:
            left_out = {"more_since_last": more} if more else {}
            _log.warning("details were not there in time; the announcement goes out without them", **left_out)
        return None
