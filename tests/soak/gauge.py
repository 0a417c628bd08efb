"""What the program uses, measured from outside every few seconds, and whether any of it only grows."""

from __future__ import annotations

import contextlib
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import psutil

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.errors import ControlError, UsageError
from tests.support.process import Serve

MOST_GROWTH = 5.0
"""MB (10^6 bytes)."""
_TROUBLE = re.compile(r"\[(error|critical)\s*\]|Traceback \(most recent call last\)|never retrieved|was destroyed but")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look. Sizes are MB, times seconds."""

    at: float
    """Since the load began."""
    rss: float
    pss: float
    """Resident memory, with what is shared counted by share. 0 where the system does not tell."""
    cpu: float
    threads: int
    descriptors: int
    ledger: float
    waiting: int
    """Deliveries not sent yet."""
    tasks: dict[str, int] = {}
    """By name; empty if the program did not answer."""


class Gauge:
    """Looks at one `serve` and keeps what it saw."""

    def __init__(self, serve: Serve) -> None:
        self.samples: list[Sample] = []
        self.trouble: list[str] = []
        """Lines of its log that tell of an error."""
        self._serve = serve
        self._began = time.monotonic()
        self._read = 0

    def begin(self) -> None:
        """Times count from now."""
        self._began = time.monotonic()

    async def look(self) -> Sample | None:
        """None if it does not run. Is kept only by `note`."""
        self.read_log()
        tasks, waiting = await self._ask()
        with contextlib.suppress(psutil.Error, AssertionError):
            process = psutil.Process(self._serve.process.pid)
            with process.oneshot():
                times = process.cpu_times()
                return Sample(
                    at=time.monotonic() - self._began,
                    rss=process.memory_info().rss / 1e6,
                    pss=_pss(process),
                    cpu=times.user + times.system,
                    threads=process.num_threads(),
                    descriptors=process.num_fds() if sys.platform != "win32" else 0,
                    ledger=_size(self._serve.paths.ledger),
                    waiting=waiting,
                    tasks=tasks,
                )
        return None

    async def note(self) -> Sample | None:
        sample = await self.look()
        if sample is not None:
            self.samples.append(sample)
        return sample

    def read_log(self) -> None:
        """Looks at what was written since the last time."""
        with self._serve.log.open("rb") as log:
            log.seek(self._read)
            whole, _, rest = log.read().rpartition(b"\n")
            self._read = log.tell() - len(rest)
        self.trouble += [line for line in whole.decode(errors="replace").splitlines() if _TROUBLE.search(line)]

    async def _ask(self) -> tuple[dict[str, int], int]:
        found = address.read(self._serve.paths.control)
        if found is not None:
            with contextlib.suppress(ControlError, UsageError):
                async with ControlClient(found) as client:
                    health = await client.health()
                number = re.match(r"\d+", health["parts"]["deliveries"]["reason"])
                return health["tasks"], int(number[0]) if number else 0
        return {}, -1


def growth(samples: Sequence[Sample], of: Callable[[Sample], float], warm: float, end: float) -> tuple[float, float]:
    """Medians of the tenth of the time that begins at `warm` and of the last tenth before `end` (seconds)."""
    tenth = end / 10
    first = [of(each) for each in samples if warm <= each.at < warm + tenth]
    last = [of(each) for each in samples if end - tenth <= each.at < end]
    if not first or not last:
        raise ValueError("too few samples for a verdict")
    return statistics.median(first), statistics.median(last)


def leaked(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Tasks there are more of than before, by name."""
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}


def _pss(process: psutil.Process) -> float:
    full = process.memory_full_info()
    return float(getattr(full, "pss", 0)) / 1e6


def _size(path: Path) -> float:
    files = (path.with_name(path.name + suffix) for suffix in ("", "-wal"))
    return sum(each.stat().st_size for each in files if each.exists()) / 1e6
