"""What the doctor knows of destinations, the ledger and its disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import TypeVar

import msgspec

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.config.active import ActiveConfig, ConfigHolder
from itsjustintv_desktop.engine.config.destinations import destinations_of
from itsjustintv_desktop.engine.config.problems import Mistake
from itsjustintv_desktop.engine.config.schema import KEYRING, Destination, Streamer
from itsjustintv_desktop.engine.config.validators import standard_key, trimmed
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, SecretsError
from itsjustintv_desktop.engine.delivery.destination_queues import DestinationQueues
from itsjustintv_desktop.engine.monitoring.doctor.facts import DestinationFacts, LedgerFacts, MachineFacts
from itsjustintv_desktop.engine.monitoring.watchdog import Watchdog
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.counting import Tally
from itsjustintv_desktop.engine.storage.ledger.latest import LastAnswer
from itsjustintv_desktop.engine.storage.output import OutputFile
from itsjustintv_desktop.engine.storage.secrets import SecretStore
from itsjustintv_desktop.engine.storage.secrets.content import DestinationSecrets

OVERDUE = 300.0
"""Seconds after which work that could be done and is not means that something stands still."""
ANSWERS = 50
"""Destinations that one job of the ledger looks at."""
LEDGER_SECONDS = 5.0

T = TypeVar("T")

NOTHING = Tally(by_state={}, waiting={}, unfinished_events=0)
"""Of a ledger that does not answer."""


class DestinationCollector:
    """Whether something speaks against sending, and what came of the last attempt."""

    def __init__(
        self,
        config: ConfigHolder,
        queues: DestinationQueues,
        ledger: Ledger,
        store: SecretStore,
        clock: Clock,
    ) -> None:
        self._config = config
        self._queues = queues
        self._ledger = ledger
        self._store = store
        self._clock = clock

    async def read(self, asked: Streamer | None) -> tuple[DestinationFacts, ...]:
        """Those of `asked`, or all."""
        active = self._config.current
        names = list(active.destinations) if asked is None else list(destinations_of(active.config, asked))
        answers: dict[str, LastAnswer] = {}
        for start in range(0, len(names), ANSWERS):
            part = names[start : start + ANSWERS]
            answers |= await unless_broken(self._ledger.last_answers(part)) or {}
        every = [active.destinations[name] for name in names]
        return tuple([self._facts(active, each, await self._problem(each), answers) for each in every])

    def known(self, answers: Mapping[str, LastAnswer]) -> tuple[DestinationFacts, ...]:
        """All, by what is in memory."""
        active = self._config.current
        rows = [self._facts(active, each, self._known_problem(each), answers) for each in active.destinations.values()]
        return tuple(rows)

    def _facts(
        self, active: ActiveConfig, destination: Destination, problem: str | None, answers: Mapping[str, LastAnswer]
    ) -> DestinationFacts:
        name = destination.name
        state, reason = self._queues.state(name, self._clock.now())
        return DestinationFacts(
            destination=destination,
            used=active.users[name] > 0,
            state=state,
            by_hand=self._queues.paused_by_hand(name),
            reason=reason,
            address_problem=problem,
            note=self._queues.note(destination),
            last=None if self._has_new_address(destination) else answers.get(name),
        )

    def _has_new_address(self, destination: Destination) -> bool:
        """What the receiver at the old one responded says nothing of it."""
        kept = self._store.known_destination(destination.name) if destination.url == KEYRING else destination
        url = trimmed(kept.url or "") if kept is not None else ""
        return bool(url) and self._queues.has_new_address(destination.name, url)

    async def _problem(self, destination: Destination) -> str | None:
        """Why its address or secret cannot be had."""
        if not _needs_vault(destination):
            return None
        try:
            return _lacking(destination, await self._store.destination(destination.name))
        except SecretsError as error:
            return error.message

    def _known_problem(self, destination: Destination) -> str | None:
        if not _needs_vault(destination):
            return None
        kept = self._store.known_destination(destination.name)
        return _lacking(destination, kept) if kept is not None else self._store.state.message or None


class LedgerCollector:
    """Whether what comes in can be kept, and is worked on."""

    def __init__(
        self,
        ledger: Ledger,
        queues: DestinationQueues,
        output: OutputFile,
        watch: Watchdog,
        pause: Pause,
        config: ConfigHolder,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._queues = queues
        self._output = output
        self._watch = watch
        self._pause = pause
        self._config = config
        self._clock = clock

    async def read(self, *, running: bool) -> LedgerFacts:
        """With what it says now."""
        try:
            async with asyncio.timeout(LEDGER_SECONDS):
                return self.known(await self._ledger.tally(), running=running)
        except LedgerError as error:
            problem = error.message
        except TimeoutError:
            problem = "It does not answer in time: the disk hangs, or has far too much to do."
        return msgspec.structs.replace(self.known(NOTHING, running=running), problem=problem)

    def known(self, tally: Tally, *, running: bool) -> LedgerFacts:
        """With what it said. Nothing is late where nothing runs that would work on it."""
        failure, standing = self._ledger.failure, self._watch.deliveries() or self._watch.announce()
        oldest = tally.oldest_event if running else None
        due = {name: one.first_due for name, one in tally.waiting.items() if one.first_due is not None}
        return LedgerFacts(
            problem=failure.message if failure is not None else None,
            alive=self._ledger.alive,
            waiting=tally.by_state.get("pending", 0),
            stuck=self.stuck(due.items()) if running else {},
            standing=standing.reason if standing is not None else None,
            oldest_event=oldest if oldest is not None and oldest < self._clock.now() - OVERDUE else None,
            output_problem=self._output.problem,
            lately=self._ledger.lately,
        )

    async def machine(self) -> MachineFacts:
        """With a look at the disk."""
        disk = self._watch.disk
        return MachineFacts(free=await disk.measure(LEDGER_SECONDS), folder=str(disk.folder))

    def known_machine(self) -> MachineFacts:
        disk = self._watch.disk
        return MachineFacts(free=disk.free, folder=str(disk.folder), looked=disk.free is not None)

    def stuck(self, waiting: Iterable[tuple[str, float]]) -> dict[str, float]:
        """Where something has long been due, nothing is under way, and nothing speaks against sending."""
        if self._pause.active:
            return {}  # it stands still because a person wants it so
        now, destinations = self._clock.now(), self._config.current.destinations
        found: dict[str, float] = {}
        for name, due in waiting:
            queue = self._queues.queue(name)
            free = name in destinations and destinations[name].enabled and queue.breaker.name(now) == "closed"
            idle = not queue.in_flight and not queue.failing and queue.held_until <= now
            if free and idle and due < now - OVERDUE:
                found[name] = due
        return found


async def unless_broken(asked: Awaitable[T]) -> T | None:
    """What the ledger answers; None while it cannot, which a check of its own tells."""
    try:
        async with asyncio.timeout(LEDGER_SECONDS):
            return await asked
    except (LedgerError, TimeoutError):
        return None


def _needs_vault(destination: Destination) -> bool:
    return destination.enabled and KEYRING in {destination.url, destination.secret}


def _lacking(destination: Destination, kept: DestinationSecrets) -> str | None:
    """What of a destination's address and secret is not in the vault, or cannot be used."""
    if destination.url == KEYRING and not kept.url:
        return "no address of this name is in the vault."
    if destination.secret != KEYRING:
        return None
    if not kept.secret:
        return "no secret of this name is in the vault."
    return _unusable(kept.secret) if destination.signature == "standard-webhooks" else None


def _unusable(secret: str) -> str | None:
    """Why a secret of Standard Webhooks that lies in the vault cannot sign."""
    try:
        standard_key(secret)
    except Mistake as mistake:
        return f"{mistake}."
    return None
