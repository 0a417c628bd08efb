"""Running the engine from a command until a signal says stop, and reaching one that runs elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import sys
from collections.abc import AsyncIterator, Iterator

from itsjustintv_desktop.commands.context import AppContext
from itsjustintv_desktop.engine import EngineOptions, started
from itsjustintv_desktop.engine.api.api import Api
from itsjustintv_desktop.engine.api.offline import OfflineApi, over_ledger
from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.errors import AlreadyRunningError, ControlError
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
async def actions(app: AppContext) -> AsyncIterator[ControlClient | Api]:
    """The engine to ask: the one that runs with this data directory, else one of our own without any port.

    Raises ControlError if one runs and cannot be asked, ConfigError, LedgerError.
    """
    client = await running(app)
    if client is not None:
        async with client:
            yield client
        return
    async with contextlib.AsyncExitStack() as stack:
        with _nobody_answers():
            engine = await stack.enter_async_context(started(EngineOptions(paths=app.paths, listen=False)))
        yield engine.api


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


@contextlib.asynccontextmanager
async def queue(app: AppContext) -> AsyncIterator[tuple[ControlClient | OfflineApi, bool]]:
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
    clock = SystemClock()
    ledger = Ledger(app.paths.ledger, clock)
    try:
        await ledger.open()
        await ledger.recover(math.inf)  # nobody sends now: what looks so was cut off when the program ended
        yield await over_ledger(ledger, app.paths, clock), False
    finally:
        await ledger.close()
        lock.release()
