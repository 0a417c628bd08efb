"""The check for newer versions over a real ledger and a real server, with a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from itsjustintv_desktop.engine.config.active import ActiveConfig
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.config.schema import Config, Updates
from itsjustintv_desktop.engine.core.events import Bus, EngineEvent, UpdateChanged
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.monitoring.updates import signing
from itsjustintv_desktop.engine.monitoring.updates.check import UpdateCheck
from itsjustintv_desktop.engine.storage.ledger import Ledger
from tests.support.clock import FakeClock
from tests.support.holding import holding
from tests.support.versions import Key, Versions, manifest, versions

OWN = "1.2.3"


class Ear(Bus):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[EngineEvent] = []

    def publish(self, event: EngineEvent) -> None:
        self.heard.append(event)


class House:
    """What the check needs of an engine. `start` is a start of the program, on the same ledger."""

    def __init__(self, ledger: Ledger, clock: FakeClock, server: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ledger, self.clock, self.server = ledger, clock, server
        self.ear = Ear()
        self.bus: Bus = self.ear
        self.config = holding()
        self.tasks = Tasks()
        self.outbound = Outbound()
        self.check: UpdateCheck
        self._monkeypatch = monkeypatch
        self.pin(server.key)

    def pin(self, *pinned: Key) -> None:
        """Those are the keys of this build."""
        self._monkeypatch.setattr(signing, "pinned_keys", lambda: tuple(key.public for key in pinned))

    def publish(self, version: str, *signers: Key, **details: Any) -> None:
        self.server.publish(manifest(version, now=self.clock.now(), **details), *signers)

    def switch(self, *, on: bool) -> None:
        """As a reload does."""
        self.config.current = ActiveConfig(Config(updates=Updates(check=on)), {})
        self.check.trigger()

    async def start(self, version: str = OWN, **endpoints: str) -> UpdateCheck:
        await self.tasks.stop()
        self.tasks = Tasks()
        self.check = UpdateCheck(
            Endpoints(**{"updates_url": self.server.url, **endpoints}),
            self.config,
            self.ledger,
            self.bus,
            self.clock,
            self.outbound,
            version,
        )
        self.tasks.start("updates", self.check.run())
        await self.clock.run_until(lambda: self.clock.sleepers, most=0)
        return self.check

    async def asked(self) -> UpdateCheck:
        """Until it asked once more, and is through with it."""
        before, was = self.server.count, self.check._again
        self.clock.advance(max(0.0, min(self.check._due_in(), 1e6)) + 1)
        await self.clock.run_until(lambda: self.server.count > before or self.check._again != was, most=0)
        await self.clock.run_until(lambda: self.clock.sleepers, most=0)
        return self.check

    @property
    def told(self) -> list[tuple[str, bool]]:
        return [(each.version, each.is_new) for each in self.ear.heard if isinstance(each, UpdateChanged)]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    clock = FakeClock()
    ledger = Ledger(tmp_path / "ledger.db", clock)
    await ledger.open()
    async with versions() as server:
        made = House(ledger, clock, server, monkeypatch)
        try:
            yield made
        finally:
            await made.tasks.stop()
            await ledger.close()
