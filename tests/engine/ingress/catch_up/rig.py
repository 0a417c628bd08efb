"""Catching up on a real ledger, with the real client against the simulator, a clock that stands still, and the
pipeline beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from itsjustintv_desktop.engine.config.schema import Config, Streamer, Twitch
from itsjustintv_desktop.engine.core.events import Bus, EngineEvent
from itsjustintv_desktop.engine.ingress.catch_up import CatchUp
from itsjustintv_desktop.engine.storage.ledger import EventRecord
from itsjustintv_desktop.simulator.server import Simulator
from tests.engine.twitch.rig import MemoryStore, Rig
from tests.support.builders import make_config
from tests.support.world import World, opened_world

E = TypeVar("E", bound=EngineEvent)


class Net:
    """`streamers` are alice, bob, ... of the simulator; all are watched."""

    def __init__(self, world: World, rig: Rig) -> None:
        self.world = world
        self.rig = rig
        self.simulator = rig.simulator
        self.clock = world.clock
        self.bus = Bus()
        self._heard = self.bus.subscribe()
        self.watched: list[str] = []
        self.submitted = 0
        self.catch_up = self.new()

    def new(self) -> CatchUp:
        """What a start of the program makes."""
        made = CatchUp(
            self.rig.helix,
            self.world.ledger,
            config=self.world.holder,
            watched=lambda: self.watched,
            skew=lambda: self.rig.http.skew.seconds,
            bus=self.bus,
            clock=self.clock,
            dice=lambda: 0.5,
        )
        made.stored.connect(self._on_submitted)
        return made

    def _on_submitted(self) -> None:
        self.submitted += 1
        self.world.pipeline.wake()

    def watch(self, *logins: str, **tables: Any) -> None:
        """A channel of each at Twitch, and a config with them that has the destination main."""
        for login in logins:
            if self.simulator.state.find(login) is None:
                self.simulator.add_channel(login, tags=("English",))
        self.watched = [self.user_id(login) for login in logins]
        self.configure(*(self.streamer(login) for login in logins), **tables)

    def configure(self, *streamers: Streamer, **tables: Any) -> None:
        self.world.config = catching(*streamers, **tables)

    def streamer(self, login: str, **details: Any) -> Streamer:
        return Streamer(
            **{"key": login, "login": login, "user_id": self.user_id(login), "destinations": ("main",), **details}
        )

    def user_id(self, login: str) -> str:
        return self.simulator.state.get(login).user_id

    async def live(self, login: str, ago: float = 0.0, stream_id: str | None = None) -> str:
        """It went live that many seconds ago and no message of Twitch's reached us; the stream's id."""
        stream = await self.simulator.go_live(login, stream_id=stream_id, notify=False)
        stream.started_at = self.simulator.state.now() - ago
        stream.visible_at = 0.0
        return stream.id

    async def over(self, login: str) -> None:
        await self.simulator.go_offline(login, notify=False)

    async def ask(self, catch_up: CatchUp | None = None) -> None:
        """One round, now."""
        await (catch_up or self.catch_up)._turn()

    async def records(self) -> list[EventRecord]:
        """Oldest first."""
        return (await self.world.ledger.events())[::-1]

    async def reasons(self) -> list[str]:
        """Reason of each event, or its state where there is none."""
        return [record.reason or record.state.value for record in await self.records()]

    def events(self, kind: type[E]) -> list[E]:
        """What was published so far."""
        return [event for event in self._heard._events if isinstance(event, kind)]


def catching(*streamers: Streamer, **twitch: Any) -> Config:
    return make_config(*streamers, twitch=Twitch(**twitch))


def changed(streamer: Streamer, **details: Any) -> Streamer:
    return msgspec.structs.replace(streamer, **details)


@asynccontextmanager
async def opened_net(folder: Path, *, rate_limit: int = 800) -> AsyncIterator[Net]:
    async with opened_world(folder) as world, Simulator(clock=world.clock, rate_limit=rate_limit) as simulator:
        rig = Rig(simulator, world.clock, MemoryStore())  # type: ignore[arg-type]
        try:
            yield Net(world, rig)
        finally:
            await rig.tasks.stop()
            await rig.http.close()
