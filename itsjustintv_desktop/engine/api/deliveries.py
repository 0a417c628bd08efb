"""The list of deliveries: pages, counts, and what a person does to many of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from itsjustintv_desktop.engine.config.destinations import must_exist
from itsjustintv_desktop.engine.core.errors import UsageError
from itsjustintv_desktop.engine.core.events import DeliveriesChanged, DeliveryChanged
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.engine.delivery.breaker import BY_HAND
from itsjustintv_desktop.engine.storage.ledger.changing import MOST, Action, Refused
from itsjustintv_desktop.engine.storage.ledger.listing import Choice

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

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
    """Lists and changes. Raises AppError only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def page(self, wanted: DeliveryFilter, before: int | None, limit: int) -> DeliveryPage:
        """See Api.deliveries."""
        choice = await self._choice(wanted)
        limit = max(1, min(limit, PAGE))
        rows: list[DeliveryView] = []
        for _ in range(SCAN):
            bite = await self._engine.ledger.delivery_rows(choice, before, limit - len(rows))
            rows += bite.rows
            before = bite.before
            if before is None or len(rows) >= limit:
                break
        return DeliveryPage(rows=tuple(rows), before=before)

    async def count(self, wanted: DeliveryFilter) -> int:
        """See Api.delivery_count."""
        if wanted.streamer is None and not wanted.search.strip():
            return await self._engine.ledger.delivery_count(await self._choice(wanted))
        choice = await self._choice(wanted)
        before: int | None = None
        count = 0
        while True:
            bite = await self._engine.ledger.delivery_ids(choice, before)
            count += len(bite.ids)
            before = bite.before
            if before is None:
                return count
            await asyncio.sleep(0)

    async def set_due(self, delivery_id: int, at: float) -> DeliveryView:
        """See Api.set_due."""
        engine = self._engine
        retry, latest = engine.live.config.retry, engine.dispatcher.latest_due()
        if not at <= latest:
            minutes = max(int((latest - engine.now()) / 60), 1)
            raise UsageError(
                f"The next try can be put off by {minutes} min at most ([retry] max_delay). Choose an earlier time."
            )
        view = await engine.ledger.set_due(delivery_id, at, retry.max_age)
        self._tell([view])
        return view

    async def many(self, action: Action, ids: Sequence[int]) -> ManyResult:
        """See Api.retry_many."""
        if len(ids) > MOST:
            raise UsageError(f"At most {MOST} deliveries can be changed at once. Choose fewer.")
        engine = self._engine
        changed = await engine.ledger.change_many(action, ids, engine.api.actions.not_to_be_sent())
        if action != "drop":
            for name in dict.fromkeys(view.destination for view in changed.done):
                await engine.dispatcher.resume(name)
        self._tell(changed.done)
        made = tuple(view.id for view in changed.done) if action == "resend" else ()
        return ManyResult(done=len(changed.done), refused=changed.refused, made=made)

    async def retry_all(self, destination: str | None) -> int:
        """See Api.retry_all."""
        engine, blocked = self._engine, self._engine.api.actions.not_to_be_sent()
        if destination is not None:
            must_exist(destination, engine.live.destinations)
            if destination in blocked:
                raise UsageError(blocked[destination])
        names = [destination] if destination is not None else list((await engine.ledger.tally()).waiting)
        after: int | None = 0
        total = 0
        while after is not None:
            some, after = await engine.ledger.retry_all(destination, after, tuple(blocked))
            total += some
        if total:
            for name in names:
                if name in engine.live.destinations and name not in blocked:
                    await engine.dispatcher.resume(name)
            engine.bus.publish(DeliveriesChanged(count=total))
        engine.dispatcher.wake()
        return total

    async def pause_destination(self, name: str, reason: str) -> None:
        """See Api.pause_destination."""
        must_exist(name, self._engine.live.destinations)
        await self._engine.dispatcher.pause(name, reason.strip() or BY_HAND)

    async def resume_destination(self, name: str) -> None:
        """See Api.resume_destination."""
        must_exist(name, self._engine.live.destinations)
        await self._engine.dispatcher.resume(name, afresh=True)

    def _tell(self, views: Sequence[DeliveryView]) -> None:
        engine = self._engine
        if len(views) > _SINGLY:
            engine.bus.publish(DeliveriesChanged(count=len(views)))
        else:
            for view in views:
                engine.bus.publish(DeliveryChanged.of(view))
        if views:
            engine.dispatcher.wake()
            engine.feed.changed()

    async def _choice(self, wanted: DeliveryFilter) -> Choice:
        names: tuple[str, ...] | None = None
        needle = wanted.search.strip().casefold()
        if needle:
            known = [*await self._engine.ledger.delivery_destinations(), *self._engine.live.config.streamers]
            names = tuple(dict.fromkeys(name for name in known if needle in name.casefold()))[:PAGE]
        return Choice(
            states=tuple(dict.fromkeys(state.value for state in wanted.states)),
            streamer=wanted.streamer,
            destination=wanted.destination,
            names=names,
        )
