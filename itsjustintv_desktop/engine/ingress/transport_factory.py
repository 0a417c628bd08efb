"""Makes the transport that a config asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.sources import Submit
from itsjustintv_desktop.engine.ingress.conduit import ConduitTransport
from itsjustintv_desktop.engine.ingress.proxy import NullTransport, ProxyTransport
from itsjustintv_desktop.engine.ingress.transports import Transport, transport_kind
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.secrets import SecretValues
from itsjustintv_desktop.engine.twitch.helix import Conduits


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFactory:
    """What all transports together need. `address` is where the public port listens, None before it does."""

    clock: Clock
    config: ConfigHolder
    paths: Paths
    environ: Mapping[str, str]
    outbound: Outbound
    values: SecretValues
    ledger: Ledger
    conduits: Conduits
    eventsub_url: str
    submit: Submit
    well_known: WellKnownTokens
    address: Callable[[], tuple[str, int] | None]

    def build(self, config: Config, on_change: Callable[[], None], on_gap: Callable[[str], None]) -> Transport:
        """Not started yet. Each brings libraries of its own, so only that one is loaded."""
        kind = transport_kind(config)
        if kind == "conduit":
            return ConduitTransport(
                self.clock,
                on_change,
                conduits=self.conduits,
                meta=self.ledger,
                submit=self.submit,
                eventsub_url=self.eventsub_url,
                on_gap=on_gap,
                outbound=self.outbound,
            )
        if kind == "ngrok":
            from itsjustintv_desktop.engine.ingress.ngrok import NgrokTransport

            return NgrokTransport(
                self.clock,
                on_change,
                config=self.config,
                authtoken=self.values.tunnel_authtoken,
                local_address=self.address,
                folder=self.paths.ngrok,
                environ=self.environ,
                outbound=self.outbound,
            )
        if kind == "tls":
            server = config.server
            from itsjustintv_desktop.engine.ingress.acme import AcmeTransport

            return AcmeTransport(
                self.clock,
                on_change,
                config=self.config,
                folder=self.paths.resolve(server.tls.cert_dir),
                well_known=self.well_known,
                local_address=lambda: self.address() or (server.listen_addr, server.port),
                environ=self.environ,
                proxies=self.outbound.proxies,
            )
        if kind == "own":
            return ProxyTransport(self.clock, on_change, config=self.config, local_address=self.address)
        return NullTransport(self.clock, on_change, config=self.config)
