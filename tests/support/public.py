"""The public port over a real ledger and real sockets, without the rest of the engine."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.places import Limits
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.storage.ledger import EventRecord, Ledger
from tests.support import rawhttp, signed
from tests.support.clock import FakeClock
from tests.support.waiting import until


class PublicRig:
    """What the tests steer: the clock (which stands still), the measured skew, the secrets at hand, the health."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.clock = FakeClock()
        self.skew = 0.0
        self.secrets: tuple[bytes, ...] = (signed.SECRET.encode(),)
        self.healthy = True
        self.stale = 0
        self.ledger_path = folder / "ledger.db"
        self.ledger = Ledger(self.ledger_path, self.clock)
        self.intake = EventIntake(self.ledger, self.clock)
        judge = self.judge = EventSubVerifier(lambda: self.secrets, self.clock, lambda: self.skew)
        judge.stale.connect(self._count_stale)
        self.well_known = WellKnownTokens(self.clock)
        self.server = PublicServer(
            judge,
            self.intake,
            well_known=self.well_known,
            healthy=lambda: self.healthy,
            clock=self.clock,
            limits=limits,
        )
        self.address: rawhttp.Address = ("", 0)
        self._tasks = Tasks()

    def now(self) -> float:
        return self.clock.now()

    async def ask(self, data: bytes, *, timeout: float = 5.0, head: bool = False) -> rawhttp.Answer:
        return await rawhttp.ask(self.address, data, timeout=timeout, head=head)

    async def post(self, message: signed.Message, *, timeout: float = 5.0) -> rawhttp.Answer:
        return await self.ask(message.request(), timeout=timeout)

    async def stored(self) -> list[EventRecord]:
        """Every event in the ledger, oldest first."""
        return list(reversed(await self.ledger.events()))

    @contextlib.asynccontextmanager
    async def ledger_held(self) -> AsyncIterator[None]:
        """The ledger's thread stands still meanwhile, as on a very slow disk."""
        go_on, standing = threading.Event(), threading.Event()

        def stand(_: object) -> None:
            standing.set()
            go_on.wait(30)

        self._tasks.start("test.hold", self.ledger._writer.run(stand))
        await until(standing.is_set, what="the ledger's thread stands")
        try:
            yield
        finally:
            go_on.set()

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        await self.ledger.open()
        self.address = await self.server.start("127.0.0.1", 0, tls)

    async def stop(self) -> None:
        await self.server.stop()
        await self._tasks.stop()
        await self.ledger.close()

    def _count_stale(self) -> None:
        self.stale += 1


@contextlib.asynccontextmanager
async def public_port(
    folder: Path, limits: Limits | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[PublicRig]:
    rig = PublicRig(folder, limits or Limits())
    await rig.start(tls)
    try:
        yield rig
    finally:
        await rig.stop()
