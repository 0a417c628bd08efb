"""The facade: what a screen may ask of a running engine beyond `engine.api.actions`.

All of it belongs on the engine's loop, takes and gives plain frozen values, and raises AppError only. What costs is
loaded when it is asked for first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from itsjustintv_desktop.engine.api.actions import ApiActions
from itsjustintv_desktop.engine.api.settings import Settings

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.announce.pause import PauseView
    from itsjustintv_desktop.engine.api.connection import ConnectionActions
    from itsjustintv_desktop.engine.api.deliveries import (
        Deliveries,
        DeliveryFilter,
        DeliveryPage,
        ManyResult,
    )
    from itsjustintv_desktop.engine.api.delivery_details import DeliveryDetails
    from itsjustintv_desktop.engine.api.events import EventKind
    from itsjustintv_desktop.engine.api.feed import Feed, FeedItem, FeedPage
    from itsjustintv_desktop.engine.api.log_lines import LogPage
    from itsjustintv_desktop.engine.api.models import Snapshot
    from itsjustintv_desktop.engine.api.statistics import Counter, Statistics
    from itsjustintv_desktop.engine.core.models import DeliveryView
    from itsjustintv_desktop.engine.engine import Engine


class Api:
    """One a running engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.actions = ApiActions(engine)
        self.settings = Settings(engine)

    async def snapshot(self) -> Snapshot:
        """Everything at this moment."""
        from itsjustintv_desktop.engine.api.snapshot import snapshot

        return await snapshot(self._engine)

    # Pausing announcements

    @property
    def paused(self) -> PauseView | None:
        """None while announcements are made."""
        return self._engine.pause.view

    async def pause(self, until: float | None = None) -> None:
        """Announce nothing until then (Unix seconds), or until resumed; tests and what is sent by hand go out.

        Raises UsageError for a time that has passed, LedgerError.
        """
        await self._engine.pause.begin(until)

    async def resume(self) -> None:
        """Announce again. Raises LedgerError."""
        await self._engine.pause.resume()

    # Newer versions of this program

    async def skip_update(self, version: str) -> None:
        """Say no more of this one; of later ones it is said again. Raises LedgerError."""
        await self._engine.updates.skip(version)

    # How Twitch reaches us

    async def trigger_way(self) -> None:
        """Try the way in use now instead of at its next time; a tunnel that ended is started again."""
        self._reaching.trigger()

    async def last_message(self) -> float | None:
        """When Twitch last told us something (Unix seconds); None: not lately. Raises LedgerError."""
        return await self._reaching.last_message()

    async def install_ngrok(self, progress: Callable[[int, int | None], None]) -> str:
        """Get ngrok's program from ngrok, because a person asked for it; its version. Cancel it to stop it.

        `progress` is called on the engine's loop with the bytes so far and in all (None: not said). Raises TunnelError.
        """
        return await self._reaching.install_ngrok(progress)

    # What the system tells a desktop program

    async def woke(self) -> None:
        """The machine woke up: what happened meanwhile is asked for now. A gap of the clocks alone is noticed, too."""
        self._engine.reach.wake.woke()

    async def network_returned(self) -> None:
        """The network is there again, or is another one: way, subscriptions and who is live are looked at now."""
        self._engine.reach.network_returned()

    # The live feed

    async def feed(
        self, before: int | None = None, limit: int = 50, *, kinds: Sequence[EventKind] = (), search: str = ""
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

    # Deliveries

    async def deliveries(self, wanted: DeliveryFilter, before: int | None = None, limit: int = 200) -> DeliveryPage:
        """Deliveries below the id `before`, newest first, at most 200. Raises LedgerError.

        Where few of very many fit, a page answers with what it has so far: go on from `DeliveryPage.before`.
        """
        return await self._queue.page(wanted, before, limit)

    async def delivery_count(self, wanted: DeliveryFilter) -> int:
        """How many those are. By states and destination at once, else in small bites. Raises LedgerError."""
        return await self._queue.count(wanted)

    async def delivery(self, delivery_id: int) -> DeliveryDetails:
        """Raises NotFoundError, LedgerError."""
        from itsjustintv_desktop.engine.api.delivery_details import details

        return await details(self._engine, delivery_id)

    async def set_due(self, delivery_id: int, at: float) -> DeliveryView:
        """Another time (Unix seconds) for the next try of a waiting delivery; one in the past means now.

        Raises NotFoundError, LedgerError, UsageError: not waiting, or later than [retry] max_delay or max_age allow.
        """
        return await self._queue.set_due(delivery_id, at)

    async def retry_many(self, ids: Sequence[int]) -> ManyResult:
        """`wishes.retry` for at most 500, in one transaction. Raises UsageError for more, LedgerError."""
        return await self._queue.many("retry", ids)

    async def drop_many(self, ids: Sequence[int]) -> ManyResult:
        """`wishes.drop` for at most 500, in one transaction. Raises UsageError for more, LedgerError."""
        return await self._queue.many("drop", ids)

    async def resend_many(self, ids: Sequence[int]) -> ManyResult:
        """`wishes.resend` for at most 500, in one transaction. Raises UsageError for more, LedgerError."""
        return await self._queue.many("resend", ids)

    async def retry_all(self, destination: str | None = None) -> int:
        """Try everything that waits (there) now; how many. Nothing goes to what is off or paused by hand.

        Raises NotFoundError, UsageError, LedgerError.
        """
        return await self._queue.retry_all(destination)

    async def pause_destination(self, name: str, reason: str = "") -> None:
        """Send nothing there until resumed, across restarts and whatever its address; its deliveries wait.

        Raises NotFoundError, LedgerError.
        """
        await self._queue.pause_destination(name, reason)

    async def resume_destination(self, name: str) -> None:
        """Send again, whatever stood against it. Raises NotFoundError, LedgerError."""
        await self._queue.resume_destination(name)

    async def statistics(self, days: int = 14) -> Statistics:
        """How many were announced, delivered, given up and suppressed on each of the last days (1 to 90).

        Days that are over are counted anew every five minutes at most. Raises UsageError, LedgerError.
        """
        return await self._counter.statistics(days)

    @cached_property
    def _reaching(self) -> ConnectionActions:
        from itsjustintv_desktop.engine.api.connection import ConnectionActions

        return ConnectionActions(self._engine)

    @cached_property
    def _counter(self) -> Counter:
        from itsjustintv_desktop.engine.api.statistics import Counter

        return Counter(self._engine)

    @cached_property
    def _queue(self) -> Deliveries:
        from itsjustintv_desktop.engine.api.deliveries import Deliveries

        return Deliveries(self._engine)

    @cached_property
    def _feed(self) -> Feed:
        from itsjustintv_desktop.engine.api.feed import Feed

        return Feed(self._engine)

    # The log

    async def log_lines(self, after: int = 0) -> LogPage:
        """The last lines of the log, at most 2,000: those since the line of that number. Redacted."""
        from itsjustintv_desktop.engine.api.log_lines import log_page

        return log_page(self._engine, after)
