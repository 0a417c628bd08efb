"""Receiving: how many signed notifications a second, ours with its durable commit against those that keep nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import msgspec

from benchmarks import config, load, messages, process
from benchmarks.report import Target, heading, say, table, verdicts

CONNECTIONS = 50
SECONDS = 4.0
ROUNDS = 5
MOST_A_SECOND = 45_000
"""So many messages are signed for each second of a round. None is sent twice."""

Start = Callable[[Path], contextlib.AbstractContextManager[process.Program]]


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """One of those compared. `start` gets an empty folder of its own for every round."""

    name: str
    keeps: str
    path: str
    start: Start


@contextlib.contextmanager
def _serve(folder: Path) -> Iterator[process.Program]:
    config.write(folder, streamers=messages.CHANNELS)
    with process.python(config.serve(folder), log=folder / "log") as program:
        time.sleep(1.0)  # what a fresh start still does is not what is measured
        yield program


def _module(name: str, *arguments: str) -> Start:
    def start(folder: Path) -> contextlib.AbstractContextManager[process.Program]:
        given = [str(folder / argument) for argument in arguments]
        return process.python(["-m", f"benchmarks.receivers.{name}", *given], log=folder / "log")

    return start


OURS = Receiver(name="ours, the whole program", keeps="on disk", path="/twitch", start=_serve)
INGRESS = Receiver(name="ours, receiving alone", keeps="on disk", path="/twitch", start=_module("ingress", "ledger.db"))
MEMORY = Receiver(name="aiohttp, verify and parse", keeps="in memory", path="/twitch", start=_module("memory"))
PEERS = (
    Receiver(name="pyTwitchAPI 4.5", keeps="in memory", path="/callback", start=_module("pytwitchapi")),
    Receiver(name="TwitchIO 3.3", keeps="in memory", path="/twitch", start=_module("twitchio_adapter")),
)
ORDER = (OURS, MEMORY, PEERS[0], INGRESS, PEERS[1])


class Result(msgspec.Struct, frozen=True, kw_only=True):
    figures: load.Figures
    cpu: float
    """CPU seconds of the receiver's process, all threads."""
    memory: float


def run(folder: Path) -> None:
    heading(f"Receiving at {CONNECTIONS} connections")
    say(f"Load: {load.generator()}, {ROUNDS} rounds of {SECONDS:.0f} s, all receivers in turn, medians.\n")
    results: dict[str, list[Result]] = {each.name: [] for each in ORDER}
    for number in range(ROUNDS):
        requests = folder / "requests"
        messages.write(requests, messages.flapping(int(MOST_A_SECOND * SECONDS)))
        for receiver in ORDER:
            own = folder / f"{number}-{ORDER.index(receiver)}"
            own.mkdir()
            results[receiver.name].append(_round(receiver, own, requests))
    _report(results)


def _round(receiver: Receiver, folder: Path, requests: Path) -> Result:
    with receiver.start(folder) as program:
        before = program.cpu_seconds()
        figures = load.run(requests, program.url, receiver.path, connections=CONNECTIONS, seconds=SECONDS)
        result = Result(figures=figures, cpu=program.cpu_seconds() - before, memory=program.memory())
    if figures.refused or figures.broken:
        raise RuntimeError(f"{receiver.name}: {figures.refused} refused, {figures.broken} broken")
    if figures.requests >= MOST_A_SECOND * SECONDS - 2 * CONNECTIONS:
        raise RuntimeError(f"{receiver.name} is too fast for these messages: raise MOST_A_SECOND")
    return result


def _report(results: dict[str, list[Result]]) -> None:
    rows = []
    for receiver in sorted(ORDER, key=lambda each: -_rate(results[each.name])):
        own = results[receiver.name]
        rates = sorted(each.figures.rate for each in own)
        rows.append(
            (
                receiver.name,
                receiver.keeps,
                f"{_rate(own):,.0f}",
                f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
                f"{1000 * median(each.figures.p50 for each in own):.1f}",
                f"{1000 * median(each.figures.p99 for each in own):.1f}",
                f"{1e6 * median(each.cpu / each.figures.requests for each in own):.0f}",
                f"{median(each.memory for each in own):.0f}",
            )
        )
    table(("receiver", "keeps", "requests/s", "range", "p50 ms", "p99 ms", "CPU us/request", "RSS MB"), rows)
    targets = []
    for ours in (OURS, INGRESS):
        targets.append(_ratio(results, ours, MEMORY, 0.6))
        targets.extend(_ratio(results, ours, peer, 1.4) for peer in PEERS)
    verdicts(targets)


def _ratio(results: dict[str, list[Result]], ours: Receiver, other: Receiver, limit: float) -> Target:
    """The median of the ratios of neighbouring rounds: what slows the machine for a while slows both."""
    pairs = zip(results[ours.name], results[other.name], strict=True)
    measured = median(mine.figures.rate / theirs.figures.rate for mine, theirs in pairs)
    return Target(what=f"{ours.name} / {other.name}", measured=measured, limit=limit, at_least=True, digits=2)


def _rate(own: list[Result]) -> float:
    return median(each.figures.rate for each in own)
