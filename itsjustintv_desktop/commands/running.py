"""Running the engine from a command until a signal says stop, and reaching one that runs elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from itsjustintv_desktop.commands.context import AppContext
from itsjustintv_desktop.engine import Engine, EngineOptions
from itsjustintv_desktop.engine.announce.pause import Pause, PauseView
from itsjustintv_desktop.engine.api.events import EventKind, EventPage, list_events
from itsjustintv_desktop.engine.config.destinations import effective_destinations, must_exist
from itsjustintv_desktop.engine.config.load import load
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.actions import Actions, DestinationView, QueueActions
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.errors import AlreadyRunningError, ControlError
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.delivery.breaker import BY_HAND
from itsjustintv_desktop.engine.delivery.destination_queues import DestinationQueues
from itsjustintv_desktop.engine.storage.ledger import Ledger


def stop_on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set (on Windows: Ctrl-C and Ctrl-Break)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.asynccontextmanager
async def actions(app: AppContext) -> AsyncIterator[Actions]:
    """The engine to ask: the one that runs with this data directory, else one of our own without any port.

    Raises ControlError if one runs and cannot be asked, ConfigError, LedgerError.
    """
    client = await running(app)
    if client is not None:
        async with client:
            yield client
        return
    engine = Engine(EngineOptions(paths=app.paths, listen=False))
    with _nobody_answers():
        await engine.start()
    try:
        yield engine.api.actions
    finally:
        await engine.stop()


async def running(app: AppContext) -> ControlClient | None:
    """The program that runs with this data directory; None = none does, or none that can be asked."""
    found = await asyncio.to_thread(address.read, app.paths.control)
    if found is None:
        return None
    client = ControlClient(found)
    try:
        async with client:
            await client.health()
    except ControlError:
        return None  # control.json of a process that was killed
    return client


@contextlib.contextmanager
def _nobody_answers() -> Iterator[None]:
    try:
        yield
    except AlreadyRunningError as error:
        raise ControlError(
            "The program runs with this data directory but does not answer. Wait a moment, or restart it."
        ) from error


class LedgerActions:
    """The queue of a program that does not run: what is asked takes effect at its next start."""

    def __init__(self, ledger: Ledger, paths: Paths) -> None:
        self._ledger = ledger
        self._paths = paths

    async def deliveries(
        self,
        *,
        before: int | None = None,
        states: Sequence[DeliveryState] = (),
        streamer: str | None = None,
        destination: str | None = None,
        limit: int = 200,
    ) -> list[DeliveryView]:
        return await self._ledger.deliveries(
            before=before, states=states, streamer=streamer, destination=destination, limit=limit
        )

    async def events(
        self,
        *,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        streamer: str | None = None,
        limit: int = 200,
    ) -> EventPage:
        return await list_events(self._ledger, before, limit, kinds, streamer)

    async def retry(self, delivery_id: int) -> DeliveryView:
        return await self._ledger.retry(delivery_id)

    async def drop(self, delivery_id: int) -> DeliveryView:
        return await self._ledger.drop(delivery_id)

    async def resend(self, delivery_id: int) -> DeliveryView:
        return await self._ledger.resend(delivery_id)

    async def destinations(self) -> list[DestinationView]:
        """Those whose breaker was kept: what the next start goes by."""
        queues = await self._queues()
        return [
            DestinationView(name=name, state=state, reason=reason, by_hand=queues.paused_by_hand(name))
            for name, (state, reason) in queues.states(time.time()).items()
        ]

    async def paused(self) -> PauseView | None:
        return (await self._pause()).view

    async def pause(self, until: float | None) -> PauseView | None:
        pause = await self._pause()
        await pause.begin(until)
        return pause.view

    async def resume(self) -> None:
        await (await self._pause()).resume()

    async def pause_destination(self, name: str, reason: str = "") -> None:
        queues = await self._queues(name)
        breaker = queues.queue(name).breaker
        why = reason.strip() or BY_HAND
        breaker.pause(why, breaker.snapshot().fingerprint, time.time(), by_hand=True)
        await self._ledger.save_breaker(name, queues.encoded(name))

    async def resume_destination(self, name: str) -> None:
        queues = await self._queues(name)
        queues.queue(name).breaker.resume(time.time())
        await self._ledger.save_breaker(name, queues.encoded(name))

    async def _pause(self) -> Pause:
        pause = Pause(self._ledger, bus=Bus(), clock=SystemClock())
        await pause.load()
        return pause

    async def _queues(self, known: str | None = None) -> DestinationQueues:
        """As kept. Raises NotFoundError if the config has no destination `known`, ConfigError."""
        if known is not None:
            loaded = await asyncio.to_thread(load, self._paths.config, os.environ, named=self._paths.config_named)
            must_exist(known, effective_destinations(loaded.config))
        queues = DestinationQueues()
        queues.restore(await self._ledger.load_breakers())
        return queues


@contextlib.asynccontextmanager
async def queue(app: AppContext) -> AsyncIterator[tuple[QueueActions, bool]]:
    """The deliveries: of the running program (True), else of the ledger alone, where nothing is sent (False)."""
    client = await running(app)
    if client is not None:
        async with client:
            yield client, True
        return
    await asyncio.to_thread(app.paths.create)
    lock = InstanceLock(app.paths.lock)
    with _nobody_answers():
        lock.acquire()
    ledger = Ledger(app.paths.ledger, SystemClock())
    try:
        await ledger.open()
        await ledger.recover(math.inf)  # nobody sends now: what looks so was cut off when the program ended
        yield LedgerActions(ledger, app.paths), False
    finally:
        await ledger.close()
        lock.release()
