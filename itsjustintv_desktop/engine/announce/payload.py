"""The payload of an announcement: keys, order and meaning as docs/payload.md says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.clock import format_rfc3339
from itsjustintv_desktop.engine.core.models import Enrichment, Image, StreamEvent
from itsjustintv_desktop.engine.core.tags import fold, language


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
        "image": _image(enrichment.image),
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
    """A time beyond the calendar is as good as unknown: no reason to lose a stream."""
    try:
        return None if at is None else format_rfc3339(at)
    except (ValueError, OverflowError, OSError):
        return None


def _image(image: Image | None) -> dict[str, Any] | None:
    if image is None:
        return None
    return {
        "url": image.url,
        "width": image.width,
        "height": image.height,
        "mime_type": image.mime_type,
        "sha256": image.sha256,
    }
