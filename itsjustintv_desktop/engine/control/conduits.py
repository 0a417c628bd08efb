"""Conduits as commands and the control port show them."""

from __future__ import annotations

from typing import Protocol

from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitView


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
