"""How Twitch reaches us, and the net below: the way in use, the subscriptions, catching up, waking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import SecretsError, TwitchError
from itsjustintv_desktop.engine.core.events import Signal, TransportChanged
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.sleep_detector import SleepDetector
from itsjustintv_desktop.engine.ingress.catch_up import CatchUp
from itsjustintv_desktop.engine.ingress.conduit import ConduitManager, ConduitTransport
from itsjustintv_desktop.engine.ingress.transports import Transport, TransportState, transport_kind
from itsjustintv_desktop.engine.twitch.conduits import Conduits
from itsjustintv_desktop.engine.twitch.subscriptions import Reconciler, SubscriptionsApi

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine

Keep = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]

_LOOP = "reach.way"
CLOSE_SECONDS = 15.0
"""How long a way that is no longer used may take to let go of what it holds."""

_log = structlog.get_logger(__name__)


class IngressManager:
    """Puts the parts together and lets each hear of what happens to the others.

    A new target makes the subscriptions anew; a gap in what Twitch could tell us, a wake-up and a new config make us
    ask who is live.
    """

    def __init__(self, engine: Engine, endpoints: Endpoints) -> None:
        self._engine = engine
        self._endpoints = endpoints
        self._switching = asyncio.Lock()
        self._way: Transport | None = None
        self._leaving: list[Transport] = []
        """Those before, until they are closed: a stop may come in between."""
        self._was_ready = False
        clock, twitch = engine.clock, engine.twitch
        self.conduits = Conduits(twitch.client)
        self.subscriptions = Reconciler(
            SubscriptionsApi(twitch.client),
            engine.ledger,
            target=lambda: self.way.target,
            watched=engine.watched_ids,
            secret=lambda: engine.signing.primary,
            bus=engine.bus,
            clock=clock,
            certain=lambda: engine.live.knows_all_ids,
            signed_with=lambda held_id: engine.listening.signed_with(held_id) if engine.listening else None,
        )
        self.catch_up = CatchUp(
            twitch.helix,
            engine.ledger,
            config=engine.config,
            watched=engine.watched_ids,
            skew=lambda: twitch.skew.seconds,
            bus=engine.bus,
            clock=clock,
            paused_at=engine.pause.covers,
        )
        self.conduit_manager = ConduitManager(self.conduits, engine.ledger, lambda: self.way.trigger())
        self.wake = SleepDetector(clock)
        self.recheck: Signal[()] = Signal()
        """The machine slept or the network is another one: whatever waits for a time or a connection looks again."""
        self._way = self._build(engine.live.config)
        self._made_for = _made_for(engine.live.config)

    @property
    def way(self) -> Transport:
        assert self._way is not None
        return self._way

    @property
    def needs_secret(self) -> bool:
        """Whether messages come that Twitch signs; over a conduit they are not."""
        return self.way.kind != "conduit"

    def begin(self, keep: Keep) -> None:
        """Start what always runs as supervised loops, once the public port listens."""
        keep(_LOOP, self.way.run)
        keep("reach.wake", self.wake.run)

    def way_for(self, config: Config) -> Transport | None:
        """Another way, not started yet, where the one in use cannot do what `config` asks for."""
        return None if _made_for(config) == self._made_for else self._build(config)

    def switch(self, way: Transport) -> Coroutine[Any, Any, None]:
        """Use this one instead, from now on. What is returned has the one before end, which may take seconds."""
        old, self._way = self.way, way
        self._leaving.append(old)
        self._made_for = _made_for(self._engine.live.config)
        self._was_ready = False
        self._way_changed()
        return self._switch(old, way)

    async def _switch(self, old: Transport, way: Transport) -> None:
        async with self._switching:
            await self._engine.supervisor.end(_LOOP)
            await self._let_go(old)
            if self._way is way:
                self._engine.supervisor.keep(_LOOP, way.run)

    async def _let_go(self, way: Transport) -> None:
        """Whatever goes wrong with it: the one after it must run."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await way.close()
        except TimeoutError:
            _log.warning("the way before did not close in time", way=way.kind)
        except Exception:  # noqa: BLE001 - said above
            _log.exception("the way before did not close cleanly", way=way.kind)
        self._leaving.remove(way)

    async def close(self) -> None:
        for way in list(self._leaving):
            await self._let_go(way)
        await self.way.close()

    def channels_changed(self) -> None:
        """Who is watched, or what is known of them, changed."""
        self.subscriptions.trigger("config")
        self.catch_up.trigger("config")

    def revoked(self, event: StreamEvent) -> None:
        """Twitch ended a subscription."""
        self.subscriptions.revoked(event.subscription_id, event.detail, event.broadcaster_id)

    def unwatched(self, subscription_id: str) -> None:
        """Twitch told us of a channel that nobody watches any more."""
        self._engine.background("twitch.unsubscribe", self._unsubscribe(subscription_id))

    async def _unsubscribe(self, subscription_id: str) -> None:
        try:
            await self._engine.twitch.helix.delete_subscription(subscription_id)
        except (TwitchError, SecretsError) as error:
            _log.info("a subscription nobody needs could not be deleted", reason=error.message)
        else:
            _log.info("a subscription nobody needs was deleted", subscription=subscription_id)

    def network_returned(self) -> None:
        """The system says that the network is there again, or is another one: connections may be dead, unnoticed."""
        _log.info("the network came back or changed; everything is looked at again")
        self._look_again("network")

    def woke_up(self, _: float) -> None:
        """The machine slept."""
        self._look_again("wake")

    def _look_again(self, why: str) -> None:
        self.recheck.emit()
        self.way.trigger()
        self.subscriptions.trigger(why)
        self.catch_up.trigger(why)

    def _gap(self, why: str) -> None:
        _log.info("Twitch is asked who is live", reason=why)
        self.catch_up.trigger("gap")

    def _way_changed(self) -> None:
        if self._way is None:
            return  # it is still being built
        self.subscriptions.trigger_if_moved()
        status = self._way.status
        if status.state is TransportState.READY and not self._was_ready:
            self.catch_up.trigger("address")  # whatever began while we could not be reached
        self._was_ready = status.state is TransportState.READY
        self._engine.bus.publish(
            TransportChanged(kind=status.kind, state=status.state.value, code=status.code, text=status.message)
        )

    def _build(self, config: Config) -> Transport:
        """The way the config asks for. Each brings libraries of its own, so only that one is loaded."""
        engine = self._engine
        clock, changed = engine.clock, self._way_changed
        kind = transport_kind(config)
        if kind == "conduit":
            return ConduitTransport(
                clock,
                changed,
                conduits=self.conduits,
                meta=engine.ledger,
                submit=engine.intake.submit,
                eventsub_url=self._endpoints.eventsub_url,
                on_gap=self._gap,
                outbound=engine.outbound,
            )
        if kind == "ngrok":
            from itsjustintv_desktop.engine.ingress.ngrok import NgrokTransport

            return NgrokTransport(
                clock,
                changed,
                config=lambda: engine.live.config,
                authtoken=engine.values.tunnel_authtoken,
                local_address=lambda: engine.address,
                folder=engine.paths.ngrok,
                environ=engine.environ,
                outbound=engine.outbound,
            )
        if kind == "tls":
            server = config.server
            from itsjustintv_desktop.engine.ingress.acme import AcmeTransport

            return AcmeTransport(
                clock,
                changed,
                config=lambda: engine.live.config,
                folder=engine.paths.resolve(server.tls.cert_dir),
                well_known=engine.well_known,
                local_address=lambda: engine.address or (server.listen_addr, server.port),
                environ=engine.environ,
                proxies=engine.outbound.proxies,
            )
        from itsjustintv_desktop.engine.ingress.proxy import NullTransport, ProxyTransport

        if kind == "own":
            return ProxyTransport(
                clock, changed, config=lambda: engine.live.config, local_address=lambda: engine.address
            )
        return NullTransport(clock, changed, config=lambda: engine.live.config)


def _made_for(config: Config) -> tuple[str, ...]:
    """What a way holds on to from its making on; all else it reads from the config in force."""
    kind = transport_kind(config)
    held = {"conduit": config.twitch.client_id, "tls": config.server.tls.cert_dir}
    return kind, held.get(kind, "")
