"""The conduit as a way: finds or makes it, connects, watches over the connection and mends it.

Source: Twitch documentation, "Handling Conduit Events" and "Getting Events Using WebSockets".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    AppError,
    ConduitGoneError,
    ConduitTakenError,
    EventSocketError,
    LedgerError,
    SecretsError,
    ShardRefusedError,
    TwitchError,
    TwitchRateLimitedError,
)
from itsjustintv_desktop.engine.core.log_throttle import LogThrottle
from itsjustintv_desktop.engine.core.models import Conduit
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.core.sources import Submit
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.ingress.conduit.errors import classify
from itsjustintv_desktop.engine.ingress.conduit.inbox import MOST_HELD, Inbox
from itsjustintv_desktop.engine.ingress.conduit.registry import ConduitRegistry, MetaStore, OurShard
from itsjustintv_desktop.engine.ingress.conduit.sockets import ConduitSession, Dialler, Sockets
from itsjustintv_desktop.engine.ingress.transports import BaseTransport, TransportState
from itsjustintv_desktop.engine.twitch.helix import Conduits

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY_SECONDS = 180.0
"""A connection that lasted this long begins with the first pause again when it ends."""
CHECK_SECONDS = 60.0
"""Within that it is noticed that our socket no longer serves the conduit, above all that another program took it over:
Twitch does not tell."""
_CHECK_EVERY = 50.0
_CHECK_AGAIN = 10.0
"""After a look that failed."""
_MOST_MOVES = 5
_MOVES_WITHIN = 60.0
"""More moves in that many seconds are a fault of Twitch's: it is left alone for a while then."""
_FRESH_SECONDS = 30.0
"""Before that, Twitch's list may not show a shard as it is."""

_log = structlog.get_logger(__name__)


