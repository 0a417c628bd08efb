"""How Twitch reaches us, as far as a person may steer it beside the config."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

_log = structlog.get_logger(__name__)


class ConnectionActions:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def trigger(self) -> None:
        """Look at the way in use now, and at the subscriptions that depend on it."""
        reach = self._engine.reach
        _log.info("a person asks to look at the way now", way=reach.way.kind)
        reach.way.trigger()
        reach.subscriptions.trigger("asked")

    async def last_message(self) -> float | None:
        """When Twitch was heard of last. Raises LedgerError."""
        return await self._engine.ledger.last_message("twitch")

    async def install_ngrok(self, progress: Callable[[int, int | None], None]) -> str:
        """Download ngrok's program for this data directory; its version. Raises TunnelError."""
        from itsjustintv_desktop.engine.ingress.ngrok.install import install

        version = await install(self._engine.paths.ngrok, progress, outbound=self._engine.outbound)
        self._engine.reach.way.trigger()
        return version
