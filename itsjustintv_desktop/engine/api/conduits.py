"""What a person asks about conduits: implements control.conduits.ConduitActions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitView

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine
    from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitManager


class ApiConduits:
    """Over an engine, listening or not. The way in use looks at once at what was changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def conduits(self) -> list[ConduitView]:
        """All of the client id, ours first. Raises TwitchError, SecretsError, LedgerError."""
        return await self._manager().list()

    async def adopt_conduit(self, conduit_id: str) -> ConduitView:
        """Raises NotFoundError, TwitchError, SecretsError, LedgerError."""
        return await self._manager().adopt(conduit_id)

    async def delete_conduit(self, conduit_id: str, *, force: bool = False) -> ConduitView:
        """Raises NotFoundError, UsageError, TwitchError, SecretsError, LedgerError."""
        return await self._manager().delete(conduit_id, force=force)

    def _manager(self) -> ConduitManager:
        from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitManager

        reach = self._engine.reach
        return ConduitManager(reach.conduits, self._engine.ledger, lambda: reach.way.trigger())
