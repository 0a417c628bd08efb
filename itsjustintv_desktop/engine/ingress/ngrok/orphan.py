"""An agent that a killed run left behind: it holds the account's session, so the next start ends it.

Only ever that very process: its id, its start time, its program and our own config file on its command line must fit.
All of it blocks.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec
import structlog

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.ingress.ngrok.settings import settings_path

_NAME: Final = "agent.json"
_CLOCK_MAY_DRIFT: Final = 5.0
"""Seconds: some systems count start times from a boot time that moves when the clock is set."""
_MOST: Final = 65536
_log = structlog.get_logger(__name__)


class Record(msgspec.Struct, frozen=True):
    """`started` is Unix seconds as the system gives them, `program` the path of the running executable."""

    pid: int
    started: float
    program: str


def remember(folder: Path, pid: int) -> None:
    """Write down which process the agent is. Raises OSError. A process that ended already is not written down."""
    import psutil

    try:
        process = psutil.Process(pid)
        record = Record(pid, process.create_time(), process.exe())
    except psutil.Error:
        return
    files.clear_leftovers(folder / _NAME)
    files.write_atomic(folder / _NAME, msgspec.json.encode(record), durable=False)


def forget(folder: Path) -> None:
    """The agent has ended. Raises OSError."""
    (folder / _NAME).unlink(missing_ok=True)


def reap(folder: Path, *, patience: float = 3.0) -> bool:
    """End the agent of an earlier run: ask, wait `patience` seconds, kill. True if there was one. Raises OSError."""
    try:
        record = msgspec.json.decode(files.read(folder / _NAME, _MOST), type=Record)
    except FileNotFoundError:
        return False
    except msgspec.DecodeError:
        forget(folder)
        return False
    found = _end(record, str(settings_path(folder)), patience)
    forget(folder)
    if found:
        _log.warning("an ngrok agent that an earlier run left behind was ended", pid=record.pid)
    return found


def _end(record: Record, settings: str, patience: float) -> bool:
    import psutil

    try:
        process = psutil.Process(record.pid)
        if (
            abs(process.create_time() - record.started) > _CLOCK_MAY_DRIFT
            or process.exe() != record.program
            or settings not in process.cmdline()
        ):
            return False
        process.terminate()
        try:
            process.wait(patience)
        except psutil.TimeoutExpired:
            process.kill()
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(patience)
    except psutil.Error:  # it ended meanwhile, or it is somebody else's
        return False
    return True
