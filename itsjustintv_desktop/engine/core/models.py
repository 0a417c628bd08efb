"""Plain, frozen values that cross the engine's inner and outer boundaries. Times are Unix seconds (float)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

SOURCE = "twitch"
"""Of the events of Twitch."""
STREAM_ONLINE = "stream.online"
STREAM_OFFLINE = "stream.offline"


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a source saw. `kind` is the field's own term: stream.online, stream.offline, revocation, ..."""

    source: str
    kind: str
    message_id: str | None
    """The source's own id of the message; the ledger takes each once. None for one found by polling."""
    received_at: float
    broadcaster_id: str = ""
    broadcaster_login: str = ""
    broadcaster_name: str = ""
    stream_id: str = ""
    """Of a stream.offline: the one that ended, "" where the source does not say."""
    started_at: float | None = None
    subscription_id: str = ""
    detail: str = ""
    """For a revocation: its status. For a stream.online that is no live stream: its type (rerun, ...). Else empty."""
    test: bool = False


class Channel(msgspec.Struct, frozen=True):
    """A streamer of the config as Twitch knows the channel now."""

    key: str
    user_id: str
    login: str
    display_name: str


class Webhook(msgspec.Struct, frozen=True):
    """Twitch posts to this callback: the whole https address, path included."""

    callback: str


class Conduit(msgspec.Struct, frozen=True):
    """Twitch hands events to this conduit of ours."""

    conduit_id: str


Target = Webhook | Conduit
"""What every subscription has to point at."""


class LiveStream(msgspec.Struct, frozen=True, kw_only=True):
    """A watched channel that is live now. Title, category and viewers are known once Twitch was asked."""

    broadcaster_id: str
    stream_id: str
    login: str = ""
    name: str = ""
    started_at: float | None = None
    title: str = ""
    category: str = ""
    viewer_count: int | None = None


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A profile image in image_cache/, named by the SHA-256 of its bytes (hex)."""

    url: str
    sha256: str
    mime_type: str
    width: int
    height: int


class Enrichment(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a stream beyond its event. None = not known; `missing` names those payload fields."""

    login: str = ""
    name: str = ""
    url: str = ""
    description: str | None = None
    image: Image | None = None
    tags: tuple[str, ...] | None = None
    """The source's own tags (not the additional ones). None = could not be had."""
    language: str | None = None
    """As the source says (ISO 639-1); what a tag says comes first, see tags.py."""
    view_count: int | None = None
    followers_count: int | None = None
    title: str | None = None
    category_id: str | None = None
    category_name: str | None = None
    thumbnail_url: str | None = None
    started_at: float | None = None
    missing: tuple[str, ...] = ()


class EventState(StrEnum):
    """Where an event is on its way. Only `accepted` is unfinished work."""

    ACCEPTED = "accepted"
    ANNOUNCED = "announced"
    SUPPRESSED = "suppressed"
    """An announcement that was not made; `reason` says why and it can be sent anyway."""
    NOTED = "noted"
    """Nothing to announce: offline, revocation, an unknown type, a channel not watched."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    DEAD = "dead"
    DROPPED = "dropped"


FINAL_STATES = frozenset({DeliveryState.DELIVERED, DeliveryState.EXPIRED, DeliveryState.DEAD, DeliveryState.DROPPED})


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as `deliveries list --json` shows it. Times are RFC 3339 strings in that output."""

    id: int
    webhook_id: str
    event_id: int
    streamer: str
    destination: str
    state: DeliveryState
    attempts: int
    next_at: float | None
    last_status: int | None
    last_error: str | None
    created_at: float
    test: bool = False
    """Of a test announcement."""


class Outcome(StrEnum):
    """What one attempt came to (the answers table of docs/deliveries.md)."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"
    """A 4xx that may pass, such as the 404 of a gateway that restarts: a few more attempts."""
    DEAD = "dead"
    GONE = "gone"
    """410: the destination is paused with a notice, the delivery waits."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What a response says of the limits of its receiver. Times are seconds from now."""

    wait: float | None = None
    """It rejected this one and asks to wait so long, unclamped."""
    everywhere: bool = False
    """That holds for all of the service."""
    bucket: str = ""
    """The receiver's name for what `remaining` is counted in."""
    limit: int | None = None
    remaining: int | None = None
    """So many more are taken until `reset_after`. None: it does not say."""
    reset_after: float = 0.0


class AttemptResult(msgspec.Struct, frozen=True, kw_only=True):
    """One POST and what came back. `answer` is at most 16 KiB of text, `duration` seconds."""

    outcome: Outcome
    status: int | None = None
    error: str | None = None
    answer: str = ""
    duration: float = 0.0
    retry_after: float | None = None
    """How long the receiver asked to wait, in seconds from now, unclamped. None = nothing usable."""
    limits: RateLimit | None = None
    lost: bool = False
    """The request went out and no response of the service came back: the receiver may have taken it."""
    note: str | None = None
    """Of one that was delivered: that it was so in a plainer form, and why."""
    only_link: bool = False
    """It turned out that the destination refuses the picture as too large, and takes a link to it."""
    as_text: bool = False
    """What counts is the POST of a plainer form, in Discord's or Slack's format."""
