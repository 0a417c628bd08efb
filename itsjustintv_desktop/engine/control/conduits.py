"""Conduits as commands and the control port show them."""

from __future__ import annotations

from typing import Protocol

import msgspec


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


class ConduitActions(Protocol):
    """Raises AppError: NotFoundError, UsageError, TwitchError, SecretsError, LedgerError, ControlError."""

    async def conduits(self) -> list[ConduitView]:
        """All of the client id, ours first."""
        ...

    async def adopt_conduit(self, conduit_id: str) -> ConduitView:
        """Use it from now on; whoever used it loses its events."""
        ...

    async def delete_conduit(self, conduit_id: str, *, force: bool = False) -> ConduitView:
        """Take it away with its subscriptions; ours only with `force`."""
        ...
