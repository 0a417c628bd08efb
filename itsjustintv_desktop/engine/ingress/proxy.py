"""An address somebody else keeps: a reverse proxy or tunnel in front of us; and the lack of any address."""

from __future__ import annotations

from collections.abc import Callable

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.models import Webhook
from itsjustintv_desktop.engine.ingress.transports import BaseTransport, TransportState, callback_of

_LOOK_SECONDS = 3600.0


class ProxyTransport(BaseTransport):
    """Trusts the config: whether the address works is what the probe of `doctor` and Twitch's challenge show."""

    kind = "own"

    def __init__(
        self,
        clock: Clock,
        on_change: Callable[[], None],
        *,
        config: ConfigHolder,
        local_address: Callable[[], tuple[str, int] | None] = lambda: None,
    ) -> None:
        """`local_address`: where the public port listens (default: as the config says)."""
        super().__init__(clock, on_change)
        self._config = config
        self._local_address = local_address

    async def run(self) -> None:
        while True:
            config = self._config.current.config
            callback = callback_of(config)
            self._set_target(Webhook(callback))
            host, port = self._local_address() or (config.server.listen_addr, config.server.port)
            self._tell(
                TransportState.READY,
                "ready",
                f"Twitch posts to {callback}; whoever answers there hands it to {host} port {port}.",
                address=callback,
            )
            await self._pause(_LOOK_SECONDS)


class NullTransport(BaseTransport):
    """Webhooks without any address: everything runs, and only the polling finds streams."""

    kind = "none"

    def __init__(self, clock: Clock, on_change: Callable[[], None], *, config: ConfigHolder) -> None:
        super().__init__(clock, on_change)
        self._config = config
        self._look()

    async def run(self) -> None:
        while True:
            await self._pause(_LOOK_SECONDS)
            self._look()

    def _look(self) -> None:
        twitch = self._config.current.config.twitch
        asks = bool(twitch.client_id) and twitch.poll_interval > 0
        found = "are found by asking every few minutes only" if asks else "are not noticed while they begin"
        self._tell(
            TransportState.FAILING,
            "no_address",
            f"Twitch has no address to send messages to, so streams {found}.",
            'Set [twitch] transport = "conduit" (nothing else is needed), or an address: see "How Twitch reaches you" '
            "in the documentation.",
        )
