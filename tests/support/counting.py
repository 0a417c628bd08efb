"""How much work something is, whatever else the machine does meanwhile: what is counted is the same on every run."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from itsjustintv_desktop.engine.storage.ledger import Ledger

_STEPS = 100
"""Instructions of SQLite's machine between two looks."""


class Count:
    """`most` of one piece of work, and all `together`."""

    def __init__(self) -> None:
        self.pieces: list[int] = []

    @property
    def most(self) -> int:
        return max(self.pieces, default=0)

    @property
    def together(self) -> int:
        return sum(self.pieces)


@contextmanager
def calls_made() -> Iterator[Count]:
    """Calls of functions in this thread, in Python and in C, as one piece."""
    count = Count()
    made = 0

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal made
        if event in {"call", "c_call"}:
            made += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield count
    finally:
        sys.setprofile(before)
        count.pieces.append(made)


@contextmanager
def jobs_of(ledger: Ledger) -> Iterator[Count]:
    """The jobs that the ledger's thread runs for others; a piece is one job's instructions of SQLite's machine."""
    count = Count()
    run = ledger._writer.run

    async def counted(job: Callable[[sqlite3.Connection], Any]) -> Any:
        def measured(connection: sqlite3.Connection) -> Any:
            looks = 0

            def look() -> int:
                nonlocal looks
                looks += 1
                return 0

            connection.set_progress_handler(look, _STEPS)
            try:
                return job(connection)
            finally:
                connection.set_progress_handler(None, _STEPS)
                count.pieces.append(looks * _STEPS)

        return await run(measured)

    ledger._writer.run = counted  # type: ignore[method-assign]
    try:
        yield count
    finally:
        ledger._writer.run = run  # type: ignore[method-assign]
