"""The places at a port: each connection has one from the accept on, and some have to go when all are taken.

Strangers can open as many connections as they like. Who goes first: a connection that owes the rest of its request
(its body before all else, then its headers or the TLS handshake), the one that has owed it longest; then one that is
idle and never sent anything valid. Some places are left for those that send promptly. Twitch's own connection, idle
between two messages, is the last to go, and a request being handled never goes.
"""

from __future__ import annotations

import asyncio

import msgspec
import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.status import Level, Status

PROMPT_SECONDS = 2.0
"""A client that goes on sooner is prompt, and makes room only when nothing else is left."""
PROMPT_BODY_SECONDS = 0.1
"""The same for a body: whoever means it sends it together with its headers."""
REMEMBERED = 300.0
"""Seconds for which health speaks of too many connections."""
_SAY_EVERY = 600.0
_FAULT_EVERY = 60.0

_log = structlog.get_logger(__name__)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines in seconds, sizes in bytes."""

    connections: int = 512
    headers: float = 10.0
    """From the first byte (or the accept) to the end of the headers."""
    body: float = 10.0
    idle: float = 60.0
    answer: float = 20.0
    """From the whole request to the end of our answer."""
    body_bytes: int = 65536
    sweep: float = 1.0

    @property
    def reserved(self) -> int:
        """So many of the connections are for clients that send promptly."""
        return self.connections // 8


class Place:
    """One connection, as far as it matters for its place. Times are the loop's."""

    __slots__ = ("busy", "deadline", "proven", "served", "since", "transport")

    def __init__(self, now: float, seconds: float) -> None:
        """`seconds`: how long until it must have sent its first headers."""
        self.transport: asyncio.BaseTransport | None = None
        """The socket's own, below TLS."""
        self.since = now
        """Since when it is waited for."""
        self.deadline = now + seconds
        self.served = False
        """A request was answered."""
        self.busy = False
        """A request is being handled, and nothing of it is waited for."""
        self.proven = False
        """A request was rightly signed, or had the token."""


class Places:
    """`add` and `remove` every connection; `sweep` closes those that missed their deadline."""

    def __init__(self, port: str, limits: Limits, clock: Clock) -> None:
        """`port` is what the log calls it."""
        self._port = port
        self._limits = limits
        self._clock = clock
        self._taken: dict[Place, None] = {}
        """In the order of their accept."""
        self._owing: dict[Place, None] = {}
        """Those that owe a body, the longest first."""
        self.refused = 0
        """Connections closed because they missed a deadline or had to make room."""
        self._crowded_at = float("-inf")
        self._made_room = 0
        self._crowded = LogThrottle(clock, _SAY_EVERY)
        self._faults = LogThrottle(clock, _FAULT_EVERY)

    def __len__(self) -> int:
        return len(self._taken)

    def add(self, place: Place, transport: asyncio.BaseTransport) -> None:
        place.transport = transport
        self._taken[place] = None
        if len(self._taken) > self._limits.connections - self._limits.reserved:
            self._make_room()

    def remove(self, place: Place) -> None:
        """Harmless when it is gone already."""
        self._taken.pop(place, None)
        self._owing.pop(place, None)

    def owes(self, place: Place) -> None:
        """Its headers have come, its body has not."""
        place.busy, place.since = False, asyncio.get_running_loop().time()
        if not place.proven:
            self._owing[place] = None

    def paid(self, place: Place) -> None:
        place.busy = True
        self._owing.pop(place, None)

    async def sweep(self) -> None:
        """Once a second, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._limits.sweep)
            now = loop.time()
            for place in list(self._taken):
                if place.deadline < now:
                    self._drop(place)

    def close(self) -> None:
        """Cut off those that were never served; the others are being closed by the server."""
        for place in [each for each in self._taken if not each.served]:
            self._drop(place)

    def fault(self, error: BaseException | None) -> None:
        """A request broke something of ours: said, but not as often as a stranger would like."""
        left_out = self._faults.due()
        if left_out is not None:
            more = {"more_since_last": left_out} if left_out else {}
            _log.error("a request could not be handled", port=self._port, exc_info=error, **more)

    def health(self) -> Status | None:
        """For health; None while there were no more connections than places lately."""
        if not self._lately():
            return None
        return Status(
            Level.WAITING,
            f"Too many connections at once: {self._made_room:,} were closed early to make room. "
            "If this goes on, block the sender, for example in a firewall.",
        )

    def _make_room(self) -> None:
        place = self._late(asyncio.get_running_loop().time())
        if place is None and len(self._taken) > self._limits.connections:
            crowd = self._owing if 2 * len(self._owing) > len(self._taken) else self._taken
            waiting = (each for each in crowd if not each.busy)
            place = min(waiting, key=lambda each: (each.proven, each.since), default=None)
        if place is None:
            return
        self._drop(place)
        self._made_room = self._made_room + 1 if self._lately() else 1
        self._crowded_at = self._clock.monotonic()
        left_out = self._crowded.due()
        if left_out is not None:
            more = {"more_since_last": left_out} if left_out else {}
            _log.warning("too many connections at once: the slow ones are closed", port=self._port, **more)

    def _lately(self) -> bool:
        return self._clock.monotonic() - self._crowded_at < REMEMBERED

    def _late(self, now: float) -> Place | None:
        """Who goes first, of those that are waited for too long, or that are idle."""
        owing = next(iter(self._owing), None)
        if owing is not None and owing.since <= now - PROMPT_BODY_SECONDS:
            return owing
        idle: Place | None = None
        for place in self._taken:
            if place.busy or place.proven:
                continue
            if not place.served:
                if place.since <= now - PROMPT_SECONDS:
                    return place
            elif idle is None or place.since < idle.since:
                idle = place
        return idle

    def _drop(self, place: Place) -> None:
        self.refused += 1
        self.remove(place)
        if isinstance(place.transport, asyncio.Transport):
            place.transport.abort()
