"""The list of deliveries: pages, counts, and what a person does to many of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from itsjustintv_desktop.engine.api.destinations import Destinations
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.destinations import must_exist
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.core.events import Bus, DeliveriesChanged, DeliveryChanged
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.changing import MOST, Action, Refused
from itsjustintv_desktop.engine.storage.ledger.listing import Choice

PAGE = 200
SCAN = 20
"""Most jobs of the ledger that one page may take: then it answers with what it has, and where to go on."""
_SINGLY = 50
"""Up to this many changes are told one by one."""


class DeliveryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries; empty = all. `search` is a part of a streamer's key or of a destination's name."""

    states: tuple[DeliveryState, ...] = ()
    streamer: str | None = None
    destination: str | None = None
    search: str = ""


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: ask with it for what is older; None = that was all. A page may be short, or empty, before the end."""

    rows: tuple[DeliveryView, ...]
    before: int | None


class ManyResult(msgspec.Struct, frozen=True, kw_only=True):
    """How many were changed, and why not the others. `made`: ids of the new deliveries of a resend."""

    done: int
    refused: tuple[Refused, ...] = ()
    made: tuple[int, ...] = ()


class Deliveries:
    """Lists and changes, which take effect at once.

    Raises NotFoundError, UsageError and LedgerError only.
    """

    def __init__(
        self,
        ledger: Ledger,
        destinations: Destinations,
        latest_due: Callable[[], float],
        more_to_send: Callable[[], None],
        config: ConfigHolder,
        bus: Bus,
        clock: Clock,
    ) -> None:
        """`latest_due` is the last moment (Unix seconds) that a try can be put off to; `more_to_send` is called after
        each change."""
        self._ledger = ledger
        self._destinations = destinations
        self._latest_due = latest_due
        self._more_to_send = more_to_send
        self._config = config
        self._bus = bus
        self._clock = clock

    async def list(
        self,
        *,
        before: int | None = None,
        states: Sequence[DeliveryState] = (),
        streamer: str | None = None,
        destination: str | None = None,
        limit: int = 200,
    ) -> list[DeliveryView]:
        """Those of a streamer (its key) and a destination below the id `before`, newest first, at most 200."""
        return await self._ledger.deliveries(
            before=before, states=states, streamer=streamer, destination=destination, limit=limit
        )

    async def page(self, wanted: DeliveryFilter, before: int | None = None, limit: int = PAGE) -> DeliveryPage:
        """Deliveries below the id `before`, newest first, at most 200.

        Where few of very many fit, a page answers with what it has so far: go on from `DeliveryPage.before`.
        """
        choice = await self._choice(wanted)
        limit = max(1, min(limit, PAGE))
        rows: list[DeliveryView] = []
        for _ in range(SCAN):
            bite = await self._ledger.delivery_rows(choice, before, limit - len(rows))
            rows += bite.rows
            before = bite.before
            if before is None or len(rows) >= limit:
                break
        return DeliveryPage(rows=tuple(rows), before=before)

    async def count(self, wanted: DeliveryFilter) -> int:
        """How many those are. By states and destination at once, else in small bites."""
        if wanted.streamer is None and not wanted.search.strip():
            return await self._ledger.delivery_count(await self._choice(wanted))
        choice = await self._choice(wanted)
        before: int | None = None
        count = 0
        while True:
            bite = await self._ledger.delivery_ids(choice, before)
            count += len(bite.ids)
            before = bite.before
            if before is None:
                return count
            await asyncio.sleep(0)

    async def retry(self, delivery_id: int) -> DeliveryView:
        """Try a waiting or given-up delivery now. Also lets a paused or failing destination try again: that is what
        the person asks for."""
        await self._must_be_on(delivery_id)
        view = await self._ledger.retry(delivery_id)
        await self._destinations.let_try(view.destination)
        return self._changed(view)

    async def drop(self, delivery_id: int) -> DeliveryView:
        """Give up a waiting delivery."""
        return self._changed(await self._ledger.drop(delivery_id))

    async def resend(self, delivery_id: int) -> DeliveryView:
        """Send a finished delivery's announcement once more, as a new delivery. Lets the destination try again, like
        `retry`."""
        await self._must_be_on(delivery_id)
        view = await self._ledger.resend(delivery_id)
        await self._destinations.let_try(view.destination)
        return self._changed(view)

    async def set_due(self, delivery_id: int, at: float) -> DeliveryView:
        """Another time (Unix seconds) for the next try of a waiting delivery; one in the past means now.

        Raises NotFoundError, LedgerError, UsageError: not waiting, or later than [retry] max_delay or max_age allow.
        """
        retry, latest = self._config.current.config.retry, self._latest_due()
        if not at <= latest:
            minutes = max(int((latest - self._clock.now()) / 60), 1)
            raise UsageError(
                f"The next try can be put off by {minutes} min at most ([retry] max_delay). Choose an earlier time."
            )
        return self._changed(await self._ledger.set_due(delivery_id, at, retry.max_age))

    async def retry_many(self, ids: Sequence[int]) -> ManyResult:
        """`retry` for at most 500, in one transaction. Raises UsageError for more, LedgerError."""
        return await self._change("retry", ids)

    async def drop_many(self, ids: Sequence[int]) -> ManyResult:
        """`drop` for at most 500, in one transaction. Raises UsageError for more, LedgerError."""
        return await self._change("drop", ids)

    async def resend_many(self, ids: Sequence[int]) -> ManyResult:
        """`resend` for at most 500, in one transaction. Raises UsageError for more, LedgerError."""
        return await self._change("resend", ids)

    async def _change(self, action: Action, ids: Sequence[int]) -> ManyResult:
        if len(ids) > MOST:
            raise UsageError(f"At most {MOST} deliveries can be changed at once. Choose fewer.")
        changed = await self._ledger.change_many(action, ids, self._destinations.not_to_be_sent())
        if action != "drop":
            for name in dict.fromkeys(view.destination for view in changed.done):
                await self._destinations.let_try(name)
        self._tell(changed.done)
        made = tuple(view.id for view in changed.done) if action == "resend" else ()
        return ManyResult(done=len(changed.done), refused=changed.refused, made=made)

    async def retry_all(self, destination: str | None = None) -> int:
        """Try everything that waits (there) now; how many. Nothing goes to what is off or paused by hand."""
        blocked, known = self._destinations.not_to_be_sent(), self._config.current.destinations
        if destination is not None:
            must_exist(destination, known)
            if destination in blocked:
                raise UsageError(blocked[destination])
        names = [destination] if destination is not None else [*(await self._ledger.tally()).waiting]
        after: int | None = 0
        total = 0
        while after is not None:
            some, after = await self._ledger.retry_all(destination, after, tuple(blocked))
            total += some
        if total:
            for name in names:
                if name in known and name not in blocked:
                    await self._destinations.let_try(name)
            self._bus.publish(DeliveriesChanged(count=total))
        self._more_to_send()
        return total

    async def _must_be_on(self, delivery_id: int) -> None:
        blocked = self._destinations.not_to_be_sent()
        name = (await self._ledger.delivery(delivery_id)).destination
        if name in blocked:
            raise UsageError(blocked[name])

    def _changed(self, view: DeliveryView) -> DeliveryView:
        self._tell([view])
        return view

    def _tell(self, views: Sequence[DeliveryView]) -> None:
        if len(views) > _SINGLY:
            self._bus.publish(DeliveriesChanged(count=len(views)))
        else:
            for view in views:
                self._bus.publish(DeliveryChanged.of(view))
        if views:
            self._more_to_send()

    async def _choice(self, wanted: DeliveryFilter) -> Choice:
        names: tuple[str, ...] | None = None
        needle = wanted.search.strip().casefold()
        if needle:
            known = [*await self._ledger.delivery_destinations(), *self._config.current.config.streamers]
            names = tuple(dict.fromkeys(name for name in known if needle in name.casefold()))[:PAGE]
        return Choice(
            states=tuple(dict.fromkeys(state.value for state in wanted.states)),
            streamer=wanted.streamer,
            destination=wanted.destination,
            names=names,
        )
