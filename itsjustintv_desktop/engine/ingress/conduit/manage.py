"""The conduits of the client id as a person sees and changes them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from itsjustintv_desktop.engine.core.errors import ConduitGoneError, NotFoundError, UsageError
from itsjustintv_desktop.engine.ingress.conduit.registry import META, TAKEN, MetaStore
from itsjustintv_desktop.engine.twitch.conduits import Conduits


class ShardView(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a conduit. `method` is websocket or webhook, `since` RFC 3339 or empty."""

    id: str
    status: str
    method: str = ""
    since: str = ""


class ConduitView(msgspec.Struct, frozen=True, kw_only=True):
    """One conduit of the client id. `ours`: the one this machine uses."""

    id: str
    shard_count: int
    ours: bool
    shards: tuple[ShardView, ...] = ()

    @property
    def in_use(self) -> bool:
        """Some program is connected to it now."""
        return any(shard.status == "enabled" for shard in self.shards)


class ConduitManager:
    """All raise TwitchError, SecretsError and LedgerError. `changed` is called after ours became another one."""

    def __init__(self, conduits: Conduits, meta: MetaStore, changed: Callable[[], None]) -> None:
        self._conduits = conduits
        self._meta = meta
        self._changed = changed

    async def list(self) -> list[ConduitView]:
        """All of the client id, ours first."""
        ours = await self._meta.meta(META)
        views = [await self._view(each.id, each.shard_count, each.id == ours) for each in await self._conduits.list()]
        return sorted(views, key=lambda view: (not view.ours, view.id))

    async def adopt(self, conduit_id: str) -> ConduitView:
        """Make it this machine's. The one before is left as it is. Raises NotFoundError."""
        view = await self._find(conduit_id)
        await self._meta.set_meta(TAKEN, "")
        await self._meta.set_meta(META, conduit_id)
        self._changed()
        return ConduitView(id=view.id, shard_count=view.shard_count, ours=True, shards=view.shards)

    async def delete(self, conduit_id: str, *, force: bool = False) -> ConduitView:
        """Take it away with its subscriptions. Raises NotFoundError, and UsageError for ours without `force`."""
        view = await self._find(conduit_id)
        if view.ours and not force:
            raise UsageError(
                f"The conduit {conduit_id} is the one this machine uses. With --force it is deleted all the same; "
                "while the program runs by conduit it makes a new one at once."
            )
        await self._conduits.delete(conduit_id)
        if view.ours:
            await self._meta.set_meta(META, "")
            self._changed()
        return view

    async def _find(self, conduit_id: str) -> ConduitView:
        ours = await self._meta.meta(META)
        for each in await self._conduits.list():
            if each.id == conduit_id:
                return await self._view(each.id, each.shard_count, each.id == ours)
        raise NotFoundError(f"This client id has no conduit {conduit_id}. See `conduit list` for those there are.")

    async def _view(self, conduit_id: str, shard_count: int, ours: bool) -> ConduitView:
        try:
            shards = await self._conduits.shards(conduit_id)
        except ConduitGoneError:
            shards = ()  # deleted between the two questions
        found = tuple(
            ShardView(
                id=shard.id,
                status=shard.status,
                method=shard.transport.method,
                since=shard.transport.connected_at or "",
            )
            for shard in shards
        )
        return ConduitView(id=conduit_id, shard_count=shard_count, ours=ours, shards=found)
