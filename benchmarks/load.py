"""The load: wrk where it is installed, else a lean generator of our own in a process of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import messages


class Figures(msgspec.Struct, kw_only=True):
    """What one round came to. Latencies are seconds. `refused`: not 2xx; `broken`: no answer at all."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p99: float
    most: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.requests - self.refused) / self.seconds if self.seconds else 0.0


def generator() -> str:
    """Which load generator is used."""
    return "wrk" if shutil.which("wrk") else "own generator (wrk is not installed)"


def run(requests: Path, url: str, path: str, *, connections: int, seconds: float) -> Figures:
    """Play the file of `requests` against `url` + `path` over keep-alive connections, each request once.

    Ends after `seconds`, or when the file does. Raises RuntimeError when no figures come.
    """
    wrk = shutil.which("wrk")
    if wrk:
        script = str(Path(__file__).with_name("wrk.lua"))
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "10s", "-s", script, url]
    else:
        command = [sys.executable, "-m", "benchmarks.load", url, str(connections), str(seconds)]
    done = subprocess.run(
        command,
        env={**os.environ, "BENCH_REQUESTS": str(requests), "BENCH_PATH": path},
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("figures "):
            return msgspec.json.decode(line.removeprefix("figures "), type=Figures)
    raise RuntimeError(f"the load generator gave no figures:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")


class Round:
    """Requests still to send, and what came back."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.waiting = deque(requests)
        self.latencies: list[float] = []
        self.refused = 0
        self.broken = 0

    def figures(self, seconds: float) -> Figures:
        ordered = sorted(self.latencies) or [0.0]
        return Figures(
            requests=len(self.latencies),
            seconds=seconds,
            refused=self.refused,
            broken=self.broken,
            p50=ordered[len(ordered) // 2],
            p99=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            most=ordered[-1],
        )


class Sender(asyncio.Protocol):
    """One keep-alive connection with at most one request under way. Reads only as much HTTP as our peers write.

    Free, it takes the next waiting request of the round by itself; when there is none, it goes into `free`.
    """

    def __init__(self, round_: Round, free: asyncio.Queue[Sender]) -> None:
        self._round = round_
        self._freed = free
        self._data = b""
        self._since = 0.0
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def send(self, request: bytes, since: float) -> None:
        """Send; the latency counts from `since` (perf_counter)."""
        self._busy = True
        self._since = since
        if self._transport is None:
            self.connection_lost(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, separator, body = self._data.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head):
            return
        self._data = b""
        self._round.latencies.append(time.perf_counter() - self._since)
        if head[9:10] != b"2":
            self._round.refused += 1
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        if self._busy:
            self._busy = False
            self._round.broken += 1
            self._freed.put_nowait(self)

    def _next(self) -> None:
        if self._round.waiting:
            self.send(self._round.waiting.popleft(), time.perf_counter())
        else:
            self._busy = False
            self._freed.put_nowait(self)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def play(requests: Sequence[bytes], host: str, port: int, *, connections: int, seconds: float) -> Figures:
    """As fast as it goes, in this process."""
    loop = asyncio.get_running_loop()
    round_ = Round(requests)
    free: asyncio.Queue[Sender] = asyncio.Queue()
    began = time.perf_counter()
    made = [await loop.create_connection(lambda: Sender(round_, free), host, port) for _ in range(connections)]
    loop.call_later(seconds, round_.waiting.clear)
    for _ in range(connections):
        await free.get()
    took = time.perf_counter() - began
    for transport, _ in made:
        transport.close()
    return round_.figures(took)


async def paced(requests: Sequence[bytes], host: str, port: int, *, connections: int, seconds: float) -> Figures:
    """Evenly over `seconds`, each on a free connection; if all are busy, it waits its turn and its time counts."""
    loop = asyncio.get_running_loop()
    round_ = Round(())
    free: asyncio.Queue[Sender] = asyncio.Queue()
    made = [await loop.create_connection(lambda: Sender(round_, free), host, port) for _ in range(connections)]
    began = time.perf_counter()
    for number, request in enumerate(requests):
        due = began + number * seconds / len(requests)
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        (await free.get()).send(request, due)
    for _ in range(connections):
        await free.get()
    took = time.perf_counter() - began
    for transport, _ in made:
        transport.close()
    return round_.figures(took)


async def _main(url: str, connections: int, seconds: float) -> None:
    first = f"POST {os.environ['BENCH_PATH']} HTTP/1.1\r\n".encode()
    requests = [first + rest for rest in messages.read(Path(os.environ["BENCH_REQUESTS"]))]
    host, _, port = url.removeprefix("http://").rpartition(":")
    figures = await play(requests, host, int(port), connections=connections, seconds=seconds)
    print("figures", msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
