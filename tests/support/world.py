"""Pipeline and dispatcher on a real ledger, with a clock that stands still, a scripted source and a scripted sender."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

import msgspec

from itsjustintv_desktop.engine.announce import pipeline
from itsjustintv_desktop.engine.announce.pipeline import Pipeline
from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.schema import Config, Destination
from itsjustintv_desktop.engine.core.clock_trust import WallClock
from itsjustintv_desktop.engine.core.errors import SecretsError
from itsjustintv_desktop.engine.core.events import Bus, DeliveryChanged, EngineEvent
from itsjustintv_desktop.engine.core.models import (
    AttemptResult,
    DeliveryState,
    DeliveryView,
    Enrichment,
    EventState,
    Outcome,
    StreamEvent,
)
from itsjustintv_desktop.engine.core.sources import WatchedStreamer
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.delivery.attempt import Sender
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.storage.ledger import EventRecord, Ledger
from tests.support.builders import make_config, make_event
from tests.support.clock import FakeClock
from tests.support.holding import holding
from tests.support.waiting import until

E = TypeVar("E", bound=EngineEvent)

SENT = AttemptResult(outcome=Outcome.DELIVERED, status=204)
BUSY = AttemptResult(outcome=Outcome.RETRY, status=503, error="answered 503 Service Unavailable")
REFUSED = AttemptResult(outcome=Outcome.DEAD, status=404, error="refused with 404 Not Found")
GONE = AttemptResult(outcome=Outcome.GONE, status=410, error="answered 410 Gone: this webhook no longer exists there")


class FakeEnricher:
    """Answers what the test says, when `gate` is open."""

    def __init__(self) -> None:
        self.facts = Enrichment(login="alice", name="Alice", tags=("English",), title="A title")
        self.live: bool | None = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: Exception | None = None
        self.asked: list[StreamEvent] = []
        self.asked_live: list[tuple[str, str]] = []

    async def enrich(self, event: StreamEvent, _streamer: WatchedStreamer, *, timeout: float) -> Enrichment:
        assert timeout > 0
        self.asked.append(event)
        await self.gate.wait()
        if self.broken is not None:
            raise self.broken
        return self.facts

    async def is_live(self, broadcaster_id: str, stream_id: str, *, timeout: float) -> bool | None:
        assert timeout > 0
        self.asked_live.append((broadcaster_id, stream_id))
        return self.live


class Post(msgspec.Struct, frozen=True):
    destination: str
    url: str
    secret: str | None
    webhook_id: str
    payload: Any
    at: float


class FakeSender(Sender):
    """Every POST gets the next result of its destination's script, then `default`; `hanging` ones get none."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.clock = clock
        self.default = SENT
        self.script: dict[str, list[AttemptResult]] = {}
        self.hanging: set[str] = set()
        self.under_way: dict[str, int] = {}
        self.posts: list[Post] = []
        self.ended: asyncio.Event = asyncio.Event()
        """Set it to let the hanging ones end as `default` says."""
        self.broken: Exception | None = None

    def to(self, name: str) -> list[Post]:
        return [post for post in self.posts if post.destination == name]

    async def post(
        self,
        destination: Destination,
        *,
        url: str,
        secret: str | None,
        webhook_id: str,
        body: bytes,
        content_type: str = "application/json",
    ) -> AttemptResult:
        assert content_type
        name = destination.name
        made = Post(name, url, secret, webhook_id, msgspec.json.decode(body), self.clock.now())
        self.posts.append(made)
        self.under_way[name] = self.under_way.get(name, 0) + 1
        try:
            if name in self.hanging:
                await self.ended.wait()
        finally:
            self.under_way[name] -= 1
        if self.broken is not None:
            raise self.broken
        script = self.script.get(name)
        return script.pop(0) if script else self.default


class FakeVault:
    """Where "@keyring" addresses come from."""

    def __init__(self) -> None:
        self.locked: SecretsError | None = None
        self.url: str | None = "https://vault.example/hook"
        self.secret: str | None = "from-the-vault"

    async def destination(self, _name: str) -> Any:
        if self.locked is not None:
            raise self.locked
        return SimpleNamespace(url=self.url, secret=self.secret)


class _Ear(Bus):
    def __init__(self, heard: list[EngineEvent]) -> None:
        super().__init__()
        self._heard = heard

    def publish(self, event: EngineEvent) -> None:
        self._heard.append(event)


