"""The queue of a program that does not run, over its ledger alone: what is asked takes effect at its next start."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.api.announcements import Pausing
from itsjustintv_desktop.engine.api.deliveries import Deliveries
from itsjustintv_desktop.engine.api.destinations import Destinations, DestinationView
from itsjustintv_desktop.engine.api.events import Events
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.destinations import effective_destinations, must_exist
from itsjustintv_desktop.engine.config.load import Loaded, load
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.delivery.destination_queues import Breakers, DestinationQueues
from itsjustintv_desktop.engine.storage.ledger import Ledger

_NO_CONFIG = Loaded(config=Config(), warnings=(), notices=(), secrets_in_clear=(), secrets_fixed=(), digest="")
"""What is asked of a queue needs none, and must be possible while config.toml is broken."""


class KeptDestinations(Destinations):
    """Those whose breaker was kept: what the next start goes by. The config is read only where a name must be in it."""

    def __init__(self, breakers: Breakers, paths: Paths, config: ConfigHolder, clock: Clock) -> None:
        super().__init__(breakers, config, clock)
        self._paths = paths

    async def list(self) -> list[DestinationView]:
        queues = self._sending.queues
        return [
            DestinationView(name=name, state=state, reason=reason, by_hand=queues.paused_by_hand(name))
            for name, (state, reason) in queues.states(self._clock.now()).items()
        ]

    async def let_try(self, name: str) -> None:
        """The next start goes by what was kept."""

    async def _must_exist(self, name: str) -> None:
        """Raises ConfigError, too."""
        loaded = await asyncio.to_thread(load, self._paths.config, os.environ, named=self._paths.config_named)
        must_exist(name, effective_destinations(loaded.config))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineApi:
    """The areas of the Api that need no engine."""

    announcements: Pausing
    deliveries: Deliveries
    destinations: Destinations
    events: Events


async def over_ledger(ledger: Ledger, paths: Paths, clock: Clock) -> OfflineApi:
    """Raises LedgerError."""
    bus, config = Bus(), ConfigHolder(_NO_CONFIG)
    queues = DestinationQueues()
    queues.restore(await ledger.load_breakers())
    pause = Pause(ledger, bus=bus, clock=clock)
    await pause.load()
    destinations = KeptDestinations(Breakers(queues, ledger, bus, clock, _nothing), paths, config, clock)
    return OfflineApi(
        announcements=Pausing(pause),
        deliveries=Deliveries(ledger, destinations, clock.now, _nothing, config, bus, clock),
        destinations=destinations,
        events=Events(ledger),
    )


def _nothing() -> None:
    """Nothing runs that would have to hear of it."""
