"""The durable heart: every event and delivery, and all that is done to them, behind one small interface.

All methods raise LedgerError when the file cannot be used at the moment; nothing is half done then.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, DeliveryView, StreamEvent
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.storage.ledger import (
    announcing,
    catching,
    changing,
    claiming,
    counting,
    history,
    importing,
    latest,
    listing,
    managing,
    progress,
    queries,
    renaming,
)
from itsjustintv_desktop.engine.storage.ledger.records import (
    Announced,
    ClaimBatch,
    Counts,
    EventOutcome,
    EventRecord,
    FeedEntry,
    Finish,
    WaitingPage,
)
from itsjustintv_desktop.engine.storage.ledger.settling import Settle
from itsjustintv_desktop.engine.storage.ledger.state import LedgerState
from itsjustintv_desktop.engine.storage.ledger.streams import Streams
from itsjustintv_desktop.engine.storage.ledger.writer import Writer

T = TypeVar("T")


class Ledger(Streams, LedgerState):
    """SQLite in one thread (writer.py). Open it once a data directory, under the instance lock."""

    def __init__(self, path: Path, clock: Clock, *, on_notice: Callable[[str], None] | None = None) -> None:
        self._writer = Writer(path, on_notice=on_notice)
        self._clock = clock

    async def open(self) -> None:
        await self._writer.open()

    async def close(self) -> None:
        await self._writer.close()

    @property
    def failure(self) -> LedgerError | None:
        """Why nothing can be committed now, a disk that hangs included; None while all is well."""
        return self._writer.failure or self._writer.hang

    @property
    def failing_since(self) -> float | None:
        hanging = self._writer.hanging
        return self._writer.failing_since if hanging is None else self._clock.now() - hanging

    @property
    def changed_at(self) -> float:
        """When it began or ceased to fail, Unix seconds."""
        return self._writer.changed_at

    @property
    def lately(self) -> str | None:
        """What happened to the file within the last hour, as a sentence."""
        return self._writer.lately

    @property
    def hanging(self) -> float | None:
        """Seconds for which the disk has not finished a write, when that is too long."""
        return self._writer.hanging

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._writer.alive

    def health(self) -> Status:
        """Whether events can be kept."""
        if (failure := self.failure) is not None:
            return Status(Level.FAILING, failure.message, self.failing_since)
        if not self.alive:
            return Status(Level.FAILING, "Its thread has ended. Restart the program.")
        return Status(reason=self.lately or "", since=self.changed_at)

    # Accepting

    def accept(self, event: StreamEvent, settle: Settle) -> None:
        """Store an event durably before anything else waits its turn; `settle` hears the outcome on the loop."""
        self._writer.accept(event, settle)

    async def accept_now(self, event: StreamEvent) -> bool:
        """`accept`, waited for: True new, False known."""
        word: asyncio.Future[bool | LedgerError] = asyncio.get_running_loop().create_future()
        self._writer.accept(event, lambda outcome: None if word.done() else word.set_result(outcome))
        outcome = await word
        if isinstance(outcome, LedgerError):
            raise outcome
        return outcome

    # Announcing

    async def unfinished(self, after: int = 0, limit: int = 200) -> list[EventRecord]:
        """Accepted events with an id above `after`, oldest first."""
        return await self._run(announcing.unfinished, after, limit)

    async def event(self, event_id: int) -> EventRecord | None:
        return await self._run(announcing.event, event_id)

    async def announced_to(self, streams: Sequence[announcing.Stream]) -> set[announcing.Stream]:
        """Those of `streams`, (destination or FEED, broadcaster id, stream id), that were announced before."""
        return await self._run(announcing.announced_to, streams)

    async def announce(
        self,
        event_id: int,
        *,
        streamer: str,
        payload: bytes,
        destinations: Sequence[str],
        fresh: bool = False,
        why_not: str = "This stream was announced before.",
    ) -> Announced:
        """Make the deliveries of an event, each once, and settle it. See announcing.announce."""
        return await self._run(
            announcing.announce, event_id, streamer=streamer, payload=payload, destinations=destinations,
            now=self._clock.now(), fresh=fresh, why_not=why_not,
        )  # fmt: skip

    async def settle(self, settlements: Sequence[EventOutcome]) -> None:
        """Settle events without an announcement, keeping why."""
        await self._run(announcing.settle_many, settlements, self._clock.now())

    # Catching up

    async def catch_up(
        self, asked: Sequence[str], finds: Sequence[catching.Find], judge: catching.Judge, *, at: float
    ) -> catching.Caught:
        """Note, judge and store what a question found, in one transaction. See catching.catch_up."""
        return await self._run(catching.catch_up, asked, finds, judge, at, self._clock.now())

    # Delivering

    async def recover(self, latest: float) -> int:
        """After opening: interrupted deliveries are due again, none later than `latest`. Returns how many were."""
        return await self._run(claiming.recover, self._clock.now(), latest)

    async def claim(
        self,
        limit: int,
        slots: Mapping[str, int],
        default_slots: int,
        *,
        failing: Collection[str] = (),
        failing_limit: int = 0,
        only_forced: bool = False,
    ) -> ClaimBatch:
        """Take up to `limit` due deliveries; `slots` are the free places of a destination (0 = blocked).

        The destinations in `failing` together get no more than `failing_limit` of them. With `only_forced` nothing
        is taken but what a person asked for.
        """
        now = self._clock.now()
        return await self._run(claiming.claim, now, limit, slots, default_slots, failing, failing_limit, only_forced)

    async def posting(self, delivery_id: int) -> None:
        """Before an attempt that must be the last if its response is lost, too."""
        await self._run(claiming.posting, delivery_id)

    async def finish(self, finishes: Sequence[Finish]) -> None:
        """Record what became of claimed deliveries."""
        await self._run(claiming.finish, finishes, self._clock.now())

    async def cap_due(self, latest: float, spread: float = 0.0) -> int:
        """Bring one bite of due times beyond `latest` back to it, or to up to `spread` seconds earlier. How many."""
        return await self._run(claiming.cap_due, latest, spread)

    async def clamp_created_at(self, latest: float) -> int:
        """Let the age of one bite of waiting deliveries count from now, where they seem born after `latest`."""
        return await self._run(claiming.clamp_created_at, latest, self._clock.now())

    async def progress(self) -> progress.Progress:
        """What shows whether work goes on."""
        return await self._run(progress.progress)

    async def give_up(self, born_before: float, reason: str) -> int:
        """Dead-letter one bite of waiting deliveries older than that. Returns how many."""
        return await self._run(claiming.give_up, born_before, reason, self._clock.now())

    async def fail_removed(self, destination: str, reason: str) -> int:
        """Dead-letter one bite of a removed destination's waiting deliveries. Returns how many."""
        return await self._run(claiming.fail_removed, destination, reason, self._clock.now())

    async def count_waiting(self, destination: str) -> int:
        """Deliveries that wait for it, or are being sent to it."""
        return await self._run(renaming.count_waiting, destination)

    async def copy_once(self, old: str, new: str, after: tuple[str, str] = ("", "")) -> tuple[str, str] | None:
        """What was announced to `old` counts as announced to `new`, one bite; where the next begins, None = done."""
        return await self._run(renaming.copy_once, old, new, after)

    async def rename_waiting(self, old: str, new: str) -> int:
        """One bite of the waiting deliveries goes to another destination. Returns how many."""
        return await self._run(renaming.rename_waiting, old, new)

    async def rename_finished(self, old: str, new: str, after: int = 0) -> int | None:
        """The same for those that are finished: one bite by id; where the next begins, None = done."""
        return await self._run(renaming.rename_finished, old, new, after)

    async def waiting_destinations(self) -> list[tuple[str, float]]:
        """Destinations with waiting deliveries, and when the first of each is due."""
        return await self._run(claiming.waiting_destinations)

    async def waiting_page(self, after: int, limit: int) -> WaitingPage:
        """Counts some of the waiting deliveries, those with ids above `after`; asked page by page."""
        return await self._run(claiming.waiting_page, after, min(limit, 500))

    # Managing

    async def deliveries(
        self,
        *,
        before: int | None = None,
        states: Sequence[DeliveryState] = (),
        streamer: str | None = None,
        destination: str | None = None,
        event_id: int | None = None,
        limit: int = managing.PAGE,
    ) -> list[DeliveryView]:
        """One page (at most 200) of deliveries below the id `before`, newest first."""
        return await self._run(
            managing.page, before=before, states=states, streamer=streamer, destination=destination,
            event_id=event_id, limit=limit,
        )  # fmt: skip

    async def delivery(self, delivery_id: int) -> DeliveryView:
        """Raises NotFoundError."""
        return await self._run(managing.one, delivery_id)

    async def attempts(self, delivery_id: int) -> list[tuple[float, AttemptResult]]:
        return await self._run(managing.attempts, delivery_id)

    async def retry(self, delivery_id: int) -> DeliveryView:
        """Due at once, same webhook-id. Raises NotFoundError, UsageError."""
        return await self._run(managing.retry, delivery_id, self._clock.now())

    async def drop(self, delivery_id: int) -> DeliveryView:
        """Raises NotFoundError, UsageError."""
        return await self._run(managing.drop, delivery_id, self._clock.now())

    async def resend(self, delivery_id: int) -> DeliveryView:
        """A new delivery of the same announcement. Raises NotFoundError, UsageError."""
        return await self._run(managing.resend, delivery_id, self._clock.now())

    async def attempted(self, delivery_id: int) -> list[changing.Attempted]:
        """Every attempt of a delivery as it was written down, oldest first."""
        return await self._run(changing.attempts, delivery_id)

    async def set_due(self, delivery_id: int, at: float, max_age: float) -> DeliveryView:
        """Raises NotFoundError, UsageError."""
        return await self._run(changing.set_due, delivery_id, at, max_age, self._clock.now())

    async def change_many(
        self, action: changing.Action, ids: Sequence[int], blocked: Mapping[str, str]
    ) -> changing.Changed:
        """At most 500, in one transaction. See changing.many."""
        return await self._run(changing.many, action, ids, blocked, self._clock.now())

    async def retry_all(self, destination: str | None, after: int, blocked: Sequence[str]) -> tuple[int, int | None]:
        """See changing.retry_all."""
        return await self._run(changing.retry_all, destination, after, blocked, self._clock.now())

    async def all_due_now(self, destination: str) -> int:
        """All that wait for it are due now; how many that were."""
        total = 0
        after: int | None = 0
        while after is not None:
            some, after = await self._run(changing.retry_all, destination, after, (), self._clock.now(), False)
            total += some
        return total

    async def delivery_rows(self, choice: listing.Choice, before: int | None, limit: int) -> listing.Bite:
        return await self._run(listing.rows, choice, before, limit)

    async def delivery_ids(self, choice: listing.Choice, before: int | None) -> listing.IdBite:
        return await self._run(listing.ids, choice, before)

    async def delivery_count(self, choice: listing.Choice) -> int:
        """By states and destination alone."""
        return await self._run(listing.count, choice)

    async def delivery_destinations(self) -> list[str]:
        return await self._run(listing.destinations)

    async def counts(self) -> Counts:
        return await self._run(managing.counts)

    async def tally(self) -> counting.Tally:
        """How many deliveries there are, and what is due, by destination; as cheap for 100,000 as for none."""
        return await self._run(counting.tally, self._clock.now())

    async def day_borders(self, moments: Sequence[float]) -> list[counting.Border]:
        """The first ids at or after each of a handful of moments."""
        return await self._run(counting.borders, moments)

    async def counted_between(self, kind: counting.Kind, low: int, high: int) -> tuple[int, int | None]:
        return await self._run(counting.between, kind, low, high)

    async def streams_between(self, kind: counting.Streams, low: int, high: int) -> tuple[int, int | None]:
        return await self._run(counting.streams, kind, low, high)

    async def tests_between(self, low: int, high: int) -> dict[str, int]:
        return await self._run(counting.tests, low, high)

    async def last_answers(self, destinations: Sequence[str]) -> dict[str, latest.LastAnswer]:
        """What came of the last attempt at each; those without one are left out. At most 200 at a time."""
        return await self._run(latest.last_answers, destinations[: managing.PAGE])

    async def last_message(self, source: str) -> float | None:
        """When the last message of that source came in; None where there is none in the recent history."""
        return await self._run(latest.last_message, source)

    # History

    async def feed(self, limit: int, before: int | None = None) -> list[FeedEntry]:
        """The newest announced events with their deliveries, oldest first."""
        return await self._run(history.feed, limit, before)

    async def events(self, limit: int = 200, before: int | None = None) -> list[EventRecord]:
        """The newest events whatever became of them, newest first."""
        return await self._run(history.events, limit, before)

    async def recent(self, before: int | None, states: Collection[str]) -> list[queries.EventRow]:
        """The next few events a person cares about, newest first. See browsing.told."""
        return await self._run(queries.event_rows, before, states)

    async def deliveries_of(self, event_ids: Sequence[int]) -> list[DeliveryView]:
        return await self._run(queries.deliveries_of, event_ids)

    async def purge(self, history_before: float, noted_before: float, once_before: float) -> int:
        """Forget one bite of old things. Returns how many rows; 0 = done."""
        return await self._run(history.purge, history_before, noted_before, once_before)

    # Moving in

    async def take_over(self, entries: Sequence[importing.ImportedEvent]) -> list[bool]:
        """Store what another program announced, a page at a time; for each True new, False known."""
        return await self._run(importing.take_over, entries, self._clock.now())

    async def keep_told(self, keys: Sequence[tuple[bytes, float]]) -> int:
        """Remember streams that were announced elsewhere, until then. Returns how many were not known."""
        return await self._run(importing.keep_told, keys)

    async def has_told(self) -> bool:
        """Whether any stream is remembered that was announced elsewhere."""
        return await self._run(importing.has_told)

    async def told(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of a page of `importing.key_of` that were announced elsewhere."""
        return await self._run(importing.told, keys)

    async def forget_told(self) -> int:
        """Forget one bite of those whose time is over. Returns how many; 0 = done."""
        return await self._run(importing.forget_told, self._clock.now())

    async def _run(self, job: Callable[..., T], *arguments: Any, **named: Any) -> T:
        def work(connection: sqlite3.Connection) -> T:
            return job(connection, *arguments, **named)

        return await self._writer.run(work)
