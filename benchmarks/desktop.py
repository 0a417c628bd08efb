"""The tray app: is its UI thread free under load, is Twitch answered while it is not, what do start and idling cost."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec
import psutil

from benchmarks import config, load, messages, process, queued, ticking
from benchmarks.burst import CHANNELS, CONNECTIONS, SECONDS
from benchmarks.idle import DESTINATIONS, STREAMERS
from benchmarks.ports import free_port
from benchmarks.report import Target, heading, say, table, verdicts
from benchmarks.world import RECEIVER, World, environment
from itsjustintv_desktop.engine.core.paths import Paths
from tests.support.desktop_session import PACKAGES, DesktopProgram, DesktopSession, desktop_session

STARTS = 5
SETTLE = 5.0
LOOK = 6.0
"""Seconds that the ticker is watched from the first message on."""
QUEUE_LOOK = 15.0
IDLE_SECONDS = 40.0
HELD = 3.0
"""Seconds of a slot that does not return."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Gaps between ticks in ms; answers where Twitch was answered meanwhile."""

    gaps: list[float]
    figures: load.Figures | None = None

    @property
    def p99(self) -> float:
        return sorted(self.gaps)[int(len(self.gaps) * 0.99)]


def run(folder: Path) -> None:
    heading("The tray app")
    with ExitStack() as stack:
        desktop = None
        if _has_desktop():
            desktop = stack.enter_context(desktop_session(folder / "screen"))
            say("On a virtual screen with openbox, trayer and GNOME's keyring.\n")
        else:
            say("Without a screen, so without a tray and a keyring (make system-deps brings them).\n")
        environ = dict(desktop.environ) if desktop is not None else {"QT_QPA_PLATFORM": "offscreen"}
        cases = _burst(folder, environ) | _queue(folder, environ)
        idle = _idle(folder, environ)
        starts = _starts(folder, desktop) if desktop is not None else []
    _report(cases, starts, idle)


def _report(cases: Mapping[str, Case], starts: Sequence[float], idle: tuple[float, float]) -> None:
    table(
        ("UI thread, a tick every 10 ms", "p50 ms", "p99 ms", "longest ms", "answers p99 ms", "refused"),
        [
            (
                name,
                f"{median(each.gaps):.1f}",
                f"{each.p99:.0f}",
                f"{max(each.gaps):.0f}",
                "-" if each.figures is None else f"{1000 * each.figures.p99:.1f}",
                "-" if each.figures is None else each.figures.refused + each.figures.broken,
            )
            for name, each in cases.items()
        ],
    )
    free = {name: each for name, each in cases.items() if "held" not in name}
    memory, share = idle
    verdicts(
        [
            *(
                Target(what=f"p99 of gaps, {name}", measured=each.p99, limit=50, unit=" ms")
                for name, each in free.items()
            ),
            *(
                Target(what=f"longest gap, {name}", measured=max(each.gaps), limit=150, unit=" ms")
                for name, each in free.items()
            ),
            *(
                Target(what=f"p99 of answers, {name}", measured=1000 * each.figures.p99, limit=100, unit=" ms")
                for name, each in cases.items()
                if each.figures is not None
            ),
            *(
                [Target(what="start to tray icon", measured=median(starts), limit=1.2, unit=" s", digits=2)]
                if starts
                else []
            ),
            Target(what="memory (RSS), window open", measured=memory, limit=170, unit=" MB", digits=0),
            Target(what="CPU, window open", measured=share, limit=1, unit=" % of a core", digits=2),
        ]
    )


def _burst(folder: Path, environ: Mapping[str, str]) -> dict[str, Case]:
    """Channels go live three times: undisturbed, with the UI thread held, with a modal dialog open."""
    own = folder / "burst"
    own.mkdir()
    with process.python(["-m", "benchmarks.world", str(CHANNELS)], log=own / "world.log") as world:
        config.write(own, streamers=CHANNELS, destinations={"main": f"{world.url}/receiver/{RECEIVER}"})
        again = {"ITSJUSTINTV_TWITCH_RESTART_WINDOW": "0s"}  # whoever goes live again is announced again
        with _program(own, {**environ, **environment(world.url), **again}) as (program, socket):
            time.sleep(SETTLE)

            def measured(number: int, page: str, meanwhile: Callable[[], object] = lambda: None) -> Case:
                _show(socket, page)
                return _live(world.url, program, socket, number, meanwhile)

            cases = {f"{CHANNELS:,} go live": measured(1, "overview")}
            cases["the same, live feed in front"] = measured(2, "feed")
            cases["the same, thread held 3 s"] = measured(3, "overview", lambda: ticking.ask(socket, "hold", HELD))
            cases["the same, modal dialog"] = measured(4, "overview", lambda: ticking.ask(socket, "modal"))
            ticking.ask(socket, "close")
    return cases


