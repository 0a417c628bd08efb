"""Everything that can be made to go wrong, at Twitch and at the receivers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

ANY = "*"
ENDPOINTS = frozenset(
    {
        "users", "streams", "channels", "followers", "games", "videos", "subscriptions", "conduits", "shards",
        "token", "validate", "revoke", "images", "websocket", ANY,
    }
)  # fmt: skip


class Fault(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What goes wrong at one endpoint of Twitch. Several may hold together."""

    status: int | None = None
    """Answer with this status instead (500, 503, 401, 429, ...)."""
    message: str = ""
    """With a status: the `message` of the error, such as "Missing required scope" with 401. Empty = the usual one."""
    failure_rate: float = 1.0
    """Share of the requests the fault strikes, 0 to 1, drawn from the seeded generator. Below 1 and with nothing
    else asked for, it strikes with status 503."""
    times: int | None = None
    """Strike that many requests, then no more. None = until cleared."""
    latency: float = 0.0
    """Seconds before the answer."""
    hang: bool = False
    """Never answer."""
    broken: bool = False
    """Answer 200 with a body that breaks off: no JSON, no picture."""
    reset: bool = False
    """Reset the connection instead of answering."""
    reset_in: float | None = 1.0
    """With status 429: seconds until the `Ratelimit-Reset` it announces. None = it has no rate-limit headers."""

    def __post_init__(self) -> None:
        if self.failure_rate < 1.0 and not (self.latency or self.hang or self.broken or self.reset):
            self.status = self.status or 503


class ReceiverFault(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What goes wrong at one receiver of webhooks, after it has read the whole body."""

    status: int | None = None
    failure_rate: float = 1.0
    times: int | None = None
    latency: float = 0.0
    hang: bool = False
    reset: bool = False
    retry_after: str | None = None
    """Value of a Retry-After header, verbatim."""
    redirect: str | None = None
    """Answer with a redirect (`status`, default 302) to this address."""
    endless: bool = False
    """Answer 200 and a body that never ends."""

    def __post_init__(self) -> None:
        other = self.latency or self.hang or self.reset or self.redirect or self.endless
        if self.failure_rate < 1.0 and not other:
            self.status = self.status or 503


F = TypeVar("F", Fault, ReceiverFault)
T = TypeVar("T")


class Faults:
    """The switchboard. All off at first.

    `streams_lag`: seconds until Get Streams shows a new stream; `videos_lag`: until Get Videos shows its VOD.
    `clock_skew`: seconds Twitch's clock is ahead of ours. `duplicates`: how often each notification comes again with
    the same message id; `duplicate_ids`: with a new one. `thumbnails_missing`: previews redirect to the 404 picture, as
    right after going live.

    `streams_empty`: the next so many answers of Get Streams show nobody, though they are live. `nulls`: names of fields
    that are null in everything Helix answers and in every notification, as Twitch was seen to do.

    Of WebSockets: `ws_silent`: nothing comes any more, no keepalive and no event, though they stay connected.
    `ws_refuse`: new ones get HTTP 503. `ws_no_welcome`: new ones connect and hear nothing. `reconnect_url`: the address
    that session_reconnect names instead of the right one. `shard_error`: updates of shards are answered with 202 and
    this text in `errors`. Empty = off.
    """

    def __init__(self, seed: int = 1) -> None:
        self.streams_lag = 0.0
        self.videos_lag = 0.0
        self.clock_skew = 0.0
        self.duplicates = 0
        self.duplicate_ids = 0
        self.thumbnails_missing = False
        self.streams_empty = 0
        self.nulls: list[str] = []
        self.ws_silent = False
        self.ws_refuse = False
        self.ws_no_welcome = False
        self.reconnect_url = ""
        self.shard_error = ""
        self.endpoints: dict[str, Fault] = {}
        self.receivers: dict[str, ReceiverFault] = {}
        self.on_revoke_tokens: Callable[[], None] | None = None
        self._random = random.Random(seed)

    def set(self, endpoint: str, fault: Fault | None = None, /, **details: object) -> Fault:
        """Switch a fault on for `users`, `streams`, ... (see ENDPOINTS) or `*` for all of Twitch.

        Raises ValueError for an endpoint that does not exist, msgspec.ValidationError for bad details.
        """
        if endpoint not in ENDPOINTS:
            raise ValueError(f"there is no endpoint {endpoint!r}; there are {', '.join(sorted(ENDPOINTS))}")
        self.endpoints[endpoint] = fault or msgspec.convert(details, Fault)
        return self.endpoints[endpoint]

    def set_receiver(self, name: str, fault: ReceiverFault | None = None, /, **details: object) -> ReceiverFault:
        """Switch a fault on for one receiver, or `*` for all. Raises msgspec.ValidationError for bad details."""
        self.receivers[name] = fault or msgspec.convert(details, ReceiverFault)
        return self.receivers[name]

    def clear(self) -> None:
        """Everything works again."""
        self.streams_lag = self.videos_lag = self.clock_skew = 0.0
        self.duplicates = self.duplicate_ids = 0
        self.thumbnails_missing = False
        self.streams_empty = 0
        self.nulls = []
        self.ws_silent = self.ws_refuse = self.ws_no_welcome = False
        self.reconnect_url = self.shard_error = ""
        self.endpoints.clear()
        self.receivers.clear()

    def revoke_tokens(self) -> None:
        """All access tokens stop working at once."""
        if self.on_revoke_tokens is not None:
            self.on_revoke_tokens()

    def nulled(self, data: T) -> T:
        """The same JSON with every field named in `nulls` null."""
        return _nulled(data, frozenset(self.nulls)) if self.nulls else data

    def shows_nobody(self) -> bool:
        """Whether this answer of Get Streams is an empty one. Uses up one of `streams_empty`."""
        if self.streams_empty <= 0:
            return False
        self.streams_empty -= 1
        return True

    def strike(self, endpoint: str) -> Fault | None:
        """The fault this request of `endpoint` meets, if any. Uses up one of its `times`."""
        return self._draw(self.endpoints, endpoint)

    def strike_receiver(self, name: str) -> ReceiverFault | None:
        """The fault this POST to the receiver `name` meets, if any."""
        return self._draw(self.receivers, name)

    def _draw(self, faults: dict[str, F], key: str) -> F | None:
        fault = faults.get(key) or faults.get(ANY)
        if fault is None or fault.times == 0:
            return None
        if fault.failure_rate < 1.0 and self._random.random() >= fault.failure_rate:
            return None
        if fault.times is not None:
            fault.times -= 1
        return fault


def _nulled(data: Any, names: frozenset[str]) -> Any:
    if isinstance(data, list):
        return [_nulled(item, names) for item in data]
    if isinstance(data, dict):
        return {key: None if key in names else _nulled(value, names) for key, value in data.items()}
    return data