class ConduitTransport(BaseTransport):
    """Implements transports.Transport. Events go to `submit` (core.sources.Submit)."""

    kind = "conduit"

    def __init__(
        self,
        clock: Clock,
        on_change: Callable[[], None],
        *,
        conduits: Conduits,
        meta: MetaStore,
        submit: Submit,
        eventsub_url: str,
        on_gap: Callable[[str], None],
        outbound: Outbound | None = None,
        most_held: int = MOST_HELD,
    ) -> None:
        """`on_gap` is called with a sentence whenever events may have been missed: ask who is live then."""
        super().__init__(clock, on_change)
        self._on_gap = on_gap
        self._eventsub_url = eventsub_url
        self._outbound = outbound or Outbound()
        self._stir = asyncio.Event()
        self._handover = Inbox(submit, clock=clock, on_change=self._stir.set, on_gap=on_gap, most=most_held)
        self._shard = OurShard(conduits)
        self._ours = ConduitRegistry(conduits, self._shard, meta, on_gone=self._gone, on_left=self._left)
        self._noise = LogThrottle(clock)
        self._up_at: float | None = None
        """Since when events come in, monotonic; None while they don't."""
        self._down_since: float | None = None
        """Since when they don't come in any more, wall clock; None until they did."""
        self._check_at = 0.0
        self._was_moved = False

    def trigger(self) -> None:
        super().trigger()
        self._stir.set()

    async def run(self) -> None:
        tasks = Tasks()
        dialler = Dialler(self._eventsub_url, self._outbound)
        self._handover.start(tasks)
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        try:
            while True:
                outcome, lasted = await self._round(dialler, tasks)
                if outcome is None:
                    continue
                if lasted > STEADY_SECONDS:
                    backoff.reset()
                if await self._pause(self._jittered(backoff.next(), outcome)):
                    backoff.failures = 1  # the try that was asked for comes at once, and counts
        finally:
            if self._handover.failure is not None:
                _log.warning("Twitch's messages that could not be stored are given up", held=len(self._handover))
            self._handover.stop()
            try:
                await tasks.stop()
            finally:  # a stop of the program may cancel once more, while this ends
                await dialler.close()

    async def _round(self, dialler: Dialler, tasks: Tasks) -> tuple[AppError | None, float]:
        """One connection from its beginning to its end: why it ended (None: begin anew) and for how long it was up."""
        lines = Sockets(
            dialler,
            tasks,
            clock=self._clock,
            on_event=self._handover.put,
            stir=self._stir.set,
            noise=self._noise,
        )
        if self._status.state in {TransportState.STARTING, TransportState.READY}:
            self._tell(TransportState.STARTING, "connecting", "It connects to Twitch.", facts=self._facts())
        outcome: AppError | None = None
        try:
            await self._serve(dialler, lines)
        except AppError as error:
            outcome = error
        finally:
            lines.cut()
        lasted = 0.0
        if self._up_at is not None:
            lasted = self._clock.monotonic() - self._up_at
            self._up_at, self._down_since = None, self._clock.now()
        if outcome is not None:
            state, code, message, fix = classify(outcome)
            self._tell(state, code, message, fix, facts=self._facts())
        return outcome, lasted

    async def _serve(self, dialler: Dialler, lines: Sockets) -> None:
        """Be connected for as long as it lasts. Returns when the ledger names another conduit; raises AppError."""
        conduit_id = await self._ours.get()
        session = await lines.open()
        await self._shard.enable(conduit_id, session.id)
        self._come_up(conduit_id)
        moves: list[float] = []
        while True:
            self._stir.clear()
            if session.reconnect_url:
                moves = [at for at in moves if self._clock.monotonic() - at < _MOVES_WITHIN]
                if len(moves) >= _MOST_MOVES:
                    raise EventSocketError("Twitch sends us from one server to the next, again and again.")
                moves.append(self._clock.monotonic())
                session = await self._move(dialler, lines, conduit_id, session)
                continue
            if session.ended is not None:
                raise session.ended
            if session.patience <= 0:
                raise EventSocketError(
                    f"The connection to Twitch was silent for more than {session.keepalive:.0f} seconds.", code=1006
                )
            if (self._triggered.is_set() or self._clock.monotonic() >= self._check_at) and not await self._still_ours(
                conduit_id, session
            ):
                return
            self._tell_up(conduit_id, session)
            until_check = self._check_at - self._clock.monotonic()
            await self._clock.wait(self._stir, max(min(session.patience, until_check), 0.0))

    async def _move(self, dialler: Dialler, lines: Sockets, conduit_id: str, old: ConduitSession) -> ConduitSession:
        """Twitch wants us on another server. The old socket is read until the new one is welcomed."""
        url = old.reconnect_url
        new: ConduitSession | None = None
        if dialler.may_follow(url):
            try:
                new = await lines.open(url, keepalive=old.keepalive)
            except EventSocketError as error:
                _log.info("Twitch's other server cannot be used; connecting anew", reason=error.message)
        else:
            _log.warning("Twitch's message named a server that is not Twitch's; connecting anew instead")
        seamless = new is not None and old.ended is None
        self._was_moved = new is not None
        if new is None:
            new = await lines.open()
        if new.id != old.id:
            await self._shard.enable(conduit_id, new.id)
        lines.retire(old)
        _log.info("moved to another server of Twitch's", seamless=seamless)
        if not seamless:
            self._on_gap("Twitch moved us to another server, and the old one did not wait.")
        return new

    async def _still_ours(self, conduit_id: str, session: ConduitSession) -> bool:
        """Somebody asks, or it is time: does the ledger still name this conduit, and Twitch this socket?

        A living socket is not given up because a question fails.
        """
        self._triggered.clear()
        now = self._clock.monotonic()
        try:
            if await self._ours.held() != conduit_id:
                return False
            if self._up_at is not None and now - self._up_at < _FRESH_SECONDS:
                return True
            self._check_at = now + _CHECK_EVERY
            if await self._shard.keep(conduit_id, session.id, was_moved=self._was_moved):
                self._on_gap("Twitch had lost sight of our connection.")
            self._was_moved = False
        except ConduitTakenError:
            await self._ours.was_taken(conduit_id)
            raise
        except (ConduitGoneError, ShardRefusedError):
            raise
        except (TwitchError, SecretsError, LedgerError) as error:
            self._check_at = now + _CHECK_AGAIN
            _log.debug("the conduit could not be looked at", reason=error.message)
        return True

    def _come_up(self, conduit_id: str) -> None:
        self._up_at = self._clock.monotonic()
        self._check_at = self._up_at + _CHECK_EVERY
        self._was_moved = False
        self._set_target(Conduit(conduit_id))
        if self._down_since is None:
            self._on_gap("Twitch hands its messages over from now on; what was before is not known.")
        else:
            away = max(self._clock.now() - self._down_since, 0.0)
            self._on_gap(f"The connection to Twitch was away for {away:.0f} s.")

    def _tell_up(self, conduit_id: str, session: ConduitSession) -> None:
        since = datetime.fromtimestamp(session.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        facts = {"conduit": conduit_id, "session": session.id, "shard": "enabled", "connected_since": since}
        failure = self._handover.failure
        if failure is None:
            message = "Twitch hands its messages over through a connection that this machine opened."
            self._tell(TransportState.READY, "ready", message, facts=facts)
            return
        held = len(self._handover)
        message = f"{failure.message} Twitch's messages held in memory until then: {held}."
        self._tell(TransportState.WAITING, "ledger", message, facts={**facts, "held": str(held)})

    def _gone(self, conduit_id: str) -> None:
        message = (
            f"The conduit {conduit_id} no longer exists: Twitch takes one away when nobody was connected for 72 hours. "
            "A new one is made, and the subscriptions with it."
        )
        self._tell(TransportState.WAITING, "conduit_gone", message, facts={"conduit": conduit_id})

    def _left(self) -> None:
        message = "The client id is another one now. A conduit of its own is made, and the subscriptions with it."
        self._tell(TransportState.STARTING, "connecting", message)

    def _facts(self) -> dict[str, str]:
        """What is known without a connection."""
        facts = {"conduit": self._target.conduit_id} if isinstance(self._target, Conduit) else {}
        if self._down_since is not None:
            away_since = datetime.fromtimestamp(self._down_since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            facts |= {"shard": "not connected", "away_since": away_since}
        held = len(self._handover)
        return {**facts, "held": str(held)} if held else facts

    def _jittered(self, pause: float, error: AppError) -> float:
        """Seconds to wait: half to all of `pause`, so that not everybody comes back at once."""
        seconds = pause * random.uniform(0.5, 1.0)
        if isinstance(error, TwitchRateLimitedError):
            return max(seconds, error.retry_at - self._clock.now())
        return seconds
