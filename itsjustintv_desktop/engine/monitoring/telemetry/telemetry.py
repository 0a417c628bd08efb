"""Switches telemetry on, over and off while the engine runs, and never makes it wait."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

import structlog

from itsjustintv_desktop.engine.config.schema import Telemetry as Settings
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.net.proxies import Proxies
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.delivery.destination_queues import DestinationQueues
from itsjustintv_desktop.engine.instrumentation import Instrumentation, Observer, traceparent
from itsjustintv_desktop.engine.monitoring.telemetry.settings import (
    EXPORT_SECONDS,
    ExportHealth,
    TelemetrySettings,
    telemetry_settings,
)
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.records import Claimed

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.monitoring.telemetry.exporter import Exporter
    from itsjustintv_desktop.engine.monitoring.telemetry.recorder import Recorder

_log = structlog.get_logger(__name__)

CLOSE_SECONDS = 2.0
"""How long what is left may take to be sent when telemetry ends."""
_EARLY = 10_000
"""Most things remembered while the SDK is being loaded."""


class Telemetry:
    """`instrumentation` goes to every part; `apply` may be called at any time, before `run` too."""

    def __init__(self, environ: Mapping[str, str], proxies: Proxies, clock: Clock, api_url: str) -> None:
        """`api_url`: where Helix is, as its spans name it."""
        self.instrumentation = Instrumentation()
        self._environ = environ
        self._proxies = proxies
        self._clock = clock
        self._api_url = api_url
        self._tasks = Tasks()
        self._wanted: TelemetrySettings | None = None
        self._running: TelemetrySettings | None = None
        self._recorder: Recorder | None = None
        self._export: Exporter | None = None
        self._trouble = ExportHealth(clock)
        self._reloads: Counter[tuple[str, ...]] = Counter()
        self._changed = asyncio.Event()
        self._problem = ""
        self._changing: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        """Whether what is wanted is what runs."""
        return self._wanted == self._running

    def apply(self, settings: Settings) -> None:
        """What [telemetry] says from now on. Returns at once; `run` carries it out."""
        wanted = telemetry_settings(settings, self._environ, self._proxies)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._problem = ""
        if wanted is None:
            self.instrumentation.observer = None
        elif self.instrumentation.observer is None:
            self.instrumentation.observer = cast("Observer", Early(traces="traces" in wanted.endpoints))
        self._changed.set()

    def reloaded(self, outcome: Literal["applied", "rejected"]) -> None:
        """The config file changed."""
        self._reloads[(outcome,)] += 1

    def health(self) -> Status:
        """A collector that is away is nobody's emergency: waiting."""
        reason = self._problem or (self._trouble.reason if self._running is not None else "")
        return Status(Level.WAITING if reason else Level.OK, reason)

    async def run(self, ledger: Ledger, queues: DestinationQueues) -> None:
        """Work until cancelled: carry out what is wanted, and read the gauges off these two now and then."""
        while True:
            self._changed.clear()
            while self._wanted != self._running:
                if self._changing is None or self._changing.done():
                    self._changing = self._tasks.start("telemetry.change", self._change(self._wanted))
                await asyncio.shield(self._changing)
            if self._recorder is not None:
                await self._read(self._recorder, ledger, queues)
            interval = self._running.interval if self._running is not None else EXPORT_SECONDS
            await self._clock.wait(self._changed, interval)

    async def close(self) -> None:
        """Send what is left, for at most CLOSE_SECONDS, and end."""
        if self._changing is not None and not self._changing.done():
            # Ended right after the start: what happened in between is still to be told.
            await asyncio.wait({self._changing}, timeout=CLOSE_SECONDS)
        self.instrumentation.observer = None
        self._let_go()
        await self._tasks.finish(CLOSE_SECONDS + 1.0)

    async def _change(self, wanted: TelemetrySettings | None) -> None:
        made: tuple[Exporter, Recorder] | None = None
        if wanted is not None:
            try:
                made = await asyncio.to_thread(self._make, wanted)
            except Exception as error:  # noqa: BLE001 - whatever the SDK cannot work with, the engine goes on without
                # Its own words could hold a header.
                kind = type(error).__name__
                self._problem = f"Telemetry could not be set up ({kind}). Check [telemetry] and the OTEL_* variables."
                _log.warning("telemetry is off", reason=self._problem)
        early: object = self.instrumentation.observer
        self._let_go()
        self._running = wanted
        self.instrumentation.observer = None
        if made is not None:
            self._export, self._recorder = made
            self.instrumentation.observer = self._recorder
            if isinstance(early, Early):
                early.replay(self._recorder)

    def _make(self, wanted: TelemetrySettings) -> tuple[Exporter, Recorder]:
        """In a thread: loading the SDK and its exporters takes a good part of a second."""
        from itsjustintv_desktop.engine.monitoring.telemetry.exporter import Exporter
        from itsjustintv_desktop.engine.monitoring.telemetry.recorder import Recorder

        export = Exporter(wanted, self._trouble)
        return export, Recorder(export, api_url=self._api_url, reloads=self._reloads)

    async def _read(self, recorder: Recorder, ledger: Ledger, queues: DestinationQueues) -> None:
        from itsjustintv_desktop.engine.monitoring.telemetry.recorder import read_gauges

        try:
            recorder.show(await read_gauges(ledger, queues, self._clock.now()))
        except LedgerError:
            recorder.show({})  # no reading is better than an old one

    def _let_go(self) -> None:
        """The old one sends what it has in the background."""
        export, self._export, self._recorder = self._export, None, None
        if export is not None:
            self._tasks.start("telemetry.close", _closed(export))


async def _closed(export: Exporter) -> None:
    """Not asyncio's threads: a process waits for those at its end, and a collector may hang."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def close() -> None:
        export.close(CLOSE_SECONDS)
        try:
            loop.call_soon_threadsafe(done.set)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    threading.Thread(target=close, name="telemetry-close", daemon=True).start()
    await done.wait()


class Early:
    """Implements Observer until the SDK is loaded: remembers, and tells it then. The oldest go when it gets long."""

    def __init__(self, *, traces: bool) -> None:
        self._traces = traces
        self._told: deque[tuple[Context, str, Callable[[Any], None]]] = deque(maxlen=_EARLY)

    def traceparent(self, claimed: Claimed) -> str | None:
        """Ids need no SDK; how much is sampled is not known yet."""
        return traceparent(claimed, lambda _: True) if self._traces else None

    def __getattr__(self, name: str) -> Callable[..., None]:
        return partial(self._note, name)

    def _note(self, name: str, *arguments: Any, **named: Any) -> None:
        # With the context: it says which announcement a question belongs to.
        self._told.append((copy_context(), name, lambda method: method(*arguments, **named)))

    def replay(self, recorder: Recorder) -> None:
        """Tell everything, in order."""
        for context, name, tell in self._told:
            context.run(tell, getattr(recorder, name))
