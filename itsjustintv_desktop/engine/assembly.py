"""Puts the engine together: parts are made out of what they need, and every coupling that goes up stands in `wire`."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.announce.pipeline import Pipeline
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.core.clock import Clock, SystemClock
from itsjustintv_desktop.engine.core.clock_trust import ClockTrust
from itsjustintv_desktop.engine.core.descriptors import raise_limit
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.core.models import Target
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.sources import Enricher, EventSource
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.core.tasks import Supervisor
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.ingress.catch_up import CatchUp
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.listening import limits
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.transport_factory import TransportFactory
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.instrumentation import Instrumentation
from itsjustintv_desktop.engine.monitoring.doctor import collect
from itsjustintv_desktop.engine.monitoring.doctor.collect_delivery import DestinationCollector, LedgerCollector
from itsjustintv_desktop.engine.monitoring.doctor.collect_twitch import Outside, TwitchCollector
from itsjustintv_desktop.engine.monitoring.doctor.doctor import Doctor
from itsjustintv_desktop.engine.monitoring.doctor.probe import Probe
from itsjustintv_desktop.engine.monitoring.files import FilesWatch
from itsjustintv_desktop.engine.monitoring.health import Health, Look
from itsjustintv_desktop.engine.monitoring.telemetry.telemetry import Telemetry
from itsjustintv_desktop.engine.monitoring.updates.check import UpdateCheck
from itsjustintv_desktop.engine.monitoring.watchdog import DiskWatch, QueueWatch, Watchdog
from itsjustintv_desktop.engine.runtime.config_reloader import ConfigReloader
from itsjustintv_desktop.engine.runtime.maintenance import Maintenance
from itsjustintv_desktop.engine.runtime.unlocking import Unlocking
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.output import OutputFile
from itsjustintv_desktop.engine.storage.secrets import SecretStore, SecretValues
from itsjustintv_desktop.engine.twitch.subscriptions import Reconciler, SubscriptionsApi
from itsjustintv_desktop.engine.twitch.twitch import Twitch

Loop = Callable[[], Coroutine[Any, Any, None]]


def build_verifier(secret: WebhookSecret, twitch: Twitch, clock: Clock) -> EventSubVerifier:
    """What decides whether a message to the public port is Twitch's."""
    verifier = EventSubVerifier(secret.current, clock, lambda: twitch.skew.seconds)
    verifier.why_no_secret = lambda: secret.problem
    verifier.expects_messages = lambda: secret.is_wanted
    return verifier


def build_public(
    verifier: EventSubVerifier,
    intake: EventIntake,
    well_known: WellKnownTokens,
    watch: Watchdog,
    clock: Clock,
    instrumentation: Instrumentation,
) -> PublicServer:
    """The port that Twitch comes to."""
    return PublicServer(
        verifier,
        intake,
        well_known=well_known,
        healthy=watch.is_well,
        clock=clock,
        limits=limits(raise_limit()),
        instrumentation=instrumentation,
    )


def twitch_loops(twitch: Twitch, reach: IngressManager | None, config: ConfigHolder) -> dict[str, Loop]:
    """What asks Twitch, by name. Without `reach` Twitch cannot be told to send messages."""
    loops: dict[str, Loop] = {
        "twitch.token": twitch.tokens.keep_valid,
        "twitch.directory": twitch.directory.run,
        "twitch.trickle": lambda: twitch.background_refresh.run(lambda: config.current.watched_ids()),
    }
    if reach is not None:
        loops["reach.subscriptions"] = reach.subscriptions.run
        loops["reach.catch-up"] = reach.catch_up.run
    return loops


