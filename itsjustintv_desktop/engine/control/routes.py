"""What the control port is asked and answers: one table, for the server and for the client (docs/control.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from itsjustintv_desktop.engine.announce.pause import PauseView
from itsjustintv_desktop.engine.api.announcements import EventReport
from itsjustintv_desktop.engine.api.destinations import DestinationView
from itsjustintv_desktop.engine.api.events import KINDS, EventKind, EventPage
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.core.models import Channel, DeliveryState, DeliveryView
from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitView
from itsjustintv_desktop.engine.monitoring.doctor import Report
from itsjustintv_desktop.engine.twitch.subscriptions import Listing, SubscriptionsStatus, SyncReport

_SECONDS = 30.0
_ROUND_SECONDS = 1200.0
"""A round over 10,000 subscriptions, as fast as Twitch lets us."""
_DOCTOR_SECONDS = 90.0
"""Its own deadlines together come to less."""


def number(text: str) -> int:
    """Raises UsageError."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UsageError("A whole number is needed.")
    return int(text)


def _state(name: str) -> DeliveryState:
    try:
        return DeliveryState(name)
    except ValueError:
        raise UsageError(f"{name!r} is no state: {', '.join(DeliveryState)}.") from None


def _kind(name: str) -> EventKind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise UsageError(f"{name!r} is no kind: {', '.join(KINDS)}.")


def _flag(text: str) -> bool:
    return text == "true"


@dataclass(frozen=True)
class Query:
    """One parameter of the query, which may be left out."""

    name: str
    read: Callable[[str], Any] = str
    """Raises UsageError."""
    to: str = ""
    """The parameter of the method, where that has another name: a list of all that are given."""

    @property
    def parameter(self) -> str:
        return self.to or self.name


@dataclass(frozen=True)
class Body:
    """A JSON object whose fields are parameters. `sentence`: what is said of one that cannot be understood."""

    type: type[msgspec.Struct]
    sentence: str


class _Login(msgspec.Struct):
    login: str


class _Until(msgspec.Struct):
    until: float | None = None


class _Reason(msgspec.Struct):
    reason: str = ""


class _Sync(msgspec.Struct):
    new_secret: bool = False


@dataclass(frozen=True)
class Route:
    """One request. `call` is the method of the Api, `answer` the type it gives; names in the path are parameters."""

    method: str
    path: str
    call: str
    answer: Any
    query: tuple[Query, ...] = ()
    body: Body | None = None
    wrap: str = ""
    """The answer is an object, and this its one key; else it is the value itself, an empty object for none."""
    seconds: float = _SECONDS
    """How long the client waits."""

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """In the order of the method's."""
        fields = self.body.type.__struct_fields__ if self.body is not None else ()
        return (*self.in_path, *(each.parameter for each in self.query), *fields)


_BEFORE, _STREAMER, _LIMIT = Query("before", number), Query("streamer"), Query("limit", number)

ROUTES = (
    Route("GET", "/deliveries", "deliveries.list", list[DeliveryView],
          query=(_BEFORE, Query("state", _state, to="states"), _STREAMER, Query("destination"), _LIMIT)),
    Route("POST", "/deliveries/{delivery_id}/retry", "deliveries.retry", DeliveryView),
    Route("POST", "/deliveries/{delivery_id}/drop", "deliveries.drop", DeliveryView),
    Route("POST", "/deliveries/{delivery_id}/resend", "deliveries.resend", DeliveryView),
    Route("GET", "/destinations", "destinations.list", list[DestinationView]),
    Route("POST", "/destinations/{name}/pause", "destinations.pause", None,
          body=Body(_Reason, 'A body like {"reason": "moving the channel"} is needed, or none.')),
    Route("POST", "/destinations/{name}/resume", "destinations.resume", None),
    Route("GET", "/events", "events.list", EventPage,
          query=(_BEFORE, Query("kind", _kind, to="kinds"), _STREAMER, _LIMIT)),
    Route("GET", "/events/{event_id}", "announcements.event_report", EventReport),
    Route("POST", "/events/{event_id}/send-anyway", "announcements.send_anyway", tuple[str, ...]),
    Route("POST", "/test-events", "announcements.test_event", int, wrap="event_id",
          body=Body(_Login, 'A body like {"login": "name"} is needed.')),
    Route("GET", "/pause", "announcements.paused", PauseView | None, wrap="paused"),
    Route("POST", "/pause", "announcements.pause", PauseView | None, wrap="paused",
          body=Body(_Until, 'A body like {"until": 1790000000} is needed, null for "until resumed".')),
    Route("DELETE", "/pause", "announcements.resume", None, wrap="paused"),
    Route("GET", "/subscriptions", "subscriptions.list", Listing),
    Route("GET", "/subscriptions/status", "subscriptions.status", SubscriptionsStatus),
    Route("POST", "/subscriptions/sync", "subscriptions.sync", SyncReport, seconds=_ROUND_SECONDS,
          body=Body(_Sync, 'A body like {"new_secret": false} is needed.')),
    Route("DELETE", "/subscriptions/{subscription_id}", "subscriptions.delete", None),
    Route("GET", "/conduits", "conduits.list", list[ConduitView]),
    Route("POST", "/conduits/{conduit_id}/adopt", "conduits.adopt", ConduitView),
    Route("DELETE", "/conduits/{conduit_id}", "conduits.delete", ConduitView, query=(Query("force", _flag),)),
    Route("GET", "/doctor", "diagnostics.doctor", Report, seconds=_DOCTOR_SECONDS,
          query=(_STREAMER, Query("local", _flag))),
    Route("GET", "/channels", "channels.list", list[Channel]),
)  # fmt: skip
