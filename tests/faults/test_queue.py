"""100,000 deliveries wait for destinations that are down: the start, the commands and other destinations stay quick."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from benchmarks import queued
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from tests.faults.load import Load
from tests.support.commands import beside
from tests.support.process import Serve
from tests.support.waiting import until

pytestmark = pytest.mark.slow

STREAMS = 10
QUICK = 8.0
"""Seconds; each takes about one on a machine that does nothing else (benchmarks/queued.py measures it)."""


@pytest.mark.fault(
    "queue: 100,000 deliveries wait for destinations that are down",
    seen="Nothing: it starts, `deliveries list` answers, and other destinations get theirs as quickly as ever",
)
@pytest.mark.timeout(300)
async def test_a_hundred_thousand_wait(tmp_path: Path) -> None:
    async with Simulator(rate_limit=100_000) as simulator:
        channel = simulator.add_channel("alice")
        paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
        names = [f"down{number}" for number in range(100)]
        text = '[server]\nport = 0\n[secrets]\nstore = "memory"\n[twitch]\nrestart_window = "0s"\n'
        for name in (*names, "main"):
            text += f'[destinations.{name}]\nurl = "{simulator.receiver_url(name)}"\n'
            if name != "main":
                simulator.faults.set_receiver(name, status=503)
        text += f'[streamers.alice]\nlogin = "alice"\nuser_id = "{channel.user_id}"\ndestinations = ["main"]\n'
        paths.config.parent.mkdir()
        paths.config.write_text(text, encoding="utf-8")
        paths.create()
        await asyncio.to_thread(queued.fill, paths.ledger, names)
        serve = Serve(paths, simulator.environment())
        load = Load(simulator, lambda: serve.address, 1)
        try:
            begun = time.monotonic()
            await serve.started()
            assert time.monotonic() - begun < QUICK
            await until(lambda: len(simulator.receiver.all) > 200, what="the queue is worked on")
            slowest = 0.0
            for number in range(1, STREAMS + 1):
                sent = load.go_live(channel)
                begun = time.monotonic()
                assert await load.post(sent)
                assert time.monotonic() - begun < 1.0, "Twitch hears 204"
                await simulator.receiver.wait_for(number, "main", timeout=15)
                slowest = max(slowest, time.monotonic() - begun)
            assert slowest < QUICK
            begun = time.monotonic()
            listed = await beside(paths, "deliveries", "list", "--json", environ=simulator.environment())
            assert time.monotonic() - begun < QUICK
            assert len(listed.json) == 100
            assert await serve.stop() == 0
        finally:
            await load.close()
            await serve.close()
