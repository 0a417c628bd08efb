"""An engine from its start to its stop, as windows and commands use it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from itsjustintv_desktop.engine.api.api import Api
from itsjustintv_desktop.engine.api.models import Snapshot
from itsjustintv_desktop.engine.assembly import EngineOptions
from itsjustintv_desktop.engine.core.events import Subscription
from itsjustintv_desktop.engine.engine import Engine


class RunningEngine(Protocol):
    """What may be asked of an engine. All of it belongs on the engine's loop."""

    @property
    def api(self) -> Api:
        """What a person can ask for."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the public server; None if it does not listen."""

    def subscribe(self, size: int = 1000) -> Subscription:
        """Everything that happens from now on. `size`: how many events wait for a slow reader at most."""

    async def snapshot(self) -> Snapshot:
        """Everything at this moment, immutable."""

    def background(self, name: str, work: Any) -> None:
        """Run a coroutine as a task of that name, which ends with the engine."""


@asynccontextmanager
async def started(options: EngineOptions) -> AsyncIterator[RunningEngine]:
    """Raises AlreadyRunningError, ConfigError, DataDirectoryError, LedgerError, AddressInUseError."""
    engine = Engine(options)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
