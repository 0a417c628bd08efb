"""Programs under measurement, each in a process of its own."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psutil

START_SECONDS = 30.0
STOP_SECONDS = 20.0


class Program:
    """One that printed `ready http://HOST:PORT`; `started_in` is how long that took, seconds."""

    def __init__(self, process: subprocess.Popen[str], address: str, started_in: float) -> None:
        self._process = process
        self._ps = psutil.Process(process.pid)
        parts = urlsplit(address)
        self.url = address
        self.host, self.port = parts.hostname or "", parts.port or 0
        self.started_in = started_in

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self) -> float:
        """Resident memory, MB (10^6 bytes)."""
        return float(self._ps.memory_info().rss) / 1e6

    def cpu_seconds(self) -> float:
        """CPU time used so far, user and system."""
        times = self._ps.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def python(
    arguments: Sequence[str], *, environ: Mapping[str, str] | None = None, log: Path, ready: str = "ready "
) -> Iterator[Program]:
    """Run `python ARGUMENTS` until the end of the block; its stderr goes to `log`.

    Begins once a line with `ready` came on stdout. Raises RuntimeError if that takes more than START_SECONDS.
    """
    began = time.perf_counter()
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environ or {})},
        )
    try:
        address = _address(process, ready)
        if address is None:
            raise RuntimeError(f"{' '.join(arguments)} did not start. Its last words:\n{log.read_text()[-2000:]}")
        yield Program(process, address, time.perf_counter() - began)
    finally:
        _stop(process)


def _address(process: subprocess.Popen[str], ready: str) -> str | None:
    """The address in the line that begins with `ready`; reads on in a thread, so that the pipe never fills."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    assert process.stdout is not None
    threading.Thread(target=_read, args=(process.stdout, lines), name="bench-output", daemon=True).start()
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            line = lines.get(timeout=0.5)
        except queue.Empty:
            if process.poll() is not None:
                return None
            continue
        if ready in line:
            return "http://" + line.partition("http://")[2].split("/")[0].strip()
    return None


def _read(output: IO[str], lines: queue.SimpleQueue[str]) -> None:
    with output:
        for line in output:
            lines.put(line)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
