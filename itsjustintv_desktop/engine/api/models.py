"""What a screen is shown: plain, frozen, and without anything secret. Times are Unix seconds."""

from __future__ import annotations

import msgspec

from itsjustintv_desktop.engine.announce.pause import PauseView
from itsjustintv_desktop.engine.core.models import LiveStream
from itsjustintv_desktop.engine.core.status import OverallStatus, RowStatus, StreamerStatus
from itsjustintv_desktop.engine.monitoring.updates.check import UpdateView
from itsjustintv_desktop.engine.runtime.config_reloader import ConfigState
from itsjustintv_desktop.engine.storage.secrets import SecretsState
from itsjustintv_desktop.engine.twitch.subscriptions import ChannelState, SubscriptionsStatus


class TransportView(msgspec.Struct, frozen=True, kw_only=True):
    """How Twitch reaches us: as TransportStatus says."""

    kind: str
    state: str
    """starting, ready, waiting or failing."""
    code: str
    message: str
    fix: str
    since: float
    address: str
    facts: tuple[tuple[str, str], ...]
    """More to show, in order."""


class StreamerView(msgspec.Struct, frozen=True, kw_only=True):
    """A streamer of the config and what is known of the channel. Empty or None = not known."""

    key: str
    login: str
    """As Twitch spells it now; as the config does where that is not known."""
    display_name: str
    user_id: str
    enabled: bool
    live: bool
    tag_filter: tuple[str, ...]
    additional_tags: tuple[str, ...]
    destinations: tuple[str, ...]
    """All names, in order; also of those that are switched off."""
    subscription: ChannelState | None
    """None: not looked at yet, or not watched."""
    picture: str | None
    """SHA-256 (hex), for `Feed.picture`."""
    followers: int | None
    status: StreamerStatus = StreamerStatus()
    """Whether its next stream will be announced."""


class DestinationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A destination of the config. `state`: closed (all passes), open, half-open, paused, or off."""

    name: str
    format: str
    enabled: bool
    state: str
    reason: str
    since: float
    paused_by_hand: bool
    status: RowStatus = RowStatus()
    """Whether announcements get through."""
    is_reduced: bool = False
    """It gets less than the config says; resuming tries whether it takes all again."""
    address: str
    """Scheme and host, dots for the rest; "" where it is not known (a vault that is locked, or nothing set)."""
    url_in_vault: bool
    """The config says that the address lies in the vault."""
    has_secret: bool
    """What is sent there is signed."""
    secret_in_vault: bool
    users: int
    """Streamers that are switched on and announce there."""
    waiting: int
    first_due: float | None
    next_due: float | None


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries by state (pending, sending, delivered, expired, dead, dropped; 0 where there is none)."""

    by_state: tuple[tuple[str, int], ...]
    oldest_due: float | None
    """Since when the first of those that wait is due; perhaps in the past. Without those that are held back."""
    next_due: float | None
    """When the next comes due that is not yet."""
    unfinished_events: int

    def of(self, state: str) -> int:
        return dict(self.by_state).get(state, 0)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything, at the moment `at`."""

    at: float
    version: str
    started_at: float
    address: tuple[str, int] | None
    """Host and port of the public server; None where it does not listen."""
    way: TransportView
    subscriptions: SubscriptionsStatus
    config: ConfigState
    status: OverallStatus
    """How many streams will be announced, and what is wrong."""
    live: tuple[LiveStream, ...]
    """Who of the watched channels is live, in the order of the streamers."""
    live_known: bool = True
    """False: Twitch has not said yet who is live."""
    streamers: tuple[StreamerView, ...]
    destinations: tuple[DestinationStatus, ...]
    deliveries: Numbers
    paused: PauseView | None
    """None: announcements are made."""
    signing_problem: str | None
    """Why Twitch's messages cannot be verified yet."""
    secrets: SecretsState
    update: UpdateView | None = None
    """The newer version to tell of, if there is one."""
