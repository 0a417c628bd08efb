"""The live feed: announcements, and what was not announced with its reason, newest first."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from itsjustintv_desktop.engine.api.events import STATES, EventKind, deliveries_of, kind_of, look
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView, EventState, StreamEvent
from itsjustintv_desktop.engine.delivery.attempt import complete_payload
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.queries import EventRow
from itsjustintv_desktop.engine.twitch.twitch import Twitch

_SHOWN = 48
"""Characters of a picture's data that are shown."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FeedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One destination's outcome. Times are Unix seconds."""

    id: int
    destination: str
    state: DeliveryState
    attempts: int
    next_at: float | None
    last_status: int | None
    last_error: str | None


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One event. What is not known is "" or None; times are Unix seconds."""

    event_id: int
    kind: EventKind
    at: float
    """When it came in."""
    streamer: str
    """The key in the config; "" where nobody had it."""
    login: str
    name: str
    url: str
    """Of the channel."""
    title: str
    category: str
    tags: tuple[str, ...]
    started_at: float | None
    state: str
    """announced, suppressed or noted."""
    reason: str
    """A word for programs: filtered, missed, paused, revoked, ..."""
    explanation: str
    test: bool
    enriched: bool
    missing: tuple[str, ...]
    picture: str | None
    """SHA-256 (hex), for `Feed.picture`."""
    stream_id: str
    deliveries: tuple[FeedDelivery, ...]
    """Oldest first; a destination comes again for each resend."""
    can_send_anyway: bool


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: ask with it for what is older; None = that was all. A page may be short, or empty, before the end."""

    items: tuple[FeedItem, ...]
    before: int | None


class _Stream(msgspec.Struct):
    title: str | None = None
    category_name: str | None = None


class _Picture(msgspec.Struct):
    sha256: str = ""


class _Payload(msgspec.Struct):
    streamer_login: str = ""
    streamer_name: str = ""
    url: str = ""
    tags: list[str] = []
    image: _Picture | None = None
    stream: _Stream = msgspec.field(default_factory=_Stream)
    enriched: bool = True
    missing: list[str] = []


class Feed:
    """Reads pages. Long searches are cut small, so that accepting a message never waits for one."""

    def __init__(self, ledger: Ledger, twitch: Twitch, config: ConfigHolder) -> None:
        self._ledger = ledger
        self._twitch = twitch
        self._config = config

    async def page(
        self, before: int | None = None, limit: int = 50, *, kinds: Sequence[EventKind] = (), search: str = ""
    ) -> FeedPage:
        """Events below the id `before`, newest first, at most 200; all kinds where none is named.

        `search` is looked for in key, login, name and title, whatever its case. A long search answers with what it has
        so far: go on from `FeedPage.before`. Raises LedgerError.
        """
        needle = search.strip().casefold()
        found, before = await look(self._ledger, before, limit, kinds, lambda row: _matching(row, needle))
        return FeedPage(items=await self._items(found), before=before)

    async def item(self, event_id: int) -> FeedItem:
        """One, as it is now. Raises NotFoundError (also for what the feed does not show), LedgerError."""
        rows = await self._ledger.recent(event_id + 1, STATES)
        if not rows or rows[0].id != event_id:
            raise NotFoundError(f"There is no event {event_id} in the feed.")
        (item,) = await self._items([(rows[0], _decoded(rows[0].payload))])
        return item

    async def payload(self, event_id: int) -> str:
        """The announcement as it is sent (format json), to read: the picture's data is shortened.

        Raises NotFoundError, LedgerError.
        """
        record = await self._ledger.event(event_id)
        if record is None:
            raise NotFoundError(f"There is no event {event_id}.")
        if record.payload is None:
            raise NotFoundError(f"Event {event_id} was never made into an announcement, so there is no payload.")
        stored = record.payload
        return await asyncio.to_thread(self._pretty, stored)

    async def picture(self, sha256: str) -> bytes | None:
        """A profile picture's bytes (PNG, JPEG, ...). None: it is gone."""
        return await self._twitch.images.read(sha256) if _DIGEST.fullmatch(sha256) else None

    def _pretty(self, stored: bytes) -> str:
        try:
            payload: dict[str, Any] = msgspec.json.decode(stored)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NotFoundError("The payload of this event is damaged.") from error
        return pretty(shortened(complete_payload(self._twitch.images.load, payload)))

    async def _items(self, found: Sequence[tuple[EventRow, _Payload]]) -> tuple[FeedItem, ...]:
        deliveries = await deliveries_of(self._ledger, [row for row, _ in found])
        return tuple(self._item(row, body, deliveries.get(row.id, ())) for row, body in found)

    def _item(self, row: EventRow, body: _Payload, deliveries: Sequence[DeliveryView]) -> FeedItem:
        login = body.streamer_login or row.broadcaster_login
        return FeedItem(
            event_id=row.id,
            kind=kind_of(row),
            at=row.received_at,
            streamer=row.streamer or "",
            login=login,
            name=body.streamer_name or row.broadcaster_name or login,
            url=body.url or (f"https://twitch.tv/{login}" if login else ""),
            title=body.stream.title or "",
            category=body.stream.category_name or "",
            tags=tuple(body.tags),
            started_at=row.started_at,
            state=row.state,
            reason=row.reason or "",
            explanation=row.explanation or "",
            test=row.test,
            enriched=body.enriched and row.stored is not None,
            missing=tuple(body.missing),
            picture=self._picture_of(row, body),
            stream_id=row.stream_id,
            deliveries=tuple(_outcome(each) for each in deliveries),
            can_send_anyway=self._can_send(row),
        )

    def _picture_of(self, row: EventRow, body: _Payload) -> str | None:
        if body.image is not None and body.image.sha256:
            return body.image.sha256
        image = self._twitch.profiles.get(row.broadcaster_id).image
        return image.sha256 if image is not None else None

    def _can_send(self, row: EventRow) -> bool:
        """Whether "send anyway" would do something, as far as can be told without asking the ledger."""
        if row.state != EventState.SUPPRESSED or row.reason == "already_announced":
            return False
        event = StreamEvent(
            source="twitch",
            kind=row.kind,
            message_id=None,
            received_at=row.received_at,
            broadcaster_id=row.broadcaster_id,
            broadcaster_login=row.broadcaster_login,
        )
        streamer = self._config.current.matcher.match(event, row.streamer)
        return streamer is not None and not self._config.current.has_only_disabled_destinations(streamer)


