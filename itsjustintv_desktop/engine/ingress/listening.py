"""Where the public port listens, by the config in force."""

from __future__ import annotations

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.engine.core.errors import AddressInUseError
from itsjustintv_desktop.engine.core.events import Bus
from itsjustintv_desktop.engine.ingress.places import Limits
from itsjustintv_desktop.engine.ingress.public import PublicServer
from itsjustintv_desktop.engine.ingress.transports import Transport, transport_kind

_CONNECTIONS = 512


def limits(files: int | None) -> Limits:
    """Those of the public port, where the process may have so many `files` open: half of them are for other things."""
    return Limits(connections=_CONNECTIONS if files is None else min(_CONNECTIONS, files // 2))


class Listening:
    """`address` is host and port of the public server, None before `start`."""

    def __init__(self, public: PublicServer, config: ConfigHolder, bus: Bus, *, yield_port: bool = False) -> None:
        """`yield_port`: as in EngineOptions."""
        self._needless = {"conduit", "ngrok", "none"} if yield_port else {"conduit", "ngrok"}
        """Ways that need no certain port: nobody comes to it, or only our own agent, which goes wherever it is."""
        self._public = public
        self._config = config
        self._bus = bus
        self._yielded: tuple[str, int] | None = None
        """Where it should listen and another program does."""
        self.address: tuple[str, int] | None = None

    async def start(self, way: Transport) -> None:
        """Open it. Raises AddressInUseError."""
        config = self._config.current.config
        wanted = (config.server.listen_addr, config.server.port)
        try:
            self.address = await self._public.start(*wanted, way.context)
        except AddressInUseError as error:
            if transport_kind(config) not in self._needless:
                raise
            self.address = await self._public.start("127.0.0.1", 0, way.context)
            self._yield(wanted, config, error)

    async def stop(self) -> None:
        await self._public.stop()

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

    def _yield(self, wanted: tuple[str, int], config: Config, error: AddressInUseError) -> None:
        """Leave `wanted` to the program that holds it, and say so once. Raises `error` where something needs it."""
        if transport_kind(config) not in self._needless:
            raise error
        if self._yielded != wanted and self.address is not None:
            self._yielded = wanted
            self._bus.notice(
                f"{error.message} Until then it listens at port {self.address[1]}: nothing has to reach it there now."
            )