def _live(url: str, program: process.Program, socket: Path, number: int, meanwhile: Callable[[], object]) -> Case:
    async def play() -> load.Figures:
        async with World(url) as world:
            streams = [f"{number}0{channel:010}" for channel in range(CHANNELS)]
            for channel, stream in enumerate(streams):
                await world.go_live(channel, stream)
            requests = [b"POST /twitch HTTP/1.1\r\n" + messages.online(each, of) for each, of in enumerate(streams)]
            ticking.ask(socket, "begin")
            side = threading.Thread(target=meanwhile, name="bench-meanwhile")
            side.start()
            figures = await load.paced(requests, program.host, program.port, connections=CONNECTIONS, seconds=SECONDS)
            await asyncio.sleep(LOOK - SECONDS)
            side.join()
            return figures

    figures = asyncio.run(play())
    return Case(gaps=ticking.ask(socket, "gaps"), figures=figures)


def _queue(folder: Path, environ: Mapping[str, str]) -> dict[str, Case]:
    own = folder / "queue"
    (own / "data").mkdir(parents=True)
    down = f"http://127.0.0.1:{free_port()}"  # nothing listens there
    names = {f"place{number:03}": f"{down}/{number}" for number in range(queued.DESTINATIONS)}
    config.write(own, streamers=messages.CHANNELS, destinations=names)
    queued.fill(own / "data" / "ledger.db", list(names))
    cases = {}
    with _program(own, environ) as (_, socket):
        for page in ("overview", "deliveries"):
            if _show(socket, page):
                ticking.ask(socket, "begin")
                time.sleep(QUEUE_LOOK)
                cases[f"{queued.DELIVERIES:,} queued, {page}"] = Case(gaps=ticking.ask(socket, "gaps"))
    return cases


def _show(socket: Path, page: str) -> bool:
    """Bring a page to the front and let it settle; False if it is not there within some seconds."""
    for _ in range(50):
        if ticking.ask(socket, "page", page) == page:
            time.sleep(SETTLE)
            return True
        time.sleep(0.1)
    return False


def _idle(folder: Path, environ: Mapping[str, str]) -> tuple[float, float]:
    """Memory in MB and share of a core in %, with nothing of ours in the process."""
    own = folder / "idle"
    own.mkdir()
    with process.python(["-m", "benchmarks.world", str(STREAMERS)], log=own / "world.log") as world:
        _small(own, world.url)
        with _plain(own, {**environ, **environment(world.url)}) as started:
            time.sleep(2 * SETTLE)
            before = _cpu(started)
            time.sleep(IDLE_SECONDS)
            return started.memory_info().rss / 1e6, 100 * (_cpu(started) - before) / IDLE_SECONDS


def _starts(folder: Path, desktop: DesktopSession) -> list[float]:
    """Seconds from the start of the process until the panel shows the icon."""
    own = folder / "starts"
    own.mkdir()
    took = []
    with process.python(["-m", "benchmarks.world", str(STREAMERS)], log=own / "world.log") as world:
        _small(own, world.url)
        for _ in range(STARTS):
            paths = Paths(own / "config.toml", own / "data")
            began = time.perf_counter()
            program = DesktopProgram(desktop, paths, environment(world.url), probed=False)
            try:
                while desktop.tray_icon() is None:
                    time.sleep(0.01)
                took.append(time.perf_counter() - began)
                time.sleep(1)
                program.process.terminate()
                program.ended()
            finally:
                program.close()
    return took


def _small(folder: Path, url: str) -> None:
    places = {f"place{number}": f"{url}/receiver/{number}" for number in range(DESTINATIONS)}
    config.write(folder, streamers=STREAMERS, destinations=places, store="keyring" if _has_desktop() else "memory")


@contextlib.contextmanager
def _program(folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[process.Program, Path]]:
    """The program with its ticker; the path of the socket to ask it."""
    socket = folder / "socket"
    arguments = ["-m", "benchmarks.ticking", str(socket), *_options(folder)]
    with process.python(arguments, environ=environ, log=folder / "log") as program:
        yield program, socket


@contextlib.contextmanager
def _plain(folder: Path, environ: Mapping[str, str]) -> Iterator[psutil.Process]:
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "itsjustintv_desktop", *_options(folder)], env={**environ}, stdout=log, stderr=log
        )
    try:
        yield psutil.Process(started.pid)
    finally:
        process._stop(started)  # type: ignore[arg-type]


def _options(folder: Path) -> list[str]:
    return ["--config", str(folder / "config.toml"), "--data-dir", str(folder / "data")]


def _cpu(started: psutil.Process) -> float:
    times = started.cpu_times()
    return float(times.user + times.system)


def _has_desktop() -> bool:
    return all(shutil.which(name) for name in (*PACKAGES, "dbus-daemon", "gnome-keyring-daemon"))
