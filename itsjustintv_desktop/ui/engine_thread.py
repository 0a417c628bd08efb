"""The engine on a separate thread and event loop, so that a busy screen never delays a response."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog

from itsjustintv_desktop.engine import EngineOptions, RunningEngine, errors, events, started
from itsjustintv_desktop.ui.formatting import tr

T = TypeVar("T")

BATCH_SECONDS = 0.05
MOST_WAITING = 2000
"""Events held for a screen that is busy; beyond that it takes a fresh snapshot."""
STOP_SECONDS = 40.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Setting:
    """What to run. `companion`: runs beside the started engine on its loop, until the end (the demo's script)."""

    options: EngineOptions
    companion: Callable[[RunningEngine], Awaitable[None]] | None = None


Prepare = Callable[[], AbstractAsyncContextManager[Setting]]
"""Entered on the engine's loop before it starts and left after it stopped."""


class EngineThread:
    """`on_state` (running, failed, stopped) and `on_events` are called in the engine's thread; both must be quick."""

    def __init__(
        self,
        prepare: Prepare,
        *,
        on_state: Callable[[str, errors.AppError | None], None],
        on_events: Callable[[], None],
    ) -> None:
        """`on_events` says that there is something to `take`; it is not called again before that was done."""
        self._prepare = prepare
        self._on_state = on_state
        self._on_events = on_events
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: RunningEngine | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._lock = threading.Lock()
        self._waiting: deque[events.EngineEvent] = deque()
        self._lost = False
        self._told = False

    def start(self) -> None:
        self._thread.start()

    def take(self) -> tuple[list[events.EngineEvent], bool]:
        """What happened since the last time, and whether something was left out. Called in any thread."""
        with self._lock:
            taken, lost = list(self._waiting), self._lost
            self._waiting.clear()
            self._lost = self._told = False
        return taken, lost

    async def call(self, ask: Callable[[RunningEngine], Awaitable[T]], timeout: float) -> T:
        """Ask the engine something, from another loop. Raises what it raises, EngineGoneError, TimeoutError."""
        loop, engine = self._loop, self._engine
        if loop is None or engine is None or not self._thread.is_alive():
            raise errors.EngineGoneError("The engine does not run, so this cannot be done now.")

        async def work() -> T:
            return await ask(engine)

        here = asyncio.get_event_loop()
        asked = asyncio.run_coroutine_threadsafe(work(), loop)
        # Not wait_for: under a dialog's own event loop the screen's one turns as well, and counts as not running.
        late = asyncio.Event()

        def give_up() -> None:
            late.set()
            asked.cancel()

        alarm = here.call_later(timeout, give_up)
        try:
            return await asyncio.wrap_future(asked, loop=here)
        except asyncio.CancelledError:
            caller = asyncio.current_task(here)
            if caller is not None and caller.cancelling():
                raise
            if late.is_set():
                raise TimeoutError from None
            raise errors.EngineGoneError("The engine ended before it answered.") from None
        finally:
            alarm.cancel()

    async def stop(self) -> bool:
        """Stop the engine cleanly: attempts under way may end. False if it did not within STOP_SECONDS."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # its loop ended this very moment
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, STOP_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except errors.AppError as error:
            _log.warning("the engine did not start", title=error.title, reason=error.message)
            self._on_state("failed", error)
        except Exception as error:  # noqa: BLE001 - the thread must not end without a word
            _log.exception("the engine broke")
            self._on_state("failed", errors.EngineGoneError(_broke(error)))
        else:
            self._on_state("stopped", None)

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with self._prepare() as setting, started(setting.options) as engine:
            try:
                self._engine = engine
                self._on_state("running", None)
                engine.background("ui.events", self._pump(engine))
                if setting.companion is not None:
                    engine.background("ui.companion", setting.companion(engine))
                await self._stop.wait()
            finally:
                self._engine = None

    async def _pump(self, engine: RunningEngine) -> None:
        """Events come out in batches: the screen hears of a thousand in a second twenty times, not a thousand."""
        watching = engine.subscribe(MOST_WAITING)
        try:
            async for event in watching:
                with self._lock:
                    self._waiting.append(event)
                    if len(self._waiting) > MOST_WAITING or watching.lost:
                        self._waiting.clear()
                        self._lost = True
                        watching.lost = 0
                    tell = not self._told
                    self._told = True
                if tell:
                    await asyncio.sleep(BATCH_SECONDS)
                    self._on_events()
        finally:
            watching.close()


def _broke(error: Exception) -> str:
    return tr("The engine broke ({}). See the log.").format(type(error).__name__)
