"""A feed on a real ledger, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from itsjustintv_desktop.engine.config.schema import Output
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.output import LONGEST_PAUSE, RETRY_SECONDS, OutputFile
from tests.engine.storage.ledger.book import FAILED, SENT, Book
from tests.support.clock import FakeClock
from tests.support.waiting import until

S = DeliveryState


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "output.json"
        self.clock = FakeClock()
        self.ledger = Ledger(folder / "ledger.db", self.clock)
        self.book = Book(self.ledger, self.clock)
        self.output = Output(max_lines=5)
        self.tasks = Tasks()
        self.writes = 0
        self.more: dict[str, Any] = {}
        self.on_complete: Callable[[], None] = lambda: None
        self.feed = self.new_feed()

    def new_feed(self) -> OutputFile:
        return OutputFile(
            self.ledger,
            output=lambda: self.output,
            resolve=lambda _: self.path,
            complete=self.complete,
            clock=self.clock,
        )

    def complete(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.writes += 1
        self.on_complete()
        return {**payload, "completed": True, **self.more}

    async def announced(self, *destinations: str, received_at: float | None = None) -> tuple[int, dict[str, int]]:
        event_id = await self.book.event(received_at=received_at or self.clock.now())
        payload = msgspec.json.encode({"event": {"id": str(event_id)}})
        made = await self.ledger.announce(event_id, streamer="alice", payload=payload, destinations=destinations)
        return event_id, made.created

    async def end(self, delivery_id: int, state: DeliveryState, **details: Any) -> None:
        claimed = await self.book.claimed(delivery_id)
        result = details.pop("result", SENT if state is S.DELIVERED else FAILED)
        await self.book.finish(claimed, state, result, **details)

    async def written(self) -> list[dict[str, Any]]:
        """What stands in the file once all changes so far are in it."""
        await self.quiet()
        return self.read()

    async def quiet(self) -> None:
        self.feed.changed()

        async def settled() -> bool:
            self.clock.advance(RETRY_SECONDS)
            return self.feed._idle.is_set()

        await until(settled)
        # The time that went by while it wrote counts as the write's own: let it sleep the pause off.
        self.clock.advance(LONGEST_PAUSE)
        await until(lambda: not self.clock.sleepers)

    def read(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = msgspec.json.decode(self.path.read_bytes())
        return found

    def ids(self) -> list[str]:
        return [entry["payload"]["event"]["id"] for entry in self.read()]
