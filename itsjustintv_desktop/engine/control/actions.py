"""What a person can ask of the engine, the same whether it runs here or in another process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from itsjustintv_desktop.engine.api.events import EventKind, EventPage
from itsjustintv_desktop.engine.control.conduits import ConduitActions
from itsjustintv_desktop.engine.control.pausing import PauseActions
from itsjustintv_desktop.engine.core.models import FINAL_STATES, Channel, DeliveryState, DeliveryView
from itsjustintv_desktop.engine.monitoring.doctor import Report
from itsjustintv_desktop.engine.twitch.subscriptions import Listing, SubscriptionsStatus, SyncReport


class DestinationView(msgspec.Struct, frozen=True, kw_only=True):
    """How the way to a destination is. `state`: closed (all passes), open, half-open, paused, or off."""

    name: str
    state: str
    reason: str = ""
    by_hand: bool = False
    """A person paused it."""
    note: str = ""
    """That it gets less than the config says, and why."""

    @property
    def waits(self) -> str | None:
        """Until when its deliveries wait, in a few words. None = only for their turn."""
        words = {"paused": "paused", "off": "switched off"}
        again = "when it answers again" if self.state in {"open", "half-open"} else None
        return words.get(self.state, again)

    @property
    def sentence(self) -> str | None:
        """What to say after its name: why nothing is sent there and what to do. None = things are sent."""
        if self.state == "paused":
            why = self.reason.removesuffix(".")
            if self.by_hand:
                return f"was paused by hand: {why}. Resume it in the app, or with `resume --destination`."
            return f"is paused: {why}. Correct its address, or `deliveries retry` one of its deliveries."
        if self.state == "open":
            return f"is left alone for the moment: {self.reason}"
        return "is switched off in the config (enabled = false)." if self.state == "off" else None


class EventReport(msgspec.Struct, frozen=True, kw_only=True):
    """How far one event came."""

    id: int
    state: str
    reason: str | None
    explanation: str | None
    deliveries: tuple[DeliveryView, ...]
    blocked: dict[str, str] = {}
    """Destinations that nothing is sent to now though a delivery of this waits for them, with the sentence why."""

    @property
    def is_settled(self) -> bool:
        """Nothing more will happen to it by itself."""
        return self.state != "accepted" and all(each.state in FINAL_STATES for each in self.deliveries)


class QueueActions(PauseActions, Protocol):
    """Deliveries, listed, steered and paused. Raises AppError: NotFoundError, UsageError, LedgerError, ControlError."""

    async def deliveries(
        self,
        *,
        before: int | None = None,
        states: Sequence[DeliveryState] = (),
        streamer: str | None = None,
        destination: str | None = None,
        limit: int = 200,
    ) -> list[DeliveryView]:
        """One page, newest first, at most 200."""
        ...

    async def events(
        self,
        *,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        streamer: str | None = None,
        limit: int = 200,
    ) -> EventPage:
        """One page of what was announced and what was not, newest first, at most 200."""
        ...

    async def retry(self, delivery_id: int) -> DeliveryView: ...

    async def drop(self, delivery_id: int) -> DeliveryView: ...

    async def resend(self, delivery_id: int) -> DeliveryView: ...

    async def destinations(self) -> list[DestinationView]:
        """How the way to each is."""
        ...


class SubscriptionActions(Protocol):
    """Subscriptions at Twitch. Raises AppError: NotFoundError, UsageError, TwitchError, SecretsError, ControlError."""

    async def subscriptions(self) -> Listing:
        """Everything that Twitch holds for the client id."""
        ...

    async def subscriptions_status(self) -> SubscriptionsStatus:
        """How the reconciler is, or how far its round."""
        ...

    async def sync_subscriptions(self, new_secret: bool = False) -> SyncReport:
        """One round now; first a new webhook secret, if wished. Takes minutes for a thousand channels."""
        ...

    async def delete_subscription(self, subscription_id: str) -> None: ...


class DoctorActions(Protocol):
    """The chain behind the next announcement. Raises AppError: NotFoundError, ControlError."""

    async def doctor(self, streamer: str | None = None, local: bool = False) -> Report:
        """Every check, for all streamers or for one (a login); `local` asks nothing outside of the process."""
        ...


class ChannelActions(Protocol):
    """Who is who. Raises AppError: ControlError."""

    async def channels(self) -> list[Channel]:
        """The channel of each streamer of the config, as far as Twitch could be asked."""
        ...


class Actions(QueueActions, SubscriptionActions, ConduitActions, DoctorActions, ChannelActions, Protocol):
    """Everything. Raises AppError: NotFoundError, UsageError, LedgerError, ControlError."""

    async def send_anyway(self, event_id: int) -> tuple[str, ...]:
        """Announce a suppressed event; the names of the destinations it goes to."""
        ...

    async def test_event(self, login: str) -> int:
        """Put a test announcement of that streamer into the pipeline; the id of its event."""
        ...

    async def event_report(self, event_id: int) -> EventReport: ...
