"""The demo in the window: the whole program over a simulated Twitch, with something happening all the time."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from itsjustintv_desktop.app import run
from itsjustintv_desktop.demo import environment
from itsjustintv_desktop.demo.script import Script
from itsjustintv_desktop.engine import EngineOptions, RunningEngine
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.simulator.server import Simulator
from itsjustintv_desktop.ui.engine_thread import Prepare, Setting

EVENING_SECONDS = 40.0
REST_SECONDS = 20.0


def show() -> int:
    """Open the window on files of its own, which are gone afterwards; the exit code."""
    with tempfile.TemporaryDirectory(prefix="itsjustintv-demo-", ignore_cleanup_errors=True) as folder:
        paths = Paths(config=Path(folder, "config", "config.toml"), data=Path(folder, "data"))
        return run(paths, prepare=prepare(paths), demo=True)


def prepare(paths: Paths, seconds: float = EVENING_SECONDS, rest: float = REST_SECONDS) -> Prepare:
    """The simulator with its channels around an engine that reaches it over a conduit, and an evening after another.

    Everybody stays live for `rest` seconds after the last scene, and offline for as long.
    """

    @asynccontextmanager
    async def setting() -> AsyncIterator[Setting]:
        async with Simulator() as simulator:
            environment.furnish(simulator)
            await asyncio.to_thread(_write, paths.config, environment.config(simulator))

            async def evenings(engine: RunningEngine) -> None:
                await _subscribed(engine)
                script = Script(simulator, lambda _: None, callback="")
                while True:
                    await script.play(seconds)
                    await asyncio.sleep(rest)
                    for login in environment.CHANNELS:
                        await simulator.go_offline(login)
                    await asyncio.sleep(rest)

            environ = {**os.environ, **simulator.environment()}
            yield Setting(EngineOptions(paths=paths, environ=environ), evenings)

    return setting


async def _subscribed(engine: RunningEngine) -> None:
    """Until Twitch would tell us of every channel."""
    async for _ in engine.subscribe():
        if (await engine.snapshot()).subscriptions.code == "ok":
            return


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    # Streams that follow each other within minutes are no crashed encoders here.
    path.write_text(f'[twitch]\ntransport = "conduit"\nrestart_window = "0s"\n\n{text}', encoding="utf-8")
    path.chmod(0o600)
