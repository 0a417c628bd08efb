"""1,000 channels go live within one second: how fast Twitch is answered, what it costs, when it has arrived."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec

from benchmarks import config, load, messages, process
from benchmarks.report import Target, heading, say, table, verdicts
from benchmarks.world import RECEIVER, World, environment

CHANNELS = 1000
SECONDS = 1.0
CONNECTIONS = 100
PATIENCE = 30.0
"""Seconds to wait for all deliveries before it is called a failure."""
SETTLE = 3.0
"""Seconds after its start that the program gets to know its channels."""

Faults = dict[str, object]

HELIX_HANGS: Faults = {"endpoints": {"*": {"hang": True}}}
RECEIVER_HANGS: Faults = {"receivers": {"*": {"hang": True}}}
CASES: dict[str, Faults] = {
    "all well": {},
    "Helix hangs": HELIX_HANGS,
    "receiver hangs": RECEIVER_HANGS,
    "both hang": HELIX_HANGS | RECEIVER_HANGS,
}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    figures: load.Figures
    calls: int
    delivered: float | None
    """Seconds from the first message until the last delivery was taken. None where not waited for."""
    memory: float


def run(folder: Path) -> None:
    heading(f"{CHANNELS:,} channels go live within {SECONDS:g} s")
    say("Load: own generator, paced; simulated Twitch and receiver in a process of their own.\n")
    results: dict[str, Result] = {}
    for name, faults in CASES.items():
        own = folder / name.replace(" ", "-")
        own.mkdir()
        results[name] = _case(own, faults)
    table(
        ("case", "p50 ms", "p99 ms", "most ms", "refused", "Helix calls", "delivered after s", "RSS MB"),
        [
            (
                name,
                f"{1000 * each.figures.p50:.1f}",
                f"{1000 * each.figures.p99:.1f}",
                f"{1000 * each.figures.most:.1f}",
                each.figures.refused + each.figures.broken,
                each.calls,
                "-" if each.delivered is None else f"{each.delivered:.1f}",
                f"{each.memory:.0f}",
            )
            for name, each in results.items()
        ],
    )
    well = results["all well"]
    assert well.delivered is not None
    verdicts(
        [
            *(
                Target(what=f"p99 of the answer, {name}", measured=1000 * each.figures.p99, limit=100, unit=" ms")
                for name, each in results.items()
            ),
            Target(what="Helix calls, all well", measured=well.calls, limit=60, digits=0),
            Target(what="all delivered, all well", measured=well.delivered, limit=5, unit=" s"),
        ]
    )


def _case(folder: Path, faults: Faults) -> Result:
    with process.python(["-m", "benchmarks.world", str(CHANNELS)], log=folder / "world.log") as world:
        config.write(folder, streamers=CHANNELS, destinations={"main": f"{world.url}/receiver/{RECEIVER}"})
        with process.python(config.serve(folder), environ=environment(world.url), log=folder / "log") as program:
            time.sleep(SETTLE)
            return asyncio.run(_measure(world.url, program, faults))


async def _measure(url: str, program: process.Program, faults: Faults) -> Result:
    async with World(url) as world:
        streams = [f"5{number:010}" for number in range(CHANNELS)]
        for number, stream in enumerate(streams):
            await world.go_live(number, stream)
        requests = [
            b"POST /twitch HTTP/1.1\r\n" + messages.online(number, stream) for number, stream in enumerate(streams)
        ]
        before = sum((await world.calls()).values())
        if faults:
            await world.faults(**faults)
        began = time.perf_counter()
        figures = await load.paced(requests, program.host, program.port, connections=CONNECTIONS, seconds=SECONDS)
        delivered = None if faults else await _all_delivered(world, began)
        calls = sum((await world.calls()).values()) - before
        return Result(figures=figures, calls=calls, delivered=delivered, memory=program.memory())


async def _all_delivered(world: World, began: float) -> float:
    while time.perf_counter() - began < PATIENCE:
        accepted = await world.accepted()
        if accepted >= CHANNELS:
            return time.perf_counter() - began
        await asyncio.sleep(0.1)
    raise RuntimeError(f"after {PATIENCE:.0f} s only {await world.accepted()} of {CHANNELS} were delivered")
