"""The engine's two ports: the public one, for Twitch, and the control port, for this machine's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.control.server import ControlServer
from itsjustintv_desktop.engine.control.stream import EventStream
from itsjustintv_desktop.engine.core.descriptors import raise_limit
from itsjustintv_desktop.engine.core.errors import AddressInUseError
from itsjustintv_desktop.engine.ingress.eventsub_verifier import EventSubVerifier
from itsjustintv_desktop.engine.ingress.intake import EventIntake
from itsjustintv_desktop.engine.ingress.places import Limits
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.transports import Transport, transport_kind

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine


_CONNECTIONS = 512


def limits(files: int | None) -> Limits:
    """Those of the public port, where the process may have so many `files` open: half of them are for other things."""
    return Limits(connections=_CONNECTIONS if files is None else min(_CONNECTIONS, files // 2))


class Listening:
    """`address` is host and port of the public server, None before `start`."""

    def __init__(self, engine: Engine, intake: EventIntake, *, yield_port: bool = False) -> None:
        """`yield_port`: as in EngineOptions."""
        self._needless = {"conduit", "ngrok", "none"} if yield_port else {"conduit", "ngrok"}
        """Ways that need no certain port: nobody comes to it, or only our own agent, which goes wherever it is."""
        self._engine = engine
        self._yielded: tuple[str, int] | None = None
        """Where it should listen and another program does."""
        twitch, signing = engine.twitch, engine.signing
        judge = EventSubVerifier(signing.current, engine.clock, lambda: twitch.skew.seconds)
        judge.why_no_secret = lambda: signing.problem
        judge.expects_messages = lambda: signing.is_wanted
        judge.stale.connect(lambda: engine.background("twitch.clock", twitch.measure_clock()))
        self.signed_with = judge.signed_with
        """The secret that the latest message of a subscription (by its id) was signed with."""
        self._public = PublicServer(
            judge,
            intake,
            well_known=engine.well_known,
            healthy=engine.watch.is_well,
            clock=engine.clock,
            limits=limits(raise_limit()),
            instrumentation=engine.telemetry.instrumentation,
        )
        stream = EventStream(engine.bus, engine.health, engine.ledger)
        self._control = ControlServer(
            engine.api.actions, engine.doctor.health, stream, engine.paths.control, engine.clock
        )
        engine.health.add("public port", self._public.places.health)
        engine.health.add("control port", self._control.health)
        self.address: tuple[str, int] | None = None

    async def start(self) -> None:
        """Open both. Raises AddressInUseError, DataDirectoryError."""
        await self._open(self._engine.live.config)
        self._engine.closing("public port", self._public.stop)
        self._engine.closing("control port", self._control.stop)
        await self._control.start()
        self._engine.files.add("control.json", self._control.keep)

    async def move(self, config: Config, way: Transport) -> None:
        """Take the public port to where another config and way want it.

        Raises AddressInUseError if that cannot be had and something has to reach us there; it stays then.
        """
        wanted = (config.server.listen_addr, config.server.port)
        try:
            self.address = await self._public.move(*wanted, way.context)
        except AddressInUseError as error:
            self._yield(wanted, config, error)
        else:
            self._yielded = None

    async def _open(self, config: Config) -> None:
        wanted = (config.server.listen_addr, config.server.port)
        tls = self._engine.reach.way.context
        try:
            self.address = await self._public.start(*wanted, tls)
        except AddressInUseError as error:
            if transport_kind(config) not in self._needless:
                raise
            self.address = await self._public.start("127.0.0.1", 0, tls)
            self._yield(wanted, config, error)

    def _yield(self, wanted: tuple[str, int], config: Config, error: AddressInUseError) -> None:
        """Leave `wanted` to the program that holds it, and say so once. Raises `error` where something needs it."""
        if transport_kind(config) not in self._needless:
            raise error
        if self._yielded != wanted and self.address is not None:
            self._yielded = wanted
            self._engine.notice(
                f"{error.message} Until then it listens at port {self.address[1]}: nothing has to reach it there now."
            )
