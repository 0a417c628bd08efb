"""The simulator and the whole engine in this process, on free ports, with their files in a test's own folder."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.announce import pipeline
from itsjustintv_desktop.engine.core.clock import Clock, SystemClock
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.sources import Enricher, EventSource
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.engine.twitch import enrichment
from itsjustintv_desktop.engine.twitch.subscriptions import reconciler
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.subscriptions import Subscription
from tests.support.waiting import until

SECRET = "a-secret-of-this-test"
HEAD = """
[server]
port = 0
[secrets]
store = "memory"
"""
ONE_STREAMER = f"""
[destinations.main]
url = "RECEIVER/main"
secret = "{SECRET}"
[streamers.alice]
login = "alice"
destinations = ["main"]
"""

Sources = Sequence[tuple[EventSource, Enricher]]


class Running:
    """An engine that runs, and all that a test wants of it. `restart` keeps the files and the simulator."""

    def __init__(
        self, folder: Path, simulator: Simulator, *, clock: Clock, environ: Mapping[str, str], listen: bool
    ) -> None:
        self.simulator = simulator
        self.paths = Paths(folder / "config" / "config.toml", folder / "data")
        self.clock = clock
        self.sources: Callable[[], Sources] = tuple
        self.engine: Engine
        self._environ = dict(environ)
        self._listen = listen
        self._runs = False

    def write_config(self, text: str) -> None:
        """`RECEIVER` in it becomes the address of the simulator's receivers; HEAD stands before it."""
        self.paths.config.parent.mkdir(parents=True, exist_ok=True)
        filled = (HEAD + text).replace("RECEIVER", f"{self.simulator.url}/receiver")
        self.paths.config.write_text(filled, encoding="utf-8")

    async def start(self) -> Engine:
        """A new engine on the same files. Subscriptions of an earlier one follow to its port."""
        environ = {**os.environ, **self.simulator.environment(), **self._environ}
        self.engine = Engine(
            EngineOptions(
                paths=self.paths, environ=environ, clock=self.clock, listen=self._listen, sources=self.sources()
            )
        )
        await self.engine.start()
        self._runs = True
        if self._listen:
            for held in self.simulator.eventsub.subscriptions:
                held.transport = dataclasses.replace(held.transport, callback=self.callback)
        return self.engine

    async def stop(self) -> None:
        if self._runs:
            self._runs = False
            await self.engine.stop()

    async def restart(self) -> Engine:
        await self.stop()
        return await self.start()

    @property
    def callback(self) -> str:
        """Where Twitch posts to."""
        assert self.engine.address is not None
        host, port = self.engine.address
        return f"http://{host}:{port}/twitch"

    async def subscribe(self, *logins: str, kind: str = "stream.online") -> list[Subscription]:
        """What Twitch would hold for us; every channel of the simulator when none is named."""
        names = logins or tuple(channel.login for channel in self.simulator.state.channels.values())
        made = []
        for login in names:
            user_id = self.simulator.state.get(login).user_id
            made.append(await self.simulator.subscribe(user_id, kind, self.callback))
        return made

    async def deliveries(self, **choice: Any) -> list[DeliveryView]:
        """Newest first, as `deliveries list` shows them."""
        return await self.engine.ledger.deliveries(**choice)

    async def failed_once(self) -> DeliveryView:
        """Wait until the one delivery was tried, in vain, and waits for its next attempt; the outcome is on disk.

        A delivery is pending before its first attempt, too: whoever waits for that alone races with the attempt.
        """

        async def waits() -> DeliveryView | None:
            found = await self.deliveries(states=[DeliveryState.PENDING])
            return found[0] if found and found[0].attempts else None

        view: DeliveryView = await until(waits, what="a first attempt has failed")
        await until(lambda: not self.engine.dispatcher.under_way, what="its attempt has ended")
        return view

    async def settled(self, *, timeout: float = 15.0) -> None:
        """Wait until nothing is on its way: every message answered, every event settled, nothing due or being sent,
        output.json written. What waits for a later attempt does not count."""
        await self.simulator.eventsub.idle(timeout)

        async def quiet() -> bool:
            counts = await self.engine.ledger.counts()
            due = counts.oldest_due is not None and counts.oldest_due <= self.clock.now()
            return not (counts.unfinished_events or due or counts.by_state.get(DeliveryState.SENDING.value))

        await until(quiet, timeout=timeout, what="everything is settled")
        await self.engine.feed.settled()

    def output(self) -> list[dict[str, Any]]:
        """output.json as another program reads it."""
        path = self.paths.data / "output.json"
        entries: list[dict[str, Any]] = msgspec.json.decode(path.read_bytes())
        return entries


@asynccontextmanager
async def running_engine(
    folder: Path,
    config: str = ONE_STREAMER,
    *,
    logins: Sequence[str] = ("alice",),
    secret: str | None = SECRET,
    subscribe: bool = True,
    start: bool = True,
    listen: bool = True,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    sources: Callable[[], Sources] = tuple,
    one_clock: bool = False,
    **simulated: Any,
) -> AsyncIterator[Running]:
    """Simulator with a channel for each of `logins`, and an engine with `config` in `folder`.

    `secret`: signatures expected at the receiver `main`. `sources`: makes fresh sources at each start. `one_clock`:
    the simulator goes by `clock` as well. `simulated` goes to the Simulator. Without `start` the test calls
    `Running.start` itself. What waits for more to come together waits a moment only.
    """
    simulated = {"resend_delays": (0.05, 0.1, 0.2, 0.4), **({"clock": clock} if one_clock else {}), **simulated}
    with (
        mock.patch.object(enrichment, "_LULL", 0.02),
        mock.patch.object(reconciler, "_SETTLE_SECONDS", 0.05),
        mock.patch.object(pipeline, "_BREATH", 0.0),
    ):
        async with Simulator(**simulated) as simulator:
            for login in logins:
                simulator.add_channel(login)
            if secret is not None:
                simulator.receiver.expect("main", secret=secret)
            running = Running(folder, simulator, clock=clock or SystemClock(), environ=environ or {}, listen=listen)
            running.sources = sources
            running.write_config(config)
            try:
                if start:
                    await running.start()
                    if subscribe and listen:
                        await running.subscribe(*logins)
                yield running
            finally:
                await running.stop()
