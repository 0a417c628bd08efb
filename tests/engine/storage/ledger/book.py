"""Short ways to bring a ledger into the state a test begins with, and to look behind its back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.storage.ledger import Claimed, Finish, Ledger
from tests.support.builders import make_event
from tests.support.clock import FakeClock

SENT = AttemptResult(outcome=Outcome.DELIVERED, status=204, duration=0.5)
FAILED = AttemptResult(outcome=Outcome.RETRY, status=503, error="answered 503", answer="busy", duration=0.25)


class Book:
    def __init__(self, ledger: Ledger, clock: FakeClock) -> None:
        self.ledger = ledger
        self.clock = clock

    async def event(self, **details: Any) -> int:
        """Accept one; its id."""
        event = make_event(**{"received_at": self.clock.now(), **details})
        assert await self.ledger.accept_now(event)
        newest = await self.ledger.events(limit=1)
        return newest[0].id

    async def announced(self, *destinations: str, streamer: str = "alice", **details: Any) -> dict[str, int]:
        """A new event announced to these; the ids of its deliveries."""
        event_id = await self.event(**details)
        outcome = await self.ledger.announce(event_id, streamer=streamer, payload=b"{}", destinations=destinations)
        return outcome.created

    async def delivery(self, destination: str = "main", **details: Any) -> int:
        return (await self.announced(destination, **details))[destination]

    async def claim(self, limit: int = 100, **slots: int) -> list[Claimed]:
        return list((await self.ledger.claim(limit, slots, 100)).deliveries)

    async def claimed(self, delivery_id: int) -> Claimed:
        """Claim what is due at its destination; that one of it."""
        own = (await self.ledger.delivery(delivery_id)).destination
        others = {name: 0 for name, _ in await self.ledger.waiting_destinations() if name != own}
        return {each.id: each for each in await self.claim(**others)}[delivery_id]

    async def finish(
        self,
        claimed: Claimed,
        state: DeliveryState,
        result: AttemptResult | None = SENT,
        *,
        next_at: float | None = None,
        reason: str | None = None,
    ) -> None:
        end = Finish(id=claimed.id, attempt=claimed.attempt, state=state, next_at=next_at, result=result, reason=reason)
        await self.ledger.finish([end])

    async def ended(self, state: DeliveryState, destination: str = "main", **details: Any) -> int:
        """A new delivery that came to this end."""
        delivery_id = await self.delivery(destination, **details)
        if state is DeliveryState.DROPPED:
            await self.ledger.drop(delivery_id)
        elif state is not DeliveryState.PENDING:
            claimed = await self.claimed(delivery_id)
            if state is not DeliveryState.SENDING:
                await self.finish(claimed, state, SENT if state is DeliveryState.DELIVERED else FAILED)
        return delivery_id


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of one's own to the file."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.1)
    try:
        yield connection
    finally:
        connection.close()


def beside(suffix: str) -> Callable[[Path], Path]:
    return lambda path: path.with_name(path.name + suffix)


wal, shm = beside("-wal"), beside("-shm")


def over(path: Path, begin: int, length: int, content: bytes = b"\0") -> None:
    with wal(path).open("r+b") as file:
        file.seek(begin)
        file.write((content * length)[:length])


def zeroed(path: Path) -> None:
    over(path, 0, wal(path).stat().st_size)


def killed(path: Path, tmp_path: Path) -> list[str]:
    """The messages that a program started after a kill at this moment would find."""
    copy = tmp_path / "after-a-kill"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    shutil.copy(path, copy)
    if (log := beside("-wal")(path)).exists():  # the next start makes one
        shutil.copy(log, copy)
    with raw(copy / path.name) as found:
        rows = found.execute("SELECT message_id FROM events WHERE source != 'ledger' ORDER BY id").fetchall()
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return [row[0] for row in rows]