def build_reach(
    transports: TransportFactory,
    *,
    twitch: Twitch,
    secret: WebhookSecret,
    signed_with: Callable[[str], str | None],
    paused_at: Callable[[float], bool],
    supervisor: Supervisor,
    bus: Bus,
) -> IngressManager:
    """How Twitch reaches us: the way in use, the subscriptions that point to it, and asking who is live."""
    config, ledger, clock = transports.config, transports.ledger, transports.clock
    reach: IngressManager

    def target() -> Target | None:
        return reach.way.target

    def watched() -> list[str]:
        return config.current.watched_ids()

    subscriptions = Reconciler(
        SubscriptionsApi(twitch.client),
        ledger,
        target=target,
        watched=watched,
        secret=lambda: secret.primary,
        bus=bus,
        clock=clock,
        certain=lambda: config.current.knows_all_ids,
        signed_with=signed_with,
    )
    catch_up = CatchUp(
        twitch.helix,
        ledger,
        config=config,
        watched=watched,
        skew=lambda: twitch.skew.seconds,
        bus=bus,
        clock=clock,
        paused_at=paused_at,
    )
    reach = IngressManager(transports, config, secret, subscriptions, catch_up, supervisor, bus)
    return reach


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How to run. `listen` False: no public port and no control port (a command working by itself)."""

    paths: Paths
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    clock: Clock = field(default_factory=SystemClock)
    listen: bool = True
    yield_port: bool = False
    """Over a conduit or ngrok any free port does where the config's is taken. With this the same holds while no way is
    set up: the window is there to set one up."""
    log_file: bool = False
    """Write logs/ of the data directory, too. For one engine a process."""
    sources: Sequence[tuple[EventSource, Enricher]] = ()
    """Further platforms beside Twitch."""


@dataclass(frozen=True, slots=True)
class Core:
    """What has no room of its own. For the builders, never for a part."""

    options: EngineOptions
    bus: Bus
    supervisor: Supervisor
    outbound: Outbound
    config: ConfigHolder


@dataclass(frozen=True, slots=True)
class Storage:
    """What is kept on disk."""

    ledger: Ledger
    secrets: SecretStore
    values: SecretValues
    output: OutputFile
    files: FilesWatch


@dataclass(frozen=True, slots=True)
class Ingress:
    """How messages come in. `address`: host and port of the public port, once it listens."""

    manager: IngressManager
    signing: WebhookSecret
    well_known: WellKnownTokens
    address: Callable[[], tuple[str, int] | None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What makes announcements and sends them."""

    dispatcher: Dispatcher
    pipeline: Pipeline
    pause: Pause


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What looks at all of it."""

    watch: Watchdog
    health: Health
    doctor: Doctor
    updates: UpdateCheck


def build_monitoring(
    core: Core,
    storage: Storage,
    twitch: Twitch,
    ingress: Ingress,
    delivery: Delivery,
    clock_trust: ClockTrust,
    config_health: Callable[[], Status],
) -> Monitoring:
    """`config_health`: whether the config file is in force."""
    clock, ledger, pause = core.options.clock, storage.ledger, delivery.pause
    queue = QueueWatch(ledger, delivery.dispatcher, config=core.config, clock=clock, paused=lambda: pause.active)
    disk = DiskWatch(core.options.paths.data, clock)
    watch = Watchdog(queue, disk, ledger, core.supervisor, core.bus, clock)
    watch.stands_still.connect(delivery.dispatcher.wake, delivery.pipeline.wake)
    endpoints = Endpoints.from_environ(core.options.environ)
    updates = UpdateCheck(endpoints, core.config, ledger, core.bus, clock, core.outbound)
    queues = delivery.dispatcher.queues
    parts: dict[str, Look] = {
        "config": config_health,
        "ledger": ledger.health,
        "secrets": storage.secrets.health,
        "webhook secret": ingress.signing.health,
        "feed": storage.output.health,
        "twitch": twitch.health,
        "announce": watch.announce_health,
        "announcements": pause.health,
        "deliveries": watch.delivery_health,
        "clock": clock_trust.health,
        "disk": disk.health,
        "files": storage.files.health,
        "loop": watch.loop.health,
    }
    if core.options.listen:
        parts |= {
            "way": lambda: ingress.manager.way.status.health(),
            "subscriptions": lambda: ingress.manager.subscriptions.status.health(),
            "catching up": lambda: ingress.manager.catch_up.status.health(),
            "updates": updates.health,
        }
    health = Health(
        parts,
        core.supervisor.health,
        lambda: queues.health(core.config.current.destinations, clock.now()),
        core.bus,
        clock,
    )
    probe = Probe(clock, ingress.well_known, core.outbound.trust.context) if core.options.listen else None
    outside = Outside(core.config, twitch, ingress.manager, ledger, storage.secrets, probe, clock)
    facts = collect.FactCollector(
        collect.ProgramCollector(
            core.supervisor, health, pause, watch.loop, updates, core.outbound.proxies, ingress.address
        ),
        collect.ConfigCollector(core.config, core.options.paths.config, core.options.environ, config_health),
        collect.SecretsCollector(core.config, storage.secrets, storage.values, ingress.signing),
        TwitchCollector(core.config, twitch, ingress.manager, ledger, clock_trust, outside),
        DestinationCollector(core.config, queues, ledger, storage.secrets, clock),
        LedgerCollector(ledger, queues, storage.output, watch, pause, core.config, clock),
        clock,
    )
    return Monitoring(watch, health, Doctor(facts, health, ledger, core.config, clock), updates)


def wire(
    *,
    config: ConfigHolder,
    twitch: Twitch,
    secret: WebhookSecret,
    intake: EventIntake,
    pipeline: Pipeline,
    pause: Pause,
    dispatcher: Dispatcher,
    maintenance: Maintenance,
    output: OutputFile,
    reach: IngressManager,
    updates: UpdateCheck,
    telemetry: Telemetry,
    clock_trust: ClockTrust,
    reloader: ConfigReloader,
    unlocking: Unlocking,
    verifier: EventSubVerifier,
    listening: bool,
) -> None:
    """Connect them. Once, before anything runs."""
    intake.stored.connect(pipeline.wake)
    reach.catch_up.stored.connect(pipeline.wake)
    pipeline.announced.connect(dispatcher.wake, output.changed)
    pipeline.broadcast_seen.connect(reach.catch_up.heard)
    pipeline.revoked.connect(reach.revoked)
    pipeline.unwatched.connect(twitch.unsubscribe)
    pause.changed.connect(dispatcher.wake)
    dispatcher.changed.connect(output.changed)
    maintenance.changed.connect(output.changed)
    secret.changed.connect(lambda: reach.subscriptions.trigger("secret"))
    reach.wake.woke_up.connect(clock_trust.woke, reach.woke_up)
    reach.recheck.connect(dispatcher.wake, pipeline.wake)

    verifier.stale.connect(twitch.look_at_clock)

    unlocking.unlocked.connect(secret.look_again, twitch.directory.refresh, dispatcher.wake)
    if listening:
        unlocking.unlocked.connect(reach.unlocked)
        config.applied.connect(reach.config_applied)

    twitch.directory.changed.connect(config.set_channels)
    config.channels_changed.connect(twitch.background_refresh.trigger, reach.channels_changed)

    config.applied.connect(
        twitch.directory.refresh,
        twitch.background_refresh.trigger,
        reach.channels_changed,
        pipeline.wake,
        dispatcher.wake,
        maintenance.trigger,
        lambda: telemetry.apply(config.current.config.telemetry),
        output.changed,
        updates.trigger,
    )
    reloader.reloaded.connect(telemetry.reloaded)
