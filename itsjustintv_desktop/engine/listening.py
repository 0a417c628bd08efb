"""The engine's two ports: the public one, for Twitch, and the control port, for this machine's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.control.server import ControlServer
from itsjustintv_desktop.engine.control.stream import EventStream
from itsjustintv_desktop.engine.ingress.eventsub import EventSubJudge
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.source import TwitchSource
from itsjustintv_desktop.engine.ingress.ways import Way

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine


class Listening:
    """`address` is host and port of the public server, None before `start`."""

    def __init__(self, engine: Engine, source: TwitchSource) -> None:
        self._engine = engine
        twitch, signing = engine.twitch, engine.signing
        judge = EventSubJudge(signing.current, engine.clock, lambda: twitch.skew.seconds)
        judge.why_no_secret = lambda: signing.problem
        judge.expects_messages = lambda: signing.is_wanted
        judge.on_stale = lambda: engine.background("twitch.clock", twitch.measure_clock())
        self._public = PublicServer(
            judge,
            source,
            well_known=engine.well_known,
            healthy=engine.health.is_well,
            clock=engine.clock,
            seam=engine.telemetry.seam,
        )
        stream = EventStream(engine.bus, engine.health)
        self._control = ControlServer(engine.wishes, engine.health.report, stream, engine.paths.control)
        self.address: tuple[str, int] | None = None

    async def start(self) -> None:
        """Open both. Raises AddressInUseError, DataDirectoryError."""
        server = self._engine.live.config.server
        self.address = await self._public.start(server.listen_addr, server.port, self._engine.reach.way.context)
        self._engine.closing("public port", self._public.stop)
        self._engine.closing("control port", self._control.stop)
        await self._control.start()

    async def move(self, config: Config, way: Way) -> None:
        """Take the public port to where another config and way want it. Raises AddressInUseError: it stays."""
        self.address = await self._public.move(config.server.listen_addr, config.server.port, way.context)
