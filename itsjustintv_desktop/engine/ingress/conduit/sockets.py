"""The sockets of one connection to Twitch: one, and for a moment two when Twitch moves us to another server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import EventSocketError
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.models import StreamEvent
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.conduit.dial import Dialler
from itsjustintv_desktop.engine.ingress.conduit.session import ConduitSession

DIAL_SECONDS = 10.0
WELCOME_SECONDS = 10.0
_LINGER_SECONDS = 1.0
"""A socket we left is read that much longer: what Twitch sent before it knew is in there."""


class Sockets:
    """Opens sessions in `tasks` and closes them all with `cut`."""

    def __init__(
        self,
        dialler: Dialler,
        tasks: Tasks,
        *,
        clock: Clock,
        on_event: Callable[[StreamEvent], None],
        stir: Callable[[], None],
        noise: LogThrottle,
    ) -> None:
        self._dialler = dialler
        self._tasks = tasks
        self._clock = clock
        self._on_event = on_event
        self._stir = stir
        self._noise = noise
        self._open: dict[ConduitSession, asyncio.Task[None]] = {}

    async def open(self, url: str = "", *, keepalive: float | None = None) -> ConduitSession:
        """A session that was welcomed, at `url` or where a new one begins. Raises EventSocketError."""
        session = ConduitSession(
            url or self._dialler.address,
            self._dialler,
            clock=self._clock,
            on_event=self._on_event,
            stir=self._stir,
            noise=self._noise,
            keepalive=keepalive,
        )
        self._open[session] = self._tasks.start("conduit.socket", session.run())
        late = ""
        if not await self._clock.wait(session.connected, DIAL_SECONDS):
            late = f"did not answer within {DIAL_SECONDS:.0f} seconds"
        elif not await self._clock.wait(session.settled, WELCOME_SECONDS):
            late = f"took the connection but did not welcome us within {WELCOME_SECONDS:.0f} seconds"
        if late:
            self._close(session)
            raise EventSocketError(f"Twitch's event server {late}.")
        if session.ended is not None:
            self._close(session)
            raise session.ended
        return session

    def retire(self, session: ConduitSession) -> None:
        """Close it after reading what is still on its way."""
        self._tasks.start("conduit.linger", self._linger(session))

    def cut(self) -> None:
        """Close all at once."""
        for session in list(self._open):
            self._close(session)

    async def _linger(self, session: ConduitSession) -> None:
        await self._clock.wait(session.over, _LINGER_SECONDS)
        self._close(session)

    def _close(self, session: ConduitSession) -> None:
        task = self._open.pop(session, None)
        if task is not None:
            task.cancel()
