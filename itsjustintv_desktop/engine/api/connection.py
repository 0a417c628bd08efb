"""How Twitch reaches us, as far as a person or the system may steer it beside the config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.ngrok import install
from itsjustintv_desktop.engine.storage.ledger import Ledger

_log = structlog.get_logger(__name__)


class Connection:
    def __init__(self, ingress: IngressManager, ledger: Ledger, ngrok_folder: Path, outbound: Outbound) -> None:
        self._ingress = ingress
        self._ledger = ledger
        self._ngrok_folder = ngrok_folder
        self._outbound = outbound

    async def trigger(self) -> None:
        """Try the transport in use now instead of at its next time (a tunnel that ended is started again), and look at
        the subscriptions that depend on it."""
        _log.info("a person asks to look at the way now", way=self._ingress.way.kind)
        self._ingress.way.trigger()
        self._ingress.subscriptions.trigger("asked")

    async def last_message(self) -> float | None:
        """When Twitch last told us something (Unix seconds); None: not lately. Raises LedgerError."""
        return await self._ledger.last_message("twitch")

    async def install_ngrok(self, progress: Callable[[int, int | None], None]) -> str:
        """Get ngrok's program from ngrok, because a person asked for it; its version. Cancel it to stop it.

        `progress` is called on the engine's loop with the bytes so far and in all (None: not said). Raises TunnelError.
        """
        version = await install.install(self._ngrok_folder, progress, outbound=self._outbound)
        self._ingress.way.trigger()
        return version

    async def woke(self) -> None:
        """The machine woke up: what happened meanwhile is asked for now. A gap of the clocks alone is noticed, too."""
        self._ingress.wake.woke()

    async def network_returned(self) -> None:
        """The network is there again, or is another one: way, subscriptions and who is live are looked at now."""
        self._ingress.network_returned()