def shortened(payload: dict[str, Any]) -> dict[str, Any]:
    """With the beginning of the picture's data alone: the rest is a wall of letters."""
    image = payload.get("image")
    data = image.get("data") if isinstance(image, dict) else None
    if not isinstance(image, dict) or not isinstance(data, str) or len(data) <= _SHOWN:
        return payload
    return {**payload, "image": {**image, "data": f"{data[:_SHOWN]}... ({len(data)} characters)"}}


def pretty(value: object) -> str:
    """JSON to read, with two spaces a level."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _matching(row: EventRow, needle: str) -> _Payload | None:
    """The payload, if the event has `needle` in one of its names or in its title; unpacked only where it must be."""
    payload = row.payload
    if not needle:
        return _decoded(payload)
    names = (row.streamer, row.broadcaster_login, row.broadcaster_name)
    if any(needle in name.casefold() for name in names if name):
        return _decoded(payload)
    if payload is None or needle not in (payload.decode("utf-8", "replace").casefold()):
        return None
    body = _decoded(payload)
    texts = (body.streamer_login, body.streamer_name, body.stream.title or "")
    return body if any(needle in text.casefold() for text in texts) else None


def _decoded(payload: bytes | None) -> _Payload:
    try:
        return _Payload() if payload is None else msgspec.json.decode(payload, type=_Payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Payload()  # damaged on disk: what the event itself says is shown


def _outcome(view: DeliveryView) -> FeedDelivery:
    return FeedDelivery(
        id=view.id,
        destination=view.destination,
        state=view.state,
        attempts=view.attempts,
        next_at=view.next_at,
        last_status=view.last_status,
        last_error=view.last_error,
    )
