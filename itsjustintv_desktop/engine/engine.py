"""The engine: everything between Twitch's POST and a delivered webhook, on one asyncio loop, without a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from itsjustintv_desktop.engine import logs, redaction
from itsjustintv_desktop.engine.announce.pause import Pause
from itsjustintv_desktop.engine.announce.pipeline import Pipeline
from itsjustintv_desktop.engine.api.api import Api
from itsjustintv_desktop.engine.api.models import Snapshot
from itsjustintv_desktop.engine.assembly import (
    Core,
    Delivery,
    EngineOptions,
    Ingress,
    Storage,
    build_monitoring,
    build_public,
    build_reach,
    build_verifier,
    twitch_loops,
    wire,
)
from itsjustintv_desktop.engine.assembly_api import build_api
from itsjustintv_desktop.engine.config.active import ActiveConfig, ConfigHolder
from itsjustintv_desktop.engine.config.endpoints import Endpoints
from itsjustintv_desktop.engine.config.load import Loaded, load
from itsjustintv_desktop.engine.control.lock import InstanceLock
from itsjustintv_desktop.engine.control.server import ControlServer
from itsjustintv_desktop.engine.control.stream import EventStream
from itsjustintv_desktop.engine.core.clock_trust import ClockTrust
from itsjustintv_desktop.engine.core.events import Bus, Subscription
from itsjustintv_desktop.engine.core.models import SOURCE
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.core.sources import Enricher
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.core.tasks import Supervisor, Tasks
from itsjustintv_desktop.engine.delivery.attempt import Sender, complete_payload
from itsjustintv_desktop.engine.delivery.dispatcher import STOP_SECONDS, Dispatcher
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.listening import Listening
from itsjustintv_desktop.engine.ingress.transport_factory import TransportFactory
from itsjustintv_desktop.engine.ingress.webhook_secret import WebhookSecret
from itsjustintv_desktop.engine.ingress.wellknown import WellKnownTokens
from itsjustintv_desktop.engine.monitoring.files import FilesWatch
from itsjustintv_desktop.engine.monitoring.telemetry.telemetry import Telemetry
from itsjustintv_desktop.engine.runtime.clock_shift import ClockShift
from itsjustintv_desktop.engine.runtime.config_reloader import ConfigLog, ConfigReloader
from itsjustintv_desktop.engine.runtime.maintenance import Maintenance
from itsjustintv_desktop.engine.runtime.twitch_tasks import TwitchTasks
from itsjustintv_desktop.engine.runtime.unlocking import Unlocking
from itsjustintv_desktop.engine.storage.ledger import Ledger
from itsjustintv_desktop.engine.storage.ledger.importing import QUEUE
from itsjustintv_desktop.engine.storage.output import OutputFile
from itsjustintv_desktop.engine.storage.secrets import SecretStore, SecretValues
from itsjustintv_desktop.engine.twitch.helix import Conduits
from itsjustintv_desktop.engine.twitch.twitch import Twitch

_log = structlog.get_logger(__name__)


class Engine:
    """Start it once, stop it once. All methods belong on its loop."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self.clock = options.clock
        self._tasks = Tasks()
        self.supervisor = Supervisor(self._tasks, self.clock)
        self._closers: list[tuple[str, Callable[[], Any]]] = []
        self.bus = Bus()
        self.reload: ConfigReloader
        self.listening: Listening | None = None
        """The ports, where it was started to listen."""
        self.api: Api
        """What a person asks. Once it is started."""
        self.started_at = 0.0
        """Unix seconds."""

    async def start(self) -> None:
        """Lock, read the config, open the ledger, listen, and begin working. Twitch is contacted afterwards.

        Raises AlreadyRunningError, ConfigError, DataDirectoryError, LedgerError, AddressInUseError; nothing is left
        open then.
        """
        try:
            await self._start()
        except BaseException as error:
            logs.tell_failed_start(error)
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop taking in, let attempts under way end, close everything. What is unfinished waits on disk."""
        self.supervisor.close()
        await self._tasks.stop(timeout=STOP_SECONDS + 5.0)
        while self._closers:
            name, close = self._closers.pop()
            try:
                outcome = close()
                if asyncio.iscoroutine(outcome):
                    await asyncio.wait_for(outcome, 15.0)
            except TimeoutError:
                _log.warning("a part did not stop in time", part=name)
            except Exception:  # noqa: BLE001 - the other parts must be closed all the same
                _log.exception("a part did not stop cleanly", part=name)

    def subscribe(self, size: int = 1000) -> Subscription:
        """Everything that happens from now on, for one watcher."""
        return self.bus.subscribe(size)

    async def snapshot(self) -> Snapshot:
        """Everything at this moment, immutable."""
        return await self.api.snapshot.take()

    @property
    def live(self) -> ActiveConfig:
        """The configuration as it is in force now."""
        return self.config.current

    @property
    def loaded(self) -> Loaded:
        """What config.toml said when it was last read in whole."""
        return self.config.loaded

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the public server, once it listens."""
        return self.listening.address if self.listening is not None else None

    @property
    def paths(self) -> Paths:
        return self._options.paths

    async def channels_looked_up(self, timeout: float) -> None:
        """Wait until Twitch was asked which channel each streamer is, at most `timeout` seconds."""
        if self.config.current.config.twitch.client_id:
            await self.twitch.directory.first_look(timeout)

    def now(self) -> float:
        """Wall clock, Unix seconds."""
        return self.clock.now()

    async def _start(self) -> None:
        paths, clock = self._options.paths, self.clock
        await asyncio.to_thread(paths.create)
        lock = InstanceLock(paths.lock)
        lock.acquire()
        self.closing("lock", lock.release)
        self.files = FilesWatch(clock)
        self.files.add("the data directory", partial(asyncio.to_thread, paths.keep))
        self.files.add("instance.lock", partial(asyncio.to_thread, lock.keep))
        if self._options.log_file:
            logs.open_file(paths.logs)
            self.closing("log file", partial(asyncio.to_thread, logs.close_file))
        redaction.learn_environ(self._options.environ)
        loaded = await asyncio.to_thread(load, paths.config, self._options.environ, named=paths.config_named)
        config_log = ConfigLog()
        config_log.show(loaded)
        config = self.config = ConfigHolder(loaded)
        endpoints = Endpoints.from_environ(self._options.environ)
        self.outbound = Outbound.from_environ(self._options.environ, loaded.config.network.proxy)
        self.telemetry = Telemetry(self._options.environ, self.outbound.proxies, clock, endpoints.api_url)
        self.closing("telemetry", self.telemetry.close)
        self.ledger = Ledger(paths.ledger, clock, on_notice=self.bus.notice)
        await self.ledger.open()
        self.closing("ledger", self.ledger.close)
        self.pause = Pause(self.ledger, bus=self.bus, clock=clock)
        self.secrets = SecretStore.open(
            loaded.config.secrets.store,
            vault=paths.vault,
            passphrase=self._options.environ.get("ITSJUSTINTV_PASSPHRASE"),
            clock=clock,
        )
        self.closing("secrets", self.secrets.close)
        self.files.add("secrets.vault", self.secrets.keep)
        values = self.values = SecretValues(self.secrets, config)
        self.unlocking = Unlocking(self.secrets, clock)
        self.signing = WebhookSecret(self.secrets, values, clock)
        twitch = self.twitch = Twitch(
            self.ledger,
            self.secrets,
            values,
            paths=paths,
            endpoints=endpoints,
            config=config,
            busy=lambda: self.pipeline.in_flight > 0,
            tasks=self._tasks,
            clock=clock,
            outbound=self.outbound,
            instrumentation=self.telemetry.instrumentation,
        )
        self.closing("twitch", twitch.close)
        await twitch.profiles.load()
        config.set_channels(await twitch.directory.load())
        await self._build_line(twitch)
        self.well_known = WellKnownTokens(clock)
        verifier = build_verifier(self.signing, twitch, clock)
        self.reach = build_reach(
            TransportFactory(
                clock=clock,
                config=config,
                paths=paths,
                environ=self._options.environ,
                outbound=self.outbound,
                values=values,
                ledger=self.ledger,
                conduits=Conduits(twitch.client),
                eventsub_url=endpoints.eventsub_url,
                submit=self.intake.submit,
                well_known=self.well_known,
                address=lambda: self.address,
            ),
            twitch=twitch,
            secret=self.signing,
            signed_with=verifier.signed_with,
            paused_at=self.pause.covers,
            supervisor=self.supervisor,
            bus=self.bus,
        )
        self.closing("way", self.reach.close)
        make_api = self._build_monitoring(twitch)
        self.loops = TwitchTasks(
            config, self.supervisor, twitch_loops(twitch, self.reach if self._options.listen else None, config)
        )
        if self._options.listen:
            public = build_public(
                verifier, self.intake, self.well_known, self.watch, clock, self.telemetry.instrumentation
            )
            self.health.add("public port", public.places.health)
            self.listening = Listening(public, config, self.bus, yield_port=self._options.yield_port)
        self.reload = ConfigReloader(
            paths.config,
            self._options.environ,
            config,
            reach=self.reach,
            listening=self.listening,
            loops=self.loops,
            known=twitch.directory.known,
            proxies=self.outbound.proxies,
            log=config_log,
            bus=self.bus,
            clock=clock,
        )
        wire(
            config=config,
            twitch=twitch,
            secret=self.signing,
            intake=self.intake,
            pipeline=self.pipeline,
            pause=self.pause,
            dispatcher=self.dispatcher,
            maintenance=self.housekeeping,
            output=self.feed,
            reach=self.reach,
            updates=self.updates,
            telemetry=self.telemetry,
            clock_trust=self.clock_trust,
            reloader=self.reload,
            unlocking=self.unlocking,
            verifier=verifier,
            listening=self.listening is not None,
        )
        self.api = make_api(
            sender=self.sender,
            reloader=self.reload,
            try_again=self.unlocking.unlocked.emit,
            started_at=lambda: self.started_at,
        )
        if self.listening is not None:
            await self._listen(self.listening)
        await self._begin()
        self.started_at = clock.now()

    async def _listen(self, listening: Listening) -> None:
        """Open the public port, for Twitch, and the control port, for this machine's commands."""
        self.reach.follow_way()
        if self.signing.is_wanted:
            await self.signing.looked()
        await listening.start(self.reach.way)
        self.closing("public port", listening.stop)
        stream = EventStream(self.bus, self.health, self.ledger)
        control = self.control = ControlServer(self.api, self.doctor.health, stream, self.paths.control, self.clock)
        self.health.add("control port", control.health)
        self.closing("control port", control.stop)
        await control.start()
        self.files.add("control.json", control.keep)

    async def _build_line(self, twitch: Twitch) -> None:
        """What an event passes: sources, pipeline, dispatcher, feed."""
        paths, clock = self._options.paths, self.clock
        self.intake = EventIntake(self.ledger, clock, self.telemetry.instrumentation)
        enrichers: dict[str, Enricher] = {SOURCE: twitch.enricher, QUEUE: twitch.enricher}
        enrichers.update({source.name: enricher for source, enricher in self._options.sources})
        self.feed = OutputFile(
            self.ledger,
            output=lambda: self.config.current.config.output,
            resolve=paths.resolve,
            complete=partial(complete_payload, twitch.images.load),
            clock=clock,
        )
        self.closing("feed", self.feed.close)
        self.files.add("output.json", self.feed.keep)
        sender = self.sender = Sender(clock, self.outbound)
        self.closing("sender", sender.close)
        self.clock_trust = ClockTrust(clock, twitch.skew, self.bus.notice)
        shift = ClockShift(self.ledger, clock, twitch.skew, self.pause.shift)
        await shift.load()
        await self.pause.load(shift.at_start)
        self.dispatcher = Dispatcher(
            self.ledger,
            sender,
            self.secrets,
            enrichers,
            config=self.config,
            read_image=twitch.images.read,
            bus=self.bus,
            clock=clock,
            clock_doubtful=self.clock_trust.doubtful,
            follow_clock=shift.follow,
            clock_unsure=lambda: shift.unsure,
            instrumentation=self.telemetry.instrumentation,
            paused=lambda: self.pause.active,
        )
        interrupted = await self.dispatcher.recover()
        if interrupted:
            _log.info("interrupted attempts are made again", count=interrupted)
        self.pipeline = Pipeline(
            self.ledger,
            enrichers,
            config=self.config,
            bus=self.bus,
            clock=clock,
            skew=lambda: twitch.skew.seconds,
            instrumentation=self.telemetry.instrumentation,
            paused=lambda: self.pause.active,
            paused_at=self.pause.covers,
        )
        self.housekeeping = Maintenance(
            self.ledger,
            self.dispatcher,
            config=self.config,
            clock=clock,
            purge_images=twitch.purge_images,
            clock_doubtful=self.clock_trust.doubtful,
            follow_clock=shift.follow,
            instrumentation=self.telemetry.instrumentation,
        )

    def _build_monitoring(self, twitch: Twitch) -> Callable[..., Api]:
        """What makes the Api out of the same parts."""
        core = Core(self._options, self.bus, self.supervisor, self.outbound, self.config)
        storage = Storage(self.ledger, self.secrets, self.values, self.feed, self.files)
        ingress = Ingress(self.reach, self.signing, self.well_known, lambda: self.address)
        delivery = Delivery(self.dispatcher, self.pipeline, self.pause)
        config_health = (lambda: self.reload.health()) if self._options.listen else Status
        built = build_monitoring(core, storage, twitch, ingress, delivery, self.clock_trust, config_health)
        self.watch, self.health, self.doctor, self.updates = built.watch, built.health, built.doctor, built.updates
        return partial(build_api, core, storage, twitch, ingress, delivery, built)

    async def _begin(self) -> None:
        keep = self.supervisor.keep
        self.telemetry.apply(self.config.current.config.telemetry)
        keep("telemetry", partial(self.telemetry.run, self.ledger, self.dispatcher.queues))
        for source, _ in self._options.sources:
            keep(f"source.{source.name}", partial(source.run, self.intake.submit))
        keep("announce.pipeline", self.pipeline.run)
        keep("delivery.dispatcher", self.dispatcher.run)
        keep("announcements.pause", self.pause.run)
        keep("feed", self.feed.run)
        keep("housekeeping", self.housekeeping.run)
        keep("watch", self.watch.run)
        keep("health", self.health.run)
        keep("secrets.unlocking", self.unlocking.run)
        keep("files", self.files.run)
        if self._options.listen:
            self.reach.begin(keep)
            keep("config.reload", self.reload.run)
            keep("updates", self.updates.run)
        why_not = await self.loops.follow()
        if why_not is not None:
            self.bus.notice(why_not)

    def background(self, name: str, work: Any) -> None:
        """Do it besides, as a task of that name."""
        self._tasks.start(name, work)

    def closing(self, name: str, close: Callable[[], Any]) -> None:
        """Have a part closed at the stop, the last one first."""
        self._closers.append((name, close))
