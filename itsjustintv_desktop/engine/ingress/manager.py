"""How Twitch reaches us, and the net below: the way in use, the subscriptions, catching up, waking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.events import Bus, Signal, TransportChanged
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.sleep_detector import SleepDetector
from itsjustintv_desktop.engine.core.tasks import Supervisor, Tasks
from itsjustintv_desktop.engine.ingress.catch_up import CatchUp
from itsjustintv_desktop.engine.ingress.conduit import ConduitManager
from itsjustintv_desktop.engine.ingress.transport_factory import TransportFactory
from itsjustintv_desktop.engine.ingress.transports import Transport, TransportState, transport_kind
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.twitch.subscriptions import Reconciler

Keep = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]

_LOOP = "reach.way"
_SIGNING = "signing.secret"
CLOSE_SECONDS = 15.0
"""How long a way that is no longer used may take to let go of what it holds."""

_log = structlog.get_logger(__name__)


class IngressManager:
    """Puts the parts together and lets each hear of what happens to the others.

    A new target makes the subscriptions anew; a gap in what Twitch could tell us, a wake-up and a new config make us
    ask who is live.
    """

    def __init__(
        self,
        transports: TransportFactory,
        config: ConfigHolder,
        secret: WebhookSecret,
        subscriptions: Reconciler,
        catch_up: CatchUp,
        supervisor: Supervisor,
        bus: Bus,
    ) -> None:
        self.subscriptions = subscriptions
        self.catch_up = catch_up
        self._transports = transports
        self._config = config
        self._secret = secret
        self._supervisor = supervisor
        self._bus = bus
        self._tasks = Tasks()
        self._switching = asyncio.Lock()
        self._way: Transport | None = None
        self._leaving: list[Transport] = []
        """Those before, until they are closed: a stop may come in between."""
        self._was_ready = False
        self.recheck: Signal[()] = Signal()
        """The machine slept or the network is another one: whatever waits for a time or a connection looks again."""
        self.conduits = transports.conduits
        self.conduit_manager = ConduitManager(self.conduits, transports.ledger, lambda: self.way.trigger())
        self.wake = SleepDetector(transports.clock)
        self._way = self._build(config.current.config)
        self._made_for = _made_for(config.current.config)

    @property
    def way(self) -> Transport:
        assert self._way is not None
        return self._way

    @property
    def needs_secret(self) -> bool:
        """Whether messages come that Twitch signs; over a conduit they are not."""
        return self.way.kind != "conduit"

    def follow_way(self) -> None:
        """Have the secret at hand that the way in use needs."""
        kept = self._supervisor.keeps(_SIGNING)
        if not self.needs_secret:
            if not kept:
                self._secret.not_wanted()
            return  # one at hand stays good: messages for the way before may still be coming
        self._secret.wanted()
        if not kept:
            self._supervisor.keep(_SIGNING, self._secret.run)

    def config_applied(self) -> None:
        """Another config is in force."""
        self.follow_way()
        self._secret.look_again()
        self.way.trigger()

    def unlocked(self) -> None:
        """Secrets that were missing may be there."""
        self.way.trigger()
        self.subscriptions.trigger("secret")

    def begin(self, keep: Keep) -> None:
        """Start what always runs as supervised loops, once the public port listens."""
        keep(_LOOP, self.way.run)
        keep("reach.wake", self.wake.run)

    def way_for(self, config: Config) -> Transport | None:
        """Another way, not started yet, where the one in use cannot do what `config` asks for."""
        return None if _made_for(config) == self._made_for else self._build(config)

    def switch(self, way: Transport) -> None:
        """Use this one instead, from now on. The one before ends in the background, which may take seconds."""
        old, self._way = self.way, way
        self._leaving.append(old)
        self._made_for = _made_for(self._config.current.config)
        self._was_ready = False
        self._way_changed()
        self._tasks.start("reach.switch", self._switch(old, way))

    async def _switch(self, old: Transport, way: Transport) -> None:
        async with self._switching:
            await self._supervisor.end(_LOOP)
            await self._let_go(old)
            if self._way is way:
                self._supervisor.keep(_LOOP, way.run)

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
        await self._tasks.stop()
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
        self._bus.publish(
            TransportChanged(kind=status.kind, state=status.state.value, code=status.code, text=status.message)
        )

    def _build(self, config: Config) -> Transport:
        return self._transports.build(config, self._way_changed, self._gap)


def _made_for(config: Config) -> tuple[str, ...]:
    """What a way holds on to from its making on; all else it reads from the config in force."""
    kind = transport_kind(config)
    held = {"conduit": config.twitch.client_id, "tls": config.server.tls.cert_dir}
    return kind, held.get(kind, "")
