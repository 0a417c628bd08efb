"""What was found out about a stream so far, and what it comes to for the payload. No waiting here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from itsjustintv_desktop.engine.core.models import Enrichment, Image, StreamEvent
from itsjustintv_desktop.engine.core.sources import WatchedStreamer
from itsjustintv_desktop.engine.twitch.helix import ChannelInfo, Stream
from itsjustintv_desktop.engine.twitch.language import from_tags
from itsjustintv_desktop.engine.twitch.profiles import Profile
from itsjustintv_desktop.engine.twitch.timestamps import parse_rfc3339

T = TypeVar("T")

_FIELDS = {
    "view_count": "view_count",
    "followers_count": "followers_count",
    "tags": "tags",
    "language": "language",
    "description": "description",
    "image": "image",
    "stream.title": "title",
    "stream.category_id": "category_id",
    "stream.category_name": "category_name",
    "stream.started_at": "started_at",
    "stream.thumbnail_url": "thumbnail_url",
}
"""Payload field -> where it is in an Enrichment."""


@dataclass(slots=True)
class EnrichmentBuilder:
    """Filled by several questions at once; whatever is None at the deadline is missing."""

    profile: Profile | None = None
    image: Image | None = None
    channel: ChannelInfo | None = None
    stream: Stream | None = None
    followers: int | None = None

    def enrichment(self, event: StreamEvent, streamer: WatchedStreamer) -> Enrichment:
        """Get Channels comes before Get Streams where both tell: it has no lag. What one leaves out is the other's."""
        profile, channel, stream = self.profile, self.channel, self.stream
        found = Enrichment(
            login=event.broadcaster_login
            or (channel.broadcaster_login if channel else "")
            or (stream.user_login if stream else "")
            or (profile.login if profile else ""),
            name=event.broadcaster_name
            or (channel.broadcaster_name if channel else "")
            or (stream.user_name if stream else "")
            or (profile.display_name if profile else ""),
            description=profile.description if profile else None,
            image=self.image,
            tags=self._tags(),
            language=self._language(),
            view_count=stream.viewer_count if stream else None,
            followers_count=self.followers,
            title=_first(each.title for each in self._told()),
            category_id=_first(each.game_id for each in self._told()),
            category_name=_first(each.game_name for each in self._told()),
            thumbnail_url=(stream.thumbnail_url or None) if stream else None,
            started_at=self._started_at(event),
        )
        missing = [name for name, field in _FIELDS.items() if getattr(found, field) is None]
        if "language" in missing and from_tags([*(found.tags or ()), *streamer.additional_tags]):
            missing.remove("language")
        if "image" in missing and profile and not profile.image_url:
            missing.remove("image")  # a channel without one
        return msgspec.structs.replace(found, missing=tuple(missing))

    def _tags(self) -> tuple[str, ...] | None:
        """Twitch may say null for no tags; None is for a channel that it said nothing of."""
        told = self._told()
        return (_first(each.tags for each in told) or ()) if told else None

    def _told(self) -> list[ChannelInfo | Stream]:
        return [each for each in (self.channel, self.stream) if each is not None]

    def _language(self) -> str | None:
        channel = self.channel.broadcaster_language if self.channel else ""
        return channel or (self.stream.language if self.stream else "") or None

    def _started_at(self, event: StreamEvent) -> float | None:
        if self.stream is not None:
            try:
                return parse_rfc3339(self.stream.started_at)
            except ValueError:
                return event.started_at
        return event.started_at


def _first(told: Iterable[T | None]) -> T | None:
    """The first that was told at all."""
    return next((one for one in told if one is not None), None)
