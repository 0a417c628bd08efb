"""The payload of an announcement: keys, order and meaning as docs/payload.md says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.clock import Clock, format_rfc3339
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.models import Enrichment, StreamEvent
from itsjustintv_desktop.engine.core.sources import Enricher, WatchedStreamer
from itsjustintv_desktop.engine.core.tags import fold, language

_log = structlog.get_logger(__name__)

_IMAGE = ("url", "width", "height", "mime_type", "sha256")


def build(event: StreamEvent, streamer: Streamer, enrichment: Enrichment, *, event_id: str) -> dict[str, Any]:
    """Everything a receiver gets but the picture's bytes: `image` holds their `sha256`, and sending fills `data`.

    All keys are always there. Counts, image and the stream's details are None while unknown; `missing` names what
    could not be had. A description set in the config replaces the channel's own.
    """
    login = enrichment.login or event.broadcaster_login or streamer.login
    tags = merge(enrichment.tags or (), streamer.additional_tags)
    missing = [name for name in enrichment.missing if not (name == "description" and streamer.description)]
    started_at = event.started_at if enrichment.started_at is None else enrichment.started_at
    return {
        "streamer_login": login,
        "streamer_name": enrichment.name or event.broadcaster_name or login,
        "streamer_id": event.broadcaster_id or streamer.user_id,
        "url": enrichment.url or f"https://twitch.tv/{login}",
        "view_count": enrichment.view_count,
        "followers_count": enrichment.followers_count,
        "tags": tags,
        "language": language(tags, enrichment.language),
        "description": streamer.description or enrichment.description or "",
        "image": enrichment.image and {key: getattr(enrichment.image, key) for key in _IMAGE},
        "timestamp": format_rfc3339(event.received_at),
        "additional_tags": list(streamer.additional_tags),
        "event": {"id": event_id, "type": event.kind, "message_id": event.message_id},
        "stream": {
            "id": event.stream_id,
            "title": enrichment.title,
            "category_id": enrichment.category_id,
            "category_name": enrichment.category_name,
            "started_at": _moment(started_at),
            "thumbnail_url": enrichment.thumbnail_url,
        },
        "enriched": not missing,
        "missing": missing,
        "test": event.test,
    }


def merge(*groups: Iterable[str]) -> list[str]:
    """All tags in order, each once whatever its case; the first spelling stays."""
    unique: dict[str, str] = {}
    for group in groups:
        for tag in group:
            unique.setdefault(fold(tag), tag)
    unique.pop("", None)
    return list(unique.values())


def _moment(at: float | None) -> str | None:
    """RFC 3339; None for a time beyond the calendar, which must not cost the announcement."""
    try:
        return None if at is None else format_rfc3339(at)
    except (ValueError, OverflowError, OSError):
        return None


_GRACE = 1.0
"""Seconds that an enricher may be late."""
_STALLED = 1.0
_AFTER_STALL = 3.0
"""A deadline missed by more than _STALLED was missed by the machine, which gets that many seconds once more."""


class EnrichmentDeadline:
    """A missed deadline is not a fault: one log line covers many events."""

    def __init__(self, clock: Clock) -> None:
        self._noise = LogThrottle(clock)

    async def enrich(
        self, enricher: Enricher, event: StreamEvent, streamer: WatchedStreamer, *, seconds: float
    ) -> Enrichment | None:
        """What is found within `seconds`; None: nothing. Raises what the enricher raises."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds + _GRACE
        try:
            async with asyncio.timeout_at(until):
                return await enricher.enrich(event, streamer, timeout=seconds)
        except TimeoutError:
            stalled = loop.time() >= until + _STALLED
        if stalled:  # answers that came in time have not been read yet
            try:
                async with asyncio.timeout(_AFTER_STALL + _GRACE):
                    return await enricher.enrich(event, streamer, timeout=_AFTER_STALL)
            except TimeoutError:
                pass
        if (more := self._noise.due()) is not None:
            left_out = {"more_since_last": more} if more else {}
            _log.warning("details were not there in time; the announcement goes out without them", **left_out)
        return None
