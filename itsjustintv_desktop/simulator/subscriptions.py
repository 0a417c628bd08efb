"""EventSub subscriptions and the rules Twitch keeps for them."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from yarl import URL

from itsjustintv_desktop.simulator.answers import RefusedError
from itsjustintv_desktop.simulator.state import State

SAME_TYPE_AND_CONDITION = 3
MAX_TOTAL_COST = 10_000


class SubscriptionStatus(StrEnum):
    ENABLED = "enabled"
    PENDING = "webhook_callback_verification_pending"
    VERIFICATION_FAILED = "webhook_callback_verification_failed"
    FAILURES_EXCEEDED = "notification_failures_exceeded"
    AUTHORIZATION_REVOKED = "authorization_revoked"
    MODERATOR_REMOVED = "moderator_removed"
    USER_REMOVED = "user_removed"
    CHAT_USER_BANNED = "chat_user_banned"
    VERSION_REMOVED = "version_removed"
    BETA_MAINTENANCE = "beta_maintenance"
    CONDUIT_DELETED = "conduit_deleted"
    WEBSOCKET_DISCONNECTED = "websocket_disconnected"
    WEBSOCKET_FAILED_PING_PONG = "websocket_failed_ping_pong"
    WEBSOCKET_RECEIVED_INBOUND_TRAFFIC = "websocket_received_inbound_traffic"
    WEBSOCKET_CONNECTION_UNUSED = "websocket_connection_unused"
    WEBSOCKET_INTERNAL_ERROR = "websocket_internal_error"
    WEBSOCKET_NETWORK_TIMEOUT = "websocket_network_timeout"
    WEBSOCKET_NETWORK_ERROR = "websocket_network_error"
    WEBSOCKET_FAILED_TO_RECONNECT = "websocket_failed_to_reconnect"


ALIVE = frozenset({SubscriptionStatus.ENABLED, SubscriptionStatus.PENDING})


@dataclass(frozen=True, slots=True)
class SubscriptionType:
    """A subscription type: its versions, the field its condition needs, whether the user must authorise it."""

    versions: tuple[str, ...]
    condition: str = "broadcaster_user_id"
    authorisation: bool = False


KINDS: Mapping[str, SubscriptionType] = {
    "stream.online": SubscriptionType(("1",)),
    "stream.offline": SubscriptionType(("1",)),
    "channel.update": SubscriptionType(("2",)),
    "user.update": SubscriptionType(("1",), condition="user_id"),
    "channel.follow": SubscriptionType(("2",), authorisation=True),
    "channel.subscribe": SubscriptionType(("1",), authorisation=True),
    "channel.cheer": SubscriptionType(("1",), authorisation=True),
}


@dataclass(frozen=True, slots=True)
class Transport:
    """How events of a subscription travel: to a callback, or into a conduit. `secret` never leaves."""

    method: str
    callback: str = ""
    secret: str = ""
    conduit_id: str = ""

    def public(self) -> dict[str, str]:
        if self.method == "conduit":
            return {"method": self.method, "conduit_id": self.conduit_id}
        return {"method": self.method, "callback": self.callback}


@dataclass(slots=True)
class Subscription:
    id: str
    status: SubscriptionStatus
    type: str
    version: str
    condition: dict[str, str]
    transport: Transport
    created_at: str
    cost: int
    failures: int = 0
    """Notifications given up in a row."""

    def public(self) -> dict[str, Any]:
        """The object as Twitch shows it, in its order."""
        return {
            "id": self.id,
            "status": self.status.value,
            "type": self.type,
            "version": self.version,
            "condition": dict(self.condition),
            "transport": self.transport.public(),
            "created_at": self.created_at,
            "cost": self.cost,
        }


class Subscriptions:
    """Those of the one client id there is, oldest first."""

    def __init__(self, state: State, conduits: Container[object] = ()) -> None:
        """`conduits` knows the ids of those there are."""
        self.page_size = 100
        self.max_total_cost = MAX_TOTAL_COST
        self._state = state
        self._conduits = conduits
        self._all: dict[str, Subscription] = {}

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, subscription: Subscription) -> bool:
        return self._all.get(subscription.id) is subscription

    @property
    def total_cost(self) -> int:
        return sum(held.cost for held in self._all.values() if held.status in ALIVE)

    def get(self, subscription_id: str) -> Subscription | None:
        return self._all.get(subscription_id)

    def remove(self, subscription_id: str) -> Subscription | None:
        return self._all.pop(subscription_id, None)

    def conduit_deleted(self, conduit_id: str) -> None:
        """Its subscriptions are switched off; Twitch lists them for days."""
        for held in self._all.values():
            if held.transport.conduit_id == conduit_id and held.status in ALIVE:
                held.status = SubscriptionStatus.CONDUIT_DELETED

    def listening(self, type: str, user_id: str) -> list[Subscription]:  # noqa: A002 - the field's own name
        """The enabled ones that an event of `type` about `user_id` goes to."""
        return [
            held
            for held in self._all.values()
            if held.type == type and held.status is SubscriptionStatus.ENABLED and user_id in held.condition.values()
        ]

    def create(self, wanted: Mapping[str, Any]) -> Subscription:
        """Take the JSON of Create EventSub Subscription. Raises RefusedError 400, 403, 409 or 429."""
        type_, version = _text(wanted, "type"), _text(wanted, "version")
        condition, transport = wanted.get("condition"), wanted.get("transport")
        kind = KINDS.get(type_)
        if kind is None or version not in kind.versions:
            raise RefusedError(400, "invalid subscription type and version")
        if not isinstance(condition, dict) or not isinstance(condition.get(kind.condition), str):
            raise RefusedError(400, f"condition.{kind.condition} is required")
        channel = self._state.channels.get(condition[kind.condition])
        if channel is None:
            raise RefusedError(400, f"the user in condition.{kind.condition} does not exist")
        way = self._transport(transport)
        if kind.authorisation and not channel.authorised:
            raise RefusedError(403, "subscription missing proper authorization")
        cost = 0 if channel.authorised else 1
        self._make_room(type_, condition, way, cost)
        made = Subscription(
            id=str(uuid.uuid4()),
            status=SubscriptionStatus.ENABLED if way.conduit_id else SubscriptionStatus.PENDING,
            type=type_,
            version=version,
            condition=condition,
            transport=way,
            created_at=self._state.stamp(),
            cost=cost,
        )
        self._all[made.id] = made
        return made

    def _transport(self, given: object) -> Transport:
        if not isinstance(given, dict):
            raise RefusedError(400, "transport is required")
        method = given.get("method")
        if method == "websocket":
            raise RefusedError(400, "invalid transport and auth combination")
        if method == "conduit":
            conduit_id = _text(given, "conduit_id")
            if conduit_id not in self._conduits:
                raise RefusedError(400, "the conduit in transport.conduit_id does not exist")
            return Transport("conduit", conduit_id=conduit_id)
        if method != "webhook":
            raise RefusedError(400, "the value of transport.method is not valid")
        callback, secret = webhook(given)
        return Transport("webhook", callback, secret)

    def _make_room(self, type_: str, condition: dict[str, str], transport: Transport, cost: int) -> None:
        same = [
            held
            for held in self._all.values()
            if held.type == type_ and held.condition == condition and held.status in ALIVE
        ]
        for held in same:
            if held.transport.public() == transport.public():
                raise RefusedError(409, "subscription already exists", id=held.id)
        if len(same) >= SAME_TYPE_AND_CONDITION:
            raise RefusedError(429, "number of subscriptions with this type and condition exceeded")
        if self.total_cost + cost > self.max_total_cost:
            raise RefusedError(429, "maximum total cost exceeded")


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise RefusedError(400, f"{name} is required")
    return value


def webhook(given: Mapping[str, Any]) -> tuple[str, str]:
    """Callback and secret of a transport that is a webhook. Raises RefusedError 400."""
    callback, secret = given.get("callback"), given.get("secret")
    if not isinstance(callback, str) or not _callable(callback):
        raise RefusedError(400, "transport.callback must be an https address on port 443")
    if not isinstance(secret, str) or not 10 <= len(secret) <= 100 or not secret.isascii():
        raise RefusedError(400, "transport.secret must be 10 to 100 ASCII characters long")
    return callback, secret


def _callable(callback: str) -> bool:
    """Twitch demands https on 443; plain http to this machine is the simulator's one exception."""
    try:
        url = URL(callback)
        port = url.port
    except ValueError:
        return False
    if url.scheme == "https":
        return bool(url.host) and port == 443
    return url.scheme == "http" and is_loopback(url.host or "")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
