"""Announcements: paused and resumed, tried with a test, sent all the same, and how far one came."""

from __future__ import annotations

import uuid

import msgspec

from itsjustintv_desktop.engine.announce.pause import Pause, PauseView
from itsjustintv_desktop.engine.announce.pipeline import Pipeline
from itsjustintv_desktop.engine.api.channels import Channels
from itsjustintv_desktop.engine.api.destinations import Destinations
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import NotFoundError
from itsjustintv_desktop.engine.core.models import FINAL_STATES, DeliveryView, EventState, StreamEvent
from itsjustintv_desktop.engine.storage.ledger import Ledger


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


class Pausing:
    """Announcements held back for a while. Raises UsageError, LedgerError."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause

    async def paused(self) -> PauseView | None:
        """None while announcements are made."""
        return self._pause.view

    async def pause(self, until: float | None = None) -> PauseView | None:
        """Announce nothing until then (Unix seconds), or until resumed; tests and what is sent by hand go out.

        A pause that runs gets the new end. Raises UsageError for a time that has passed, LedgerError.
        """
        await self._pause.begin(until)
        return self._pause.view

    async def resume(self) -> None:
        """Announce again. Harmless while nothing is paused. Raises LedgerError."""
        await self._pause.resume()


class Announcements(Pausing):
    """Each takes effect at once."""

    def __init__(
        self,
        pause: Pause,
        pipeline: Pipeline,
        ledger: Ledger,
        destinations: Destinations,
        channels: Channels,
        clock: Clock,
    ) -> None:
        super().__init__(pause)
        self._pipeline = pipeline
        self._ledger = ledger
        self._destinations = destinations
        self._channels = channels
        self._clock = clock

    async def send_anyway(self, event_id: int) -> tuple[str, ...]:
        """Announce a suppressed event; the names of the destinations it goes to.

        Raises NotFoundError, UsageError, LedgerError.
        """
        return await self._pipeline.send_anyway(event_id)

    async def test_event(self, login: str) -> int:
        """Put a test announcement into the pipeline; the id of its event.

        For all that stand for the channel of that login; by its key in the config, for that streamer alone.
        Raises NotFoundError for a streamer that is not in the config, or that Twitch does not know.
        """
        of_channel = self._channels.find(login)
        streamer = of_channel or self._channels.streamer(login)
        channel = await self._channels.of_streamer(streamer)
        now = self._clock.now()
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
        event_id = await self._ledger.accept_for(event, None if of_channel else streamer.key)
        self._pipeline.wake()
        return event_id

    async def event_report(self, event_id: int) -> EventReport:
        """Raises NotFoundError, LedgerError."""
        record = await self._ledger.event(event_id)
        if record is None:
            raise NotFoundError(f"There is no event {event_id}.")
        parts = [record]
        if record.event.test and record.event.message_id is not None:
            parts = await self._ledger.events_of_message(record.event.source, record.event.message_id) or parts
        deliveries = [each for part in reversed(parts) for each in await self._ledger.deliveries(event_id=part.id)]
        # Still in work if one of them is, and announced if one of them was.
        for state in (EventState.ACCEPTED, EventState.ANNOUNCED):
            record = next((part for part in parts if part.state is state), record)
            if record.state is state:
                break
        waiting = {each.destination for each in deliveries if each.state not in FINAL_STATES}
        blocked = {each.name: each.sentence for each in await self._destinations.list() if each.sentence}
        return EventReport(
            id=event_id,
            state=record.state.value,
            reason=record.reason,
            explanation=record.explanation,
            deliveries=tuple(reversed(deliveries)),
            blocked={name: sentence for name, sentence in blocked.items() if name in waiting},
        )
