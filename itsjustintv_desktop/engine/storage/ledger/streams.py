"""The part of the ledger about streams: which events a message became, and the last broadcasts of each channel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.storage.ledger import broadcasting, parting
from itsjustintv_desktop.engine.storage.ledger.records import EventRecord

T = TypeVar("T")


class Streams(ABC):
    """All methods raise LedgerError, as those of Ledger."""

    # Events

    async def events_of_message(self, source: str, message_id: str) -> list[EventRecord]:
        """More than one where several streamers of the config stand for the channel."""
        return await self._run(parting.events_of_message, source, message_id)

    async def accept_for(self, event: StreamEvent, key: str | None) -> int:
        """Store a new event, for this streamer alone if one is named; its id."""
        return await self._run(parting.accept_for, event, key)

    async def part(self, events: Mapping[int, Sequence[str]]) -> None:
        """Make accepted events ones for these streamers each."""
        await self._run(parting.part, events)

    # Broadcasts; times are the source's own

    async def note_broadcasts(
        self, words: Sequence[broadcasting.Sight | broadcasting.End]
    ) -> list[broadcasting.Broadcast | None]:
        """Note who went live and offline, in order. For each sight: the channel's broadcast before that one."""
        return await self._run(broadcasting.note, words)

    async def broadcast_fates(self, streams: Sequence[broadcasting.BroadcastStream]) -> list[str]:
        """For each: "announced" (or taken for one that was), "paused", "accepted" (in work), or "" (none of it)."""
        return await self._run(broadcasting.fates, streams)

    async def continuation(self, broadcaster_id: str, stream_id: str) -> str:
        """The stream that this one goes on as after its encoder crashed; itself if it did not."""
        return await self._run(broadcasting.continuation, broadcaster_id, stream_id)

    async def told_over(self, broadcaster_id: str, stream_id: str) -> bool:
        """Whether the source told that this stream ended, and nothing of it since."""
        return await self._run(broadcasting.told_over, broadcaster_id, stream_id)

    async def is_half(self, event: StreamEvent, entry: str = "") -> bool:
        """Whether its stream was taken for the second half of a broadcast before: Twitch may tell of it again."""
        return await self._run(broadcasting.is_half, event.broadcaster_id, event.stream_id, entry)

    async def held_back(self, streams: Sequence[broadcasting.Key]) -> set[broadcasting.Key]:
        """Those of `streams` that a pause held back and nobody sent anyway."""
        return await self._run(broadcasting.held_back, streams)

    async def overtaken(self, events: Sequence[EventRecord]) -> set[int]:
        """Ids of those that came when a stream of their channel was known that began later."""
        return await self._run(broadcasting.all_overtaken, events)

    async def broadcasts(self, broadcaster_id: str) -> list[broadcasting.Broadcast]:
        """The last few of a channel, the newest first."""
        return await self._run(broadcasting.of_channel, broadcaster_id)

    async def live_broadcasts(self, after: str = "", limit: int = 200) -> list[broadcasting.Broadcast]:
        """Everything that is live as far as is known, one page by broadcaster id above `after`."""
        return await self._run(broadcasting.all_running, after, limit)

    @abstractmethod
    async def _run(self, job: Callable[..., T], *arguments: Any, **named: Any) -> T: ...
