"""The program, made to break one promise slowly: proof that a soak sees what it is made to see.

`python -m tests.soak.saboteur NAME [options] serve`
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import structlog

from itsjustintv_desktop.engine.announce.pipeline import Pipeline
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.storage.ledger import Claimed, Ledger
from itsjustintv_desktop.engine.storage.ledger.settling import Settle

_KEPT: list[Any] = []


def leaks() -> None:
    """Each announcement leaves 100 kB and a task that never ends."""
    real = Pipeline._announced

    def announced(self: Pipeline, *what: Any) -> None:
        _KEPT.append(bytearray(b"x" * 100_000))
        self._tasks.start("a.leak", asyncio.Event().wait())
        real(self, *what)

    Pipeline._announced = announced  # type: ignore[method-assign, assignment]


def loses() -> None:
    """Every twentieth message is acknowledged and thrown away."""
    real = Ledger.accept
    seen = 0

    def accept(self: Ledger, event: StreamEvent, settle: Settle) -> None:
        nonlocal seen
        seen += 1
        settle(True) if seen % 20 == 0 else real(self, event, settle)

    Ledger.accept = accept  # type: ignore[method-assign]


def doubles() -> None:
    """Every twentieth delivery is sent a second time, and nothing is noted of that."""
    real = Dispatcher._attempt
    seen = 0

    async def attempt(self: Dispatcher, claimed: Claimed) -> Any:
        nonlocal seen
        seen += 1
        if seen % 20 == 0:
            await real(self, claimed)
        return await real(self, claimed)

    Dispatcher._attempt = attempt  # type: ignore[method-assign]


def errs() -> None:
    """Now and then there is an error in its log."""
    real = Pipeline._announced

    def announced(self: Pipeline, *what: Any) -> None:
        structlog.get_logger().error("something is not right")
        real(self, *what)

    Pipeline._announced = announced  # type: ignore[method-assign, assignment]


SABOTAGE: dict[str, Callable[[], None]] = {one.__name__: one for one in (leaks, loses, doubles, errs)}


def program(name: str) -> tuple[str, ...]:
    """The interpreter's arguments to start it."""
    return ("-m", "tests.soak.saboteur", name)


def main() -> None:
    from itsjustintv_desktop import cli

    SABOTAGE[sys.argv.pop(1)]()
    cli.main()


if __name__ == "__main__":
    main()
