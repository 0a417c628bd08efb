"""A ConduitTransport against the simulator, with a real ledger, and clocks that move only when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.models import Conduit, StreamEvent
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.conduit import ConduitTransport
from itsjustintv_desktop.engine.ingress.transports import TransportStatus
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.records import EventRecord
from itsjustintv_desktop.engine.twitch.client import HelixClient
from itsjustintv_desktop.engine.twitch.helix import Conduits
from itsjustintv_desktop.engine.twitch.http import ClockSkew, TwitchHttp
from itsjustintv_desktop.engine.twitch.tokens import AppTokens, Credentials
from itsjustintv_desktop.simulator import Simulator
from tests.support.clock import FakeClock
from tests.support.waiting import until


class WatchedWay(ConduitTransport):
    """Shows when it rests between two tries, and for how long it meant to."""

    pauses: list[float]
    resting = False

    async def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.resting = True
        try:
            return await super()._pause(seconds)
        finally:
            self.resting = False


class Rig:
    """`clock` is ours, `twitch_clock` the simulator's.

    `refusal` makes the ledger refuse events, `meta_refusal` what is kept in its meta table.
    """

    def __init__(self, simulator: Simulator, ledger: Ledger, clock: FakeClock, twitch_clock: FakeClock) -> None:
        self.simulator = simulator
        self.twitch_clock = twitch_clock
        self.ledger = ledger
        self.clock = clock
        self.tasks = Tasks()
        self.credentials = Credentials(simulator.client_id, simulator.client_secret)
        self.http = TwitchHttp(clock=clock, skew=ClockSkew(), outbound=Outbound())
        tokens = AppTokens(
            http=self.http,
            auth_url=simulator.auth_url,
            credentials=self._credentials,
            store=None,
            tasks=self.tasks,
            clock=clock,
        )
        self.client = HelixClient(http=self.http, tokens=tokens, api_url=simulator.api_url, clock=clock)
        self.conduits = Conduits(self.client)
        self.gaps: list[str] = []
        self.told: list[TransportStatus] = []
        """The first status of every state the way went through, in order."""
        self.submitted: list[StreamEvent] = []
        self.refusal: LedgerError | None = None
        self.meta_refusal: LedgerError | None = None
        self.eventsub_url = simulator.eventsub_url
        self.submit: Callable[[StreamEvent], Awaitable[bool]] = self._submit
        self.way = self.new_way()
        self.running: asyncio.Task[None] | None = None

    def new_way(self, **options: Any) -> WatchedWay:
        self.way = WatchedWay(
            self.clock,
            self._changed,
            conduits=self.conduits,
            meta=self,
            submit=lambda event: self.submit(event),
            eventsub_url=self.eventsub_url,
            on_gap=self.gaps.append,
            **options,
        )
        self.way.pauses = []
        return self.way

    def start(self) -> None:
        self.running = self.tasks.start("way", self.way.run())

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait({self.running})
            self.running = None

    async def reached(self, code: str) -> None:
        """Wait for that state, without moving the clock."""
        await until(lambda: self.way.status.code == code, what=f"{code}, and not {self.way.status}")

    async def ready(self) -> None:
        """Start, if need be, and wait for a connection that works."""
        if self.running is None:
            self.start()
        await self.reached("ready")

    async def pausing(self) -> None:
        """Wait until the way rests between two tries."""
        await until(lambda: self.way.resting and self.clock.sleeping)

    async def rested(self) -> None:
        """Let the rest pass, and wait until the way tries again."""
        await self.pausing()
        rests = len(self.way.pauses)
        self.clock.advance(self.way.pauses[-1] + 0.001)
        await until(lambda: not self.way.resting or len(self.way.pauses) > rests)

    async def keepalive(self) -> None:
        """Twitch's clock goes on until it sends a keepalive, and we have read it."""
        session = self.simulator.sockets.get(self.session)
        assert session is not None
        self.twitch_clock.advance(session.keepalive_timeout)
        await until(lambda: session.connection.written_at == self.twitch_clock.now())
        await self.read_all()

    async def read_all(self) -> None:
        """Wait until we have read what Twitch sent so far: we answer a ping behind it."""
        session = self.simulator.sockets.get(self.session)
        assert session is not None
        session.connection.ponged.clear()
        await session.connection.socket.ping()
        await asyncio.wait_for(session.connection.ponged.wait(), 10.0)

    async def subscribe(self, *logins: str) -> None:
        """What the reconciler does once there is a target."""
        for login in logins:
            channel = self.simulator.state.channels.get(login) or self.simulator.add_channel(login)
            await self.simulator.subscribe(channel.user_id, "stream.online", conduit_id=self.target)

    @property
    def codes(self) -> list[str]:
        return [status.code for status in self.told]

    @property
    def target(self) -> str:
        assert isinstance(self.way.target, Conduit)
        return self.way.target.conduit_id

    @property
    def session(self) -> str:
        return self.way.status.facts["session"]

    async def events(self) -> list[EventRecord]:
        return await self.ledger.events()

    async def meta(self, key: str) -> str | None:
        if self.meta_refusal is not None:
            raise self.meta_refusal
        return await self.ledger.meta(key)

    async def set_meta(self, key: str, value: str) -> None:
        if self.meta_refusal is not None:
            raise self.meta_refusal
        await self.ledger.set_meta(key, value)

    async def _submit(self, event: StreamEvent) -> bool:
        self.submitted.append(event)
        if self.refusal is not None:
            raise self.refusal
        return await self.ledger.accept_now(event)

    def _changed(self) -> None:
        if self.codes[-1:] != [self.way.status.code]:
            self.told.append(self.way.status)

    async def _credentials(self) -> Credentials:
        return self.credentials


@asynccontextmanager
async def running_rig(folder: Path, **simulated: Any) -> AsyncIterator[Rig]:
    clock, twitch_clock = FakeClock(), FakeClock()
    async with Simulator(clock=twitch_clock, **simulated) as simulator:
        ledger = Ledger(folder / "ledger.db", clock)
        await ledger.open()
        rig = Rig(simulator, ledger, clock, twitch_clock)
        try:
            yield rig
        finally:
            await rig.stop()
            await rig.tasks.stop()
            await rig.http.close()
            await ledger.close()
