"""`serve` with nothing to do: how soon it is ready, how much memory it holds, how much CPU it takes."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks import config, process
from benchmarks.report import Target, heading, say, table, verdicts
from benchmarks.world import environment
from tests.keyring_session import private_keyring

STREAMERS = 20
DESTINATIONS = 3
STARTS = 5
SETTLE = 5.0
SECONDS = 40.0


def run(folder: Path) -> None:
    heading("Doing nothing")
    say(
        f"{STREAMERS} streamers, {DESTINATIONS} destinations, a client id and the simulated Twitch. CPU over "
        f"{SECONDS:.0f} s, {SETTLE:.0f} s after the start, so with the background fetching of profiles.\n"
    )
    starts: list[float] = []
    share = 0.0
    memory: dict[str, float] = {}
    with process.python(["-m", "benchmarks.world", str(STREAMERS)], log=folder / "world.log") as world:
        for number in range(STARTS):
            with _program(folder / str(number), world.url, "memory", {}) as program:
                starts.append(program.started_in)
                if number == STARTS - 1:
                    time.sleep(SETTLE)
                    before = program.cpu_seconds()
                    time.sleep(SECONDS)
                    share = 100 * (program.cpu_seconds() - before) / SECONDS
                    memory["without a keyring"] = program.memory()
        if _has_keyring():
            with (
                private_keyring() as session,
                _program(folder / "keyring", world.url, "keyring", session) as program,
            ):
                time.sleep(SETTLE)
                memory["with GNOME's keyring"] = program.memory()
        else:
            say("dbus and gnome-keyring are not installed (make system-deps): memory is measured without a keyring.\n")
    table(
        ("figure", "median", "least", "most"),
        [("start to ready, s", f"{median(starts):.2f}", f"{min(starts):.2f}", f"{max(starts):.2f}")],
    )
    verdicts(
        [
            Target(what="ready after", measured=median(starts), limit=1, unit=" s", digits=2),
            *(
                Target(
                    what=f"memory (RSS) {name}",
                    measured=each,
                    limit=75 if "GNOME" in name else 70,
                    unit=" MB",
                    digits=0,
                )
                for name, each in memory.items()
            ),
            Target(what="CPU", measured=share, limit=0.5, unit=" % of a core", digits=2),
        ]
    )


def _program(
    folder: Path, url: str, store: str, environ: Mapping[str, str]
) -> contextlib.AbstractContextManager[process.Program]:
    folder.mkdir()
    places = {f"place{number}": f"{url}/receiver/{number}" for number in range(DESTINATIONS)}
    config.write(folder, streamers=STREAMERS, destinations=places, store=store)
    return process.python(config.serve(folder), environ={**environment(url), **environ}, log=folder / "log")


def _has_keyring() -> bool:
    return all(shutil.which(name) for name in ("dbus-daemon", "gnome-keyring-daemon"))
