"""The facade: what a screen may ask of a running engine beyond `engine.wishes`.

All of it belongs on the engine's loop, takes and gives plain frozen values, and raises AppError only. What costs is
loaded when it is asked for first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.desk.feed import Feed, FeedItem, FeedPage, Kind
    from itsjustintv_desktop.engine.desk.models import PauseView, Snapshot
    from itsjustintv_desktop.engine.engine import Engine


class Desk:
    """One a running engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def snapshot(self) -> Snapshot:
        """Everything at this moment. Raises LedgerError."""
        from itsjustintv_desktop.engine.desk.snapshot import snapshot

        return await snapshot(self._engine)

    # Pausing announcements

    @property
    def paused(self) -> PauseView | None:
        """None while announcements are made."""
        from itsjustintv_desktop.engine.desk.snapshot import pause_view

        return pause_view(self._engine)

    async def pause(self, until: float | None = None) -> None:
        """Announce nothing until then (Unix seconds), or until resumed; tests and what is sent by hand go out.

        Raises UsageError for a time that has passed, LedgerError.
        """
        await self._engine.pause.begin(until)

    async def resume(self) -> None:
        """Announce again. Raises LedgerError."""
        await self._engine.pause.resume()

    # The live feed

    async def feed(
        self, before: int | None = None, limit: int = 50, *, kinds: Sequence[Kind] = (), search: str = ""
    ) -> FeedPage:
        """Events below the id `before`, newest first, at most 200; all kinds where none is named.

        `search` is looked for in key, login, name and title, whatever its case. A long search answers with what it has
        so far: go on from `FeedPage.before`. Raises LedgerError.
        """
        return await self._feed.page(before, limit, kinds, search)

    async def feed_item(self, event_id: int) -> FeedItem:
        """One, as it is now. Raises NotFoundError (also for what the feed does not show), LedgerError."""
        return await self._feed.item(event_id)

    async def payload(self, event_id: int) -> str:
        """The announcement as it is sent (format json), to read: the picture's data is shortened.

        Raises NotFoundError, LedgerError.
        """
        return await self._feed.payload(event_id)

    async def picture(self, sha256: str) -> bytes | None:
        """A profile picture's bytes (PNG, JPEG, ...). None: it is gone."""
        return await self._feed.picture(sha256)

    @cached_property
    def _feed(self) -> Feed:
        from itsjustintv_desktop.engine.desk.feed import Feed

        return Feed(self._engine)
