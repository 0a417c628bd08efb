"""What a person asks of a running engine: implements control.actions.Actions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from itsjustintv_desktop.engine.api.conduits import ApiConduits
from itsjustintv_desktop.engine.api.diagnostics import Diagnostics
from itsjustintv_desktop.engine.api.events import EventKind, EventPage, list_events
from itsjustintv_desktop.engine.api.subscriptions import ApiSubscriptions
from itsjustintv_desktop.engine.control.actions import DestinationView, EventReport
from itsjustintv_desktop.engine.core.errors import NotFoundError, UsageError
from itsjustintv_desktop.engine.core.events import DeliveryChanged
from itsjustintv_desktop.engine.core.models import (
    FINAL_STATES,
    Channel,
    DeliveryState,
    DeliveryView,
    EventState,
    StreamEvent,
)
from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitView
from itsjustintv_desktop.engine.monitoring.doctor import Report
from itsjustintv_desktop.engine.twitch.subscriptions import Listing, SubscriptionsStatus, SyncReport

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.announce.pause import PauseView
    from itsjustintv_desktop.engine.config.schema import Streamer
    from itsjustintv_desktop.engine.engine import Engine

_LOOK_UP_SECONDS = 8.0
"""How long a test event waits for a channel's id right after the start: Twitch tells details by id only."""


