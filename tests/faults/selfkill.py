"""The program, made to die at one exact point, or to break one promise.

`python -m tests.faults.selfkill POINT [options] serve`, where POINT is a name of POINTS or SABOTAGE, or `name:number`.
The points are where no fault of the simulator can hold the program. The sabotaged ones prove that the kill tests see
what they are made to see.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from itsjustintv_desktop.engine.announce.pipeline import Pipeline
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome, StreamEvent
from itsjustintv_desktop.engine.delivery.attempt import Sender
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.storage.ledger import Claimed, Finish, Ledger, claiming, connection, file, migrations
from itsjustintv_desktop.engine.storage.ledger.settling import Settle

_ROWS = 10
"""Bytes; an output.json with more than that holds an announcement."""


def die(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows: TerminateProcess
    time.sleep(60)
    raise AssertionError("still alive")


def accepted(_: int) -> None:
    """The ledger has committed, Twitch was not answered."""
    EventIntake._accepted = die  # type: ignore[method-assign]


def announced(_: int) -> None:
    """The deliveries are in the ledger, the dispatcher does not know."""
    Pipeline._announced = die  # type: ignore[method-assign]


def claimed(_: int) -> None:
    """The deliveries are marked as being sent, nothing was sent."""
    Sender.post = die  # type: ignore[method-assign]


def answered(_: int) -> None:
    """The receiver's answer has arrived, nothing of it is in the ledger."""
    Dispatcher._record = die  # type: ignore[method-assign]


def rename(after: int) -> None:
    """output.json is written under another name and not (0) or just (1) renamed."""
    _at_rename("output.json", after)


def control(after: int) -> None:
    """The same with control.json."""
    _at_rename("control.json", after)


def _at_rename(name: str, after: int) -> None:
    real = Path.replace

    def replace(self: Path, target: Any) -> Path:
        ours = Path(target).name == name and self.stat().st_size > _ROWS
        if ours and not after:
            die()
        outcome = real(self, target)
        if ours:
            die()
        return outcome

    Path.replace = replace  # type: ignore[assignment,method-assign]


class _Deadly(tuple[str, ...]):
    """Statements of a migration; dies after so many of them."""

    __slots__ = ()
    alive: ClassVar[int] = 0

    def __iter__(self) -> Iterator[str]:
        for number, statement in enumerate(super().__iter__()):
            if number >= self.alive:
                die()
            yield statement
        die()


def migrate(statements: int) -> None:
    """A new ledger, after so many statements of its first migration."""
    _Deadly.alive = statements
    migrations.MIGRATIONS = (_Deadly(migrations.MIGRATIONS[0]), *migrations.MIGRATIONS[1:])


def upgrade(statements: int) -> None:
    """A ledger in use, after so many statements of the migration of a version to come."""
    _Deadly.alive = statements
    step = ("ALTER TABLE events ADD COLUMN mood TEXT", "UPDATE events SET mood = 'fine'", "DROP TABLE once")
    migrations.MIGRATIONS = (*migrations.MIGRATIONS, _Deadly(step))


def statement(number: int) -> None:
    """Before the ledger's statement of that number, counted from the first event it stores (0)."""
    real = connection.open_ledger
    seen = -1

    def trace(text: str) -> None:
        nonlocal seen
        if seen >= 0 or text.startswith("INSERT INTO events"):
            seen += 1
            if seen > number:
                die()

    def open_ledger(path: Path) -> sqlite3.Connection:
        opened = real(path)
        opened.set_trace_callback(trace)
        return opened

    file.open_ledger = open_ledger  # type: ignore[attr-defined]


def answers_early(_: int) -> None:
    """Twitch hears 204 before the commit."""
    real = Ledger.accept

    def accept(self: Ledger, event: StreamEvent, settle: Settle) -> None:
        settle(True)
        asyncio.get_running_loop().call_later(0.1, real, self, event, settle)

    Ledger.accept = accept  # type: ignore[method-assign]


def marks_early(_: int) -> None:
    """A delivery is marked as delivered before it is sent."""
    real = Dispatcher._deliver

    async def deliver(self: Dispatcher, claimed: Claimed) -> None:
        result = AttemptResult(outcome=Outcome.DELIVERED, status=204)
        finish = Finish(id=claimed.id, attempt=claimed.attempt, state=DeliveryState.DELIVERED, result=result)
        await self._ledger.finish([finish])
        await real(self, claimed)

    Dispatcher._deliver = deliver  # type: ignore[method-assign]


def forgets_ids(_: int) -> None:
    """What a kill cut off is sent again under a new webhook-id."""
    real = claiming.recover

    def recover(connection: sqlite3.Connection, now: float, latest: float) -> int:
        connection.execute(
            "UPDATE deliveries SET webhook_id = 'msg_' || lower(hex(randomblob(16))) WHERE state = 'sending'"
        )
        return real(connection, now, latest)

    claiming.recover = recover


POINTS: dict[str, Callable[[int], None]] = {
    one.__name__: one for one in (accepted, announced, claimed, answered, rename, control, migrate, upgrade, statement)
}
SABOTAGE: dict[str, Callable[[int], None]] = {one.__name__: one for one in (answers_early, marks_early, forgets_ids)}


def program(point: str) -> tuple[str, ...]:
    """The interpreter's arguments to start it."""
    return ("-m", "tests.faults.selfkill", point)


def main() -> None:
    from itsjustintv_desktop import cli

    name, _, number = sys.argv.pop(1).partition(":")
    (POINTS | SABOTAGE)[name](int(number or 0))
    cli.main()


if __name__ == "__main__":
    main()
