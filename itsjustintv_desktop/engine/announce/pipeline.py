"""One event from top to bottom: match, enrich, filter, payload, and one transaction that makes its deliveries.

Works from the ledger, not from memory: what was accepted and not settled when the program ended is taken up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from itsjustintv_desktop.engine.announce import payload as payloads
from itsjustintv_desktop.engine.announce.broadcast_continuity import (
    BroadcastContinuity,
    Candidate,
    PreviousBroadcast,
    settlement,
    suppressed,
)
from itsjustintv_desktop.engine.announce.payload import EnrichmentDeadline
from itsjustintv_desktop.engine.announce.suppression import (
    PausedStreams,
    Triage,
    already,
    held_back,
    why_already,
    why_goes_on,
)
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Streamer
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, NotFoundError, UsageError
from itsjustintv_desktop.engine.core.events import Bus, EventSettled, Signal
from itsjustintv_desktop.engine.core.models import Enrichment, EventState, StreamEvent
from itsjustintv_desktop.engine.core.sources import Enricher
from itsjustintv_desktop.engine.core.tags import passes
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.instrumentation import Instrumentation, TraceIds, announcing_for, begin_announcing
from itsjustintv_desktop.engine.storage.ledger import EventOutcome, EventRecord, Ledger

T = TypeVar("T")

ENRICH_SECONDS = 10.0
IN_FLIGHT = 1000
"""Most events being enriched at a time; the rest wait in the ledger."""
_PAUSE = 1.0
"""Seconds before the ledger is asked again after it failed."""
_PAGE = 100
_BREATH = 0.05
"""Events of a page, and seconds between two: while messages pour in, loop and ledger belong to accepting them."""
_LINES = 3
"""Most lines of a kind that one page of events writes into the log."""

_log = structlog.get_logger(__name__)


class Pipeline:
    """Settles accepted events."""

    def __init__(
        self,
        ledger: Ledger,
        enrichers: Mapping[str, Enricher],
        *,
        config: ConfigHolder,
        bus: Bus,
        clock: Clock,
        skew: Callable[[], float] = lambda: 0.0,
        instrumentation: Instrumentation | None = None,
        paused: Callable[[], bool] = lambda: False,
        paused_at: Callable[[float], bool] = lambda _: False,
    ) -> None:
        """While `paused`, everything is listed with its details and nothing announced but tests; nor is what began or
        came while it was `paused_at` that moment (Unix seconds by our clock).

        `skew` is the source's time minus ours, in seconds.
        """
        self._ledger = ledger
        self._enrichers = enrichers
        self._config = config
        self._bus = bus
        self._clock = clock
        self.announced: Signal[()] = Signal()
        """Deliveries were made."""
        self.unwatched: Signal[str] = Signal()
        """The id of a subscription for a channel that is no longer watched."""
        self.revoked: Signal[StreamEvent] = Signal()
        """The source ended a subscription."""
        self.broadcast_seen: Signal[StreamEvent] = Signal()
        """A watched channel went live or offline."""
        self._instrumentation = instrumentation or Instrumentation()
        self._held = PausedStreams(ledger, active=paused, covers=paused_at, skew=skew)
        self._restarts = BroadcastContinuity(ledger, clock=clock, skew=skew, on_broadcast=self.broadcast_seen.emit)
        self._triage = Triage(ledger, self._held, self._restarts)
        self._timed = EnrichmentDeadline(clock)
        self._tasks = Tasks()
        self._wake = asyncio.Event()
        self._wake.set()
        self._seen = 0
        self._places = asyncio.Semaphore(IN_FLIGHT)
        self._latest: dict[tuple[str, str], asyncio.Task[None]] = {}
        """The task that announces a stream now, where several streamers stand for its channel."""

    @property
    def in_flight(self) -> int:
        """Events being announced at this moment."""
        return len(self._tasks)

    def wake(self) -> None:
        """There is something new in the ledger."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled. Started again, it takes up whatever is unfinished in the ledger."""
        self._seen = 0
        self._wake.set()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    while True:
                        if not await self._page():
                            break
                        await asyncio.sleep(_BREATH)
                except LedgerError as error:
                    _log.warning("events wait for the ledger", reason=error.message)
                    await self._clock.sleep(_PAUSE)
                    self._wake.set()
        finally:
            await self._tasks.stop()

    async def _page(self) -> bool:
        page = await self._ledger.unfinished(after=self._seen, limit=_PAGE)
        settled, chosen, rivals = await self._triage.sort(page, self._config.current)
        if settled:
            await self._ledger.settle([outcome for _, outcome in settled])
        if page:
            self._seen = page[-1].id
        self._tell(settled)
        for record, outcome in settled:
            if outcome.reason == "not_watched" and record.event.subscription_id:
                self.unwatched.emit(record.event.subscription_id)
            elif outcome.reason == "revoked":
                self.revoked.emit(record.event)
        for each in chosen:
            await self._places.acquire()
            before_it = self._latest.get(each.stream[:2]) if each.entry else None
            task = self._tasks.start("announce.event", self._announce(each, rivals.get(each.record.id), before_it))
            if each.entry:
                self._latest[each.stream[:2]] = task
            await asyncio.sleep(0)  # one per iteration: answers to Twitch must not queue behind hundreds of these
        self._latest = {stream: task for stream, task in self._latest.items() if not task.done()}
        return bool(page)

    async def _announce(
        self, chosen: Candidate, rival: PreviousBroadcast | None, before: asyncio.Task[None] | None
    ) -> None:
        """`before`: the same stream for a streamer that comes earlier in the config, and has the first say."""
        record, streamer = chosen.record, chosen.streamer
        # Every log line of this task names the notification it is about.
        structlog.contextvars.bind_contextvars(notification=record.notification, event_id=record.id)
        if self._instrumentation.observer is not None:
            event = record.event
            trace = TraceIds(event.source, event.message_id, record.id, event.received_at)
            begin_announcing(record.id, trace, self._clock.monotonic())
        try:
            try:
                body, tags = await self._payload(record, streamer)
                if before is not None:
                    await asyncio.wait([before])
                settle = partial(self._settle, chosen, body, tags, rival)
                created = await self._insist(record, settle)
            except NotFoundError:
                # The ledger was damaged and a new one begun meanwhile: Twitch will not send it again, we still can.
                _log.warning("an event is stored anew in the new ledger", event_id=record.id)
                await self._insist(record, partial(self._ledger.accept_now, record.event))
                self.wake()
                return
            except Exception:  # noqa: BLE001 - a bug here must not leave an event without a visible end
                _log.exception("announcing broke", event_id=record.id)
                why = "A fault inside the program stopped it. See the log."
                await self._insist(record, partial(self._suppress, record, streamer, "fault", why))
                return
            if created is not None:
                self._announced(record, streamer, created, body)
        finally:
            self._places.release()

    async def _insist(self, record: EventRecord, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, however long the ledger fails."""
        while True:
            try:
                return await work()
            except LedgerError as error:
                _log.warning("an announcement waits for the ledger", event_id=record.id, reason=error.message)
                await self._clock.sleep(_PAUSE)

    async def _settle(
        self,
        chosen: Candidate,
        body: bytes,
        tags: tuple[str, ...] | None,
        rival: PreviousBroadcast | None,
    ) -> tuple[str, ...] | None:
        """One transaction: its destinations, or None if it is not announced."""
        record, streamer, destinations, _ = chosen
        if not record.event.test and streamer.tag_filter:
            if tags is None and self._config.current.config.filters.unknown == "suppress":
                why = "Its tags could not be had from Twitch, and [filters] unknown says to suppress then."
                await self._suppress(record, streamer, "tags_unknown", why, body)
                return None
            if tags is not None and not passes(streamer.tag_filter, tags):
                why = f"None of its tags is in the filter ({', '.join(streamer.tag_filter)})."
                await self._suppress(record, streamer, "filtered", why, body)
                return None
        if rival is not None and (fate := await self._restarts.fate(rival)):
            window = self._config.current.config.twitch.restart_window
            if fate == "announced":
                await self._end(record, settlement(record, streamer, rival.gap, window, body))
                return None
            if not self._held.was_on_at(rival.ended):
                await self._end(record, held_back(record, streamer, why_goes_on(window), body))
                return None
            # The one before ended before announcements were resumed: it was never announced, and this one is new.
        if self._held.covers(record.event):
            await self._end(record, held_back(record, streamer, body=body))
            return None
        outcome = await self._ledger.announce(
            record.id, streamer=streamer.key, payload=body, destinations=destinations, why_not=why_already(chosen)
        )
        if not outcome.anything:
            self._tell([(record, already(chosen))])
            return None
        return tuple(outcome.created)

    async def send_anyway(self, event_id: int) -> tuple[str, ...]:
        """Announce a suppressed event because a person wants it; the destinations it goes to.

        Raises NotFoundError, UsageError, LedgerError.
        """
        record = await self._ledger.event(event_id)
        if record is None:
            raise NotFoundError(f"There is no event {event_id}.")
        if record.state is not EventState.SUPPRESSED:
            raise UsageError(f"Event {event_id} was not suppressed. To send an announcement again, use resend.")
        live = self._config.current
        streamer = live.matcher.match(record.event, record.streamer)
        if streamer is None:
            raise UsageError("Nobody watches this channel any more. Add the streamer to the config first.")
        if live.has_only_disabled_destinations(streamer):
            raise UsageError("All destinations of this streamer are switched off. Switch one on first.")
        destinations = live.destinations_of(streamer)
        body = record.payload or (await self._payload(record, streamer))[0]
        outcome = await self._ledger.announce(
            record.id, streamer=streamer.key, payload=body, destinations=destinations, fresh=True
        )
        if not outcome.anything:
            raise UsageError("This stream was announced to every destination already. Use resend on a delivery.")
        self._announced(record, streamer, tuple(outcome.created), body)
        return tuple(outcome.created)

    async def _payload(self, record: EventRecord, streamer: Streamer) -> tuple[bytes, tuple[str, ...] | None]:
        enrichment = None
        try:
            enricher = self._enrichers[record.event.source]
            enrichment = await self._timed.enrich(enricher, record.event, streamer, seconds=ENRICH_SECONDS)
        except Exception:  # noqa: BLE001 - another platform's code, too: an announcement goes out, flagged
            _log.exception("enriching broke; the announcement goes out without details", event_id=record.id)
        enrichment = enrichment or Enrichment(missing=_DETAILS)
        built = payloads.build(record.event, streamer, enrichment, event_id=str(record.id))
        return msgspec.json.encode(built), enrichment.tags

    async def _suppress(
        self, record: EventRecord, streamer: Streamer, reason: str, why: str, body: bytes | None = None
    ) -> None:
        await self._end(record, suppressed(record, streamer, reason, why, body))

    async def _end(self, record: EventRecord, outcome: EventOutcome) -> None:
        await self._ledger.settle([outcome])
        self._tell([(record, outcome)])

    def _announced(self, record: EventRecord, streamer: Streamer, created: tuple[str, ...], body: bytes) -> None:
        enriched = bool(msgspec.json.decode(body, type=_Flags).enriched)
        _log.info(
            "announced",
            notification=record.notification,
            event_id=record.id,
            streamer=streamer.key,
            destinations=len(created),
            enriched=enriched,
            test=record.event.test,
        )
        self._publish(record, EventState.ANNOUNCED, streamer.key, None, None, destinations=created, enriched=enriched)
        self.announced.emit()

    def _publish(
        self,
        record: EventRecord,
        state: EventState,
        streamer: str | None,
        reason: str | None,
        explanation: str | None,
        *,
        destinations: tuple[str, ...] = (),
        enriched: bool = True,
    ) -> None:
        self._bus.publish(
            EventSettled(
                event_id=record.id,
                kind=record.event.kind,
                state=state.value,
                login=record.event.broadcaster_login,
                streamer=streamer,
                reason=reason,
                explanation=explanation,
                destinations=destinations,
                enriched=enriched,
                test=record.event.test,
            )
        )
        if (observer := self._instrumentation.observer) is not None:
            now, seconds = self._clock.now(), announcing_for(record.id, self._clock.monotonic())
            observer.settled(record, state.value, reason, destinations=len(destinations), ended=now, seconds=seconds)

    def _tell(self, settled: Sequence[tuple[EventRecord, EventOutcome]]) -> None:
        """Every event to those who watch; the log gets one line where a page holds many of a kind."""
        kinds: dict[tuple[bool, str], list[tuple[EventRecord, EventOutcome]]] = {}
        for record, outcome in settled:
            kinds.setdefault((outcome.state is EventState.SUPPRESSED, outcome.reason), []).append((record, outcome))
            self._publish(record, outcome.state, outcome.streamer, outcome.reason, outcome.explanation)
        for (loud, reason), some in kinds.items():
            level = _log.info if loud else _log.debug
            if len(some) > _LINES:
                level("not announced", count=len(some), events=f"{some[0][0].id} to {some[-1][0].id}", reason=reason)
                continue
            for record, outcome in some:
                level(
                    "not announced",
                    notification=record.notification,
                    event_id=record.id,
                    streamer=outcome.streamer,
                    reason=reason,
                )


_DETAILS = ("view_count", "followers_count", "tags", "language", "description", "image", "stream.title")


class _Flags(msgspec.Struct):
    enriched: bool
