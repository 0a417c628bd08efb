"""What the engine tells those who watch it (screen, telemetry, demo): immutable, and never a secret in it.

And `Signal`, by which its parts reach those above them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVarTuple

import msgspec
import structlog

from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView, LiveStream

Values = TypeVarTuple("Values")

_log = structlog.get_logger(__name__)


class EventSettled(msgspec.Struct, frozen=True, kw_only=True, tag="event"):
    """An event of a source found its end: announced, suppressed (with the reason) or noted."""

    event_id: int
    kind: str
    state: str
    login: str
    streamer: str | None
    reason: str | None
    explanation: str | None
    destinations: tuple[str, ...] = ()
    enriched: bool = True
    test: bool = False


class DeliveryChanged(msgspec.Struct, frozen=True, kw_only=True, tag="delivery"):
    """An attempt ended, or a person changed a delivery."""

    id: int
    event_id: int
    streamer: str
    destination: str
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    next_at: float | None

    @classmethod
    def of(cls, view: DeliveryView) -> DeliveryChanged:
        return cls(
            id=view.id,
            event_id=view.event_id,
            streamer=view.streamer,
            destination=view.destination,
            state=view.state,
            attempts=view.attempts,
            status=view.last_status,
            error=view.last_error,
            next_at=view.next_at,
        )


class DeliveriesChanged(msgspec.Struct, frozen=True, kw_only=True, tag="deliveries"):
    """A person changed so many at once that the list had better be read again."""

    count: int


class DestinationChanged(msgspec.Struct, frozen=True, kw_only=True, tag="destination"):
    """A destination's breaker opened, closed or was paused."""

    destination: str
    state: str
    reason: str


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag="notice"):
    """Something a person should know, as a sentence."""

    text: str


class SubscriptionsChanged(msgspec.Struct, frozen=True, kw_only=True, tag="subscriptions"):
    """How our subscriptions at Twitch are, or how far a round of repairs is (`done` of `total` steps)."""

    state: str
    """ok, working, waiting or failing."""
    message: str
    wanted: int
    enabled: int
    pending: int
    done: int
    total: int


class LiveChanged(msgspec.Struct, frozen=True, kw_only=True, tag="live"):
    """Who is live now changed: who began, the user ids of those whose stream ended, and how many are live."""

    began: tuple[LiveStream, ...]
    ended: tuple[str, ...]
    count: int


class TransportChanged(msgspec.Struct, frozen=True, kw_only=True, tag="way"):
    """How Twitch reaches us is now like this: `state` and `code` as in TransportStatus, `text` for a person."""

    kind: str
    state: str
    code: str
    text: str


class ConfigChanged(msgspec.Struct, frozen=True, kw_only=True, tag="config"):
    """Another config.toml was found. `state`: ok (it is in force; `text` says what is different, "" for nothing that
    counts), refused, missing or waiting (the last good one stays in force; `text` says why)."""

    state: str
    text: str


class AnnouncementsPaused(msgspec.Struct, frozen=True, kw_only=True, tag="announcements"):
    """Announcements are held back now (`paused`), or made again. `until`: Unix seconds, None = until resumed."""

    until: float | None
    paused: bool


class HealthChanged(msgspec.Struct, frozen=True, kw_only=True, tag="health"):
    """A part is now like this: ok, waiting or failing, since then (Unix seconds), and why."""

    part: str
    status: str
    reason: str
    since: float


class UpdateChanged(msgspec.Struct, frozen=True, kw_only=True, tag="update"):
    """The newer version there is to show, "" for none. `is_new`: nobody was told of it before, in any run."""

    version: str
    is_new: bool


EngineEvent = (
    EventSettled
    | DeliveryChanged
    | DeliveriesChanged
    | DestinationChanged
    | Notice
    | SubscriptionsChanged
    | LiveChanged
    | TransportChanged
    | ConfigChanged
    | AnnouncementsPaused
    | HealthChanged
    | UpdateChanged
)
"""Each has a tag: that is its `type` on the control port's stream."""


class Subscription:
    """A bounded queue of events for one watcher; on overflow the oldest go and `lost` says so."""

    def __init__(self, bus: Bus, size: int) -> None:
        self._bus = bus
        self._events: deque[EngineEvent] = deque(maxlen=size)
        self._arrived = asyncio.Event()
        self._closed = False
        self.lost = 0
        """Events dropped since the last look: the watcher should take a fresh snapshot."""

    def put(self, event: EngineEvent) -> None:
        if len(self._events) == self._events.maxlen:
            self.lost += 1
        self._events.append(event)
        self._arrived.set()

    def close(self) -> None:
        self._closed = True
        self._bus.forget(self)
        self._arrived.set()

    async def wait(self) -> None:
        """Until there is something to take, or it was closed."""
        if not self._events and not self._closed:
            self._arrived.clear()
            await self._arrived.wait()

    def take(self) -> tuple[int, list[EngineEvent]]:
        """How many were lost since the last time, and all that is there now."""
        events, self._events = list(self._events), deque(maxlen=self._events.maxlen)
        lost, self.lost = self.lost, 0
        return lost, events

    @property
    def closed(self) -> bool:
        return self._closed

    async def __aiter__(self) -> AsyncIterator[EngineEvent]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._arrived.clear()
            await self._arrived.wait()


class Bus:
    """Hands each event to every watcher. Lives on the engine's loop."""

    def __init__(self) -> None:
        self._watchers: list[Subscription] = []

    def publish(self, event: EngineEvent) -> None:
        for watcher in self._watchers:
            watcher.put(event)

    def notice(self, text: str) -> None:
        """Something a person should know, to the log and to all who watch."""
        _log.warning("notice", text=text)
        self.publish(Notice(text=text))

    def subscribe(self, size: int = 1000) -> Subscription:
        watcher = Subscription(self, size)
        self._watchers.append(watcher)
        return watcher

    def forget(self, watcher: Subscription) -> None:
        if watcher in self._watchers:
            self._watchers.remove(watcher)


class Signal(Generic[*Values]):
    """Calls all that are connected, at once and in the order they were connected. Lives on the engine's loop.

    A listener that raises is logged; the others and the sender go on. `Signal[()]` carries nothing.
    """

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: list[Callable[[*Values], object]] = []

    def connect(self, *listeners: Callable[[*Values], object]) -> None:
        self._listeners.extend(listeners)

    def emit(self, *values: *Values) -> None:
        for listener in self._listeners:
            try:
                listener(*values)
            except Exception:  # noqa: BLE001 - what happened did happen, and the others must hear of it
                _log.exception("a listener failed", listener=getattr(listener, "__qualname__", repr(listener)))