class World:
    """All of it. `config` may be exchanged at any moment; `restart` keeps the ledger's file only."""

    def __init__(self, folder: Path, made: Config, clock: FakeClock) -> None:
        self.path = folder / "ledger.db"
        self.clock = clock
        self.holder = holding()
        self.config = made
        self.enricher = FakeEnricher()
        self.sender = FakeSender(clock)
        self.vault = FakeVault()
        self.heard: list[EngineEvent] = []
        self.announced = 0
        self.outcomes = 0
        self.unwatched: list[str] = []
        self.images: dict[str, bytes] = {}
        self.tasks = Tasks()
        self.wall_clock = WallClock(clock, lambda: 0.0)
        self.ledger: Ledger
        self.pipeline: Pipeline
        self.dispatcher: Dispatcher

    @property
    def config(self) -> Config:
        return self.holder.current.config

    @config.setter
    def config(self, made: Config) -> None:
        self.holder.current = ActiveConfig(made, {})

    @property
    def live(self) -> ActiveConfig:
        return self.holder.current

    async def open(self) -> None:
        self.ledger = Ledger(self.path, self.clock)
        await self.ledger.open()
        bus = _Ear(self.heard)
        enrichers = {"twitch": self.enricher}
        self.pipeline = Pipeline(
            self.ledger,
            enrichers,
            config=self.holder,
            bus=bus,
            clock=self.clock,
        )
        self.pipeline.announced.connect(self._on_announced)
        self.pipeline.unwatched.connect(self.unwatched.append)
        self.dispatcher = Dispatcher(
            self.ledger,
            self.sender,
            self.vault,
            enrichers,
            config=self.holder,
            read_image=self._read_image,
            bus=bus,
            clock=self.clock,
            clock_doubtful=lambda: self.wall_clock.doubtful,
            dice=lambda: 0.5,  # no jitter
        )
        self.dispatcher.changed.connect(self._on_outcome)

    async def close(self) -> None:
        await self.tasks.stop()
        await self.ledger.close()

    async def restart(self) -> None:
        """What a stop and a start of the program do; `run_*` is called again by the test."""
        await self.close()
        self.tasks = Tasks()
        await self.open()

    def run_pipeline(self) -> None:
        self.tasks.start("pipeline", self.pipeline.run())

    async def run_pipeline_for(self, jobs: int) -> None:
        """Run the pipeline and kill it after so many jobs of the ledger."""
        reached, run, count = asyncio.Event(), self.ledger._run, 0

        async def counted(job: Any, *arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count > jobs:
                reached.set()
                await asyncio.Event().wait()
            return await run(job, *arguments, **named)

        self.ledger._run = counted  # type: ignore[method-assign]
        task = self.tasks.start("pipeline", self.pipeline.run())
        quiet = self.tasks.start("quiet", asyncio.sleep(0.3))
        await asyncio.wait([self.tasks.start("reached", reached.wait()), quiet], return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await asyncio.wait([task])

    def run_dispatcher(self) -> None:
        self.tasks.start("dispatcher", self.dispatcher.run())

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in self.heard if isinstance(event, kind)]

    async def refuse_soon(self) -> None:
        """The ledger waits a moment only for another program that holds its file."""
        await self.ledger._writer.run(lambda connection: connection.execute("PRAGMA busy_timeout = 50").close())

    async def accept(self, **details: Any) -> int:
        """A new event in the ledger, and the pipeline told; its id."""
        assert await self.ledger.accept_now(make_event(**{"received_at": self.clock.now(), **details}))
        self.pipeline.wake()
        return (await self.ledger.events(limit=1))[0].id

    async def settled(self, event_id: int) -> EventRecord:
        """The event, as soon as it is settled."""

        async def look() -> EventRecord | None:
            record = await self.ledger.event(event_id)
            return record if record and record.state is not EventState.ACCEPTED else None

        found: EventRecord = await until(look, what=f"event {event_id} is settled")
        return found

    async def settle(self, **details: Any) -> EventRecord:
        """A new event in the ledger, as soon as it is settled."""
        return await self.settled(await self.accept(**details))

    async def queue(self, *names: str, payload: Any = None, **details: Any) -> dict[str, int]:
        """An announced event with a delivery to each of these (main when none is named), ready to be sent."""
        event_id = await self.accept(**details)
        body = {"event": {"id": str(event_id)}, "image": None, **(payload or {})}
        made = await self.ledger.announce(
            event_id, streamer="alice", payload=msgspec.json.encode(body), destinations=names or ("main",)
        )
        self.dispatcher.wake()
        return made.created

    async def one(self, name: str = "main", **details: Any) -> int:
        """A new delivery to one destination, ready to be sent, as `queue` makes it; its id."""
        return (await self.queue(name, **details))[name]

    async def waits_until_due(self) -> None:
        """The dispatcher has looked at everything and sleeps."""
        await until(lambda: self.clock.sleeping)

    async def reached(self, delivery_id: int, *states: DeliveryState, attempts: int | None = None) -> DeliveryView:
        """The delivery, as soon as it is in one of these states (after so many attempts)."""

        async def look() -> DeliveryView | None:
            view = await self.ledger.delivery(delivery_id)
            return view if view.state in states and attempts in {None, view.attempts} else None

        found: DeliveryView = await until(look, what=f"delivery {delivery_id} is {', '.join(states)}")
        return found

    async def is_delivered(self, delivery_id: int) -> bool:
        return (await self.ledger.delivery(delivery_id)).state is DeliveryState.DELIVERED

    def changes(self, delivery_id: int) -> list[DeliveryState]:
        return [event.state for event in self.events(DeliveryChanged) if event.id == delivery_id]

    def _on_announced(self) -> None:
        self.announced += 1
        self.dispatcher.wake()

    def _on_outcome(self) -> None:
        self.outcomes += 1

    async def _read_image(self, digest: str) -> bytes | None:
        return self.images.get(digest)


@asynccontextmanager
async def opened_world(folder: Path, made: Config | None = None) -> AsyncIterator[World]:
    """Its pipeline takes no breath between two pages of events."""
    world = World(folder, made or make_config(), FakeClock())
    with mock.patch.object(pipeline, "_BREATH", 0.0):
        await world.open()
        try:
            yield world
        finally:
            world.sender.ended.set()
            world.enricher.gate.set()
            await world.close()
