"""What people and programs get to see of the subscriptions. Times are Unix seconds."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from itsjustintv_desktop.engine.core.status import Status


class SubscriptionsState(StrEnum):
    OK = "ok"
    WORKING = "working"
    """Being made, or waiting for Twitch's handshake."""
    WAITING = "waiting"
    """Something else has to come first, or Twitch does not answer; it goes on by itself."""
    FAILING = "failing"
    """A person has to do something; `fix` says what."""


class SubscriptionsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`message` and `fix` are sentences for a person. All but `cost` count subscriptions, two a channel."""

    state: SubscriptionsState
    code: str
    """The same in a word for programs: ok, no_target, no_secret, looking, working, pending, unverified, ..."""
    message: str
    fix: str = ""
    since: float = 0.0
    wanted: int = 0
    enabled: int = 0
    pending: int = 0
    foreign: int = 0
    """Those of other programs on the same client id."""
    cost: int = 0
    """Points that all on this client id use, of `max_cost` (10,000 with Twitch; 0 = not known yet)."""
    max_cost: int = 0
    done: int = 0
    """Steps of the round under way, of `total`."""
    total: int = 0
    last_round: float | None = None
    next_round: float | None = None

    def health(self) -> Status:
        return Status.of(self.state, self.message, self.since)


class SyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one round did. `kept` were as wanted, `pending` wait for Twitch's handshake, `foreign` were left alone."""

    target: str
    created: int
    deleted: int
    kept: int
    pending: int
    foreign: int
    held_back: int
    """Not made yet, because the address did not answer Twitch: one at a time is tried."""
    cost: int
    max_cost: int
    problems: tuple[str, ...] = ()
    """A sentence for each thing that did not work."""


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription at Twitch. `login` is "" where it is not known; `created_at` is RFC 3339, as Twitch says it."""

    id: str
    type: str
    version: str
    user_id: str
    login: str = ""
    status: str
    target: str
    """"webhook https://...", "conduit <id>" or "websocket <session>"."""
    ours: bool
    cost: int
    created_at: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """All that Twitch holds for the client id."""

    subscriptions: tuple[SubscriptionView, ...]
    total_cost: int
    max_total_cost: int