class ApiActions:
    """Each takes effect at once: the dispatcher is woken, the feed and the watchers hear of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._subscriptions = ApiSubscriptions(engine)
        self._conduits = ApiConduits(engine)
        self._doctor = Diagnostics(engine, self._streamer)

    async def deliveries(
        self,
        *,
        before: int | None = None,
        states: Sequence[DeliveryState] = (),
        streamer: str | None = None,
        destination: str | None = None,
        limit: int = 200,
    ) -> list[DeliveryView]:
        return await self._engine.ledger.deliveries(
            before=before, states=states, streamer=streamer, destination=destination, limit=limit
        )

    async def events(
        self,
        *,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        streamer: str | None = None,
        limit: int = 200,
    ) -> EventPage:
        return await list_events(self._engine.ledger, before, limit, kinds, streamer)

    async def retry(self, delivery_id: int) -> DeliveryView:
        """Also lets a paused or failing destination try again: that is what the person asks for."""
        await self._must_be_on(delivery_id)
        view = await self._engine.ledger.retry(delivery_id)
        await self._engine.dispatcher.resume(view.destination)
        return self._changed(view)

    async def drop(self, delivery_id: int) -> DeliveryView:
        return self._changed(await self._engine.ledger.drop(delivery_id))

    async def resend(self, delivery_id: int) -> DeliveryView:
        """Lets the destination try again, like `retry`."""
        await self._must_be_on(delivery_id)
        view = await self._engine.ledger.resend(delivery_id)
        await self._engine.dispatcher.resume(view.destination)
        return self._changed(view)

    async def _must_be_on(self, delivery_id: int) -> None:
        blocked = self.not_to_be_sent()
        name = (await self._engine.ledger.delivery(delivery_id)).destination
        if name in blocked:
            raise UsageError(blocked[name])

    def not_to_be_sent(self) -> dict[str, str]:
        """Destinations to which a person wants nothing sent, and the sentence that says so."""
        queues = self._engine.dispatcher.queues
        found: dict[str, str] = {}
        for name, destination in self._engine.live.destinations.items():
            if not destination.enabled:
                found[name] = f"The destination {name} is switched off in the config. Switch it on first."
            elif queues.paused_by_hand(name):
                found[name] = f"The destination {name} was paused by hand. Resume it first."
        return found

    async def destinations(self) -> list[DestinationView]:
        """Every destination of the config, in its order."""
        queues = self._engine.dispatcher.queues
        states = queues.states(self._engine.now())
        found: list[DestinationView] = []
        for name, destination in self._engine.live.destinations.items():
            state, reason = states.get(name, ("closed", ""))
            by_hand = queues.paused_by_hand(name)
            shown = state if destination.enabled else "off"
            note = queues.note(destination)
            found.append(DestinationView(name=name, state=shown, reason=reason, by_hand=by_hand, note=note))
        return found

    async def paused(self) -> PauseView | None:
        return self._engine.pause.view

    async def pause(self, until: float | None) -> PauseView | None:
        await self._engine.api.pause(until)
        return self._engine.pause.view

    async def resume(self) -> None:
        await self._engine.api.resume()

    async def pause_destination(self, name: str, reason: str = "") -> None:
        await self._engine.api.pause_destination(name, reason)

    async def resume_destination(self, name: str) -> None:
        await self._engine.api.resume_destination(name)

    async def send_anyway(self, event_id: int) -> tuple[str, ...]:
        return await self._engine.pipeline.send_anyway(event_id)

    async def test_event(self, login: str) -> int:
        """For all that stand for the channel of that login; by its key in the config, for that streamer alone.

        Raises NotFoundError for a streamer that is not in the config, or that Twitch does not know.
        """
        of_channel = self._of_channel(login)
        streamer = of_channel or self._streamer(login)
        if streamer.key not in self._engine.live.resolved:
            await self._engine.channels_looked_up(_LOOK_UP_SECONDS)
        unknown = self._engine.twitch.directory.unknown.get(streamer.key)
        if unknown is not None:
            raise NotFoundError(unknown)
        channel = self._engine.live.resolved.get(streamer.key)
        now = self._engine.now()
        message_id = f"test-{uuid.uuid4()}"
        event = StreamEvent(
            source="twitch",
            kind="stream.online",
            message_id=message_id,
            received_at=now,
            broadcaster_id=streamer.user_id or (channel.user_id if channel else ""),
            broadcaster_login=channel.login if channel else streamer.login,
            broadcaster_name=channel.display_name if channel else "",
            stream_id=message_id,
            started_at=now,
            test=True,
        )
        event_id = await self._engine.ledger.accept_for(event, None if of_channel else streamer.key)
        self._engine.pipeline.wake()
        return event_id

    async def event_report(self, event_id: int) -> EventReport:
        record = await self._engine.ledger.event(event_id)
        if record is None:
            raise NotFoundError(f"There is no event {event_id}.")
        parts = [record]
        if record.event.test and record.event.message_id is not None:
            parts = await self._engine.ledger.events_of_message(record.event.source, record.event.message_id) or parts
        deliveries = [
            each for part in reversed(parts) for each in await self._engine.ledger.deliveries(event_id=part.id)
        ]
        # Still in work if one of them is, and announced if one of them was.
        for state in (EventState.ACCEPTED, EventState.ANNOUNCED):
            record = next((part for part in parts if part.state is state), record)
            if record.state is state:
                break
        waiting = {each.destination for each in deliveries if each.state not in FINAL_STATES}
        blocked = {each.name: each.sentence for each in await self.destinations() if each.sentence}
        return EventReport(
            id=event_id,
            state=record.state.value,
            reason=record.reason,
            explanation=record.explanation,
            deliveries=tuple(reversed(deliveries)),
            blocked={name: sentence for name, sentence in blocked.items() if name in waiting},
        )

    async def channels(self) -> list[Channel]:
        """Waits for Twitch right after a start."""
        await self._engine.channels_looked_up(_LOOK_UP_SECONDS)
        return list(self._engine.live.resolved.values())

    async def conduits(self) -> list[ConduitView]:
        return await self._conduits.conduits()

    async def adopt_conduit(self, conduit_id: str) -> ConduitView:
        return await self._conduits.adopt_conduit(conduit_id)

    async def delete_conduit(self, conduit_id: str, *, force: bool = False) -> ConduitView:
        return await self._conduits.delete_conduit(conduit_id, force=force)

    async def subscriptions(self) -> Listing:
        return await self._subscriptions.subscriptions()

    async def subscriptions_status(self) -> SubscriptionsStatus:
        return await self._subscriptions.subscriptions_status()

    async def sync_subscriptions(self, new_secret: bool = False) -> SyncReport:
        return await self._subscriptions.sync_subscriptions(new_secret)

    async def delete_subscription(self, subscription_id: str) -> None:
        await self._subscriptions.delete_subscription(subscription_id)

    async def doctor(self, streamer: str | None = None, local: bool = False, recent: bool = False) -> Report:
        return await self._doctor.doctor(streamer, local, recent)

    def _of_channel(self, login: str) -> Streamer | None:
        """The first streamer whose channel has that login or user id."""
        wanted = login.strip().lower()
        live = self._engine.live
        for key, streamer in live.config.streamers.items():
            channel = live.resolved.get(key)
            if wanted and wanted in {
                streamer.login.lower(),
                streamer.user_id,
                channel.login.lower() if channel else "",
            }:
                return streamer
        return None

    def _streamer(self, login: str) -> Streamer:
        """By its key, else by its channel. Raises NotFoundError."""
        wanted = login.strip().lower()
        live = self._engine.live
        found = next((each for key, each in live.config.streamers.items() if wanted and key.lower() == wanted), None)
        if found := found or self._of_channel(login):
            return found
        known = ", ".join(sorted(live.config.streamers))
        there = f"There are: {known}" if known else "It has no streamers yet"
        raise NotFoundError(f"No streamer {login!r} is in the config. {there}.")

    def _changed(self, view: DeliveryView) -> DeliveryView:
        self._engine.bus.publish(DeliveryChanged.of(view))
        self._engine.dispatcher.wake()
        self._engine.feed.changed()
        return view
