"""The safety net: Twitch is asked who is live, so that a message that never came costs minutes and not a stream.

Twitch's messages reach us through tunnels, certificates and sockets that may die in silence, and not at all while the
machine sleeps. Source: Twitch documentation, "Get Streams".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec
import structlog

from itsjustintv_desktop.engine.announce.pause import began_under
from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.backoff import Backoff
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import (
    LedgerError,
    SecretsError,
    TwitchError,
    TwitchRateLimitedError,
    TwitchRefusedError,
)
from itsjustintv_desktop.engine.core.events import Bus, EventSettled, Signal
from itsjustintv_desktop.engine.core.models import EventState, LiveStream, StreamEvent
from itsjustintv_desktop.engine.core.status import Status
from itsjustintv_desktop.engine.ingress.catch_up.decide import GRACE, Circumstances, decide
from itsjustintv_desktop.engine.ingress.catch_up.live_now import LiveNow, event_of, live_stream_of
from itsjustintv_desktop.engine.storage.ledger import FEED, Ledger
from itsjustintv_desktop.engine.storage.ledger.broadcasting import Key
from itsjustintv_desktop.engine.storage.ledger.catching import Action, Caught, Decision, Find, Known
from itsjustintv_desktop.engine.twitch.helix import Helix, chunks

_log = structlog.get_logger(__name__)

FIRST_RETRY = 5.0
LAST_RETRY = 60.0
"""Seconds between two tries while Twitch does not answer; so soon after the network returned all is known again."""
LEAST = 2.0
"""Least seconds between two rounds: several reasons to ask that come together cost one question."""
SPLAY = 0.05
"""Share of the interval by which each wait differs, so that many machines do not ask in one second."""
MANY_CALLS = 10
"""Rounds of more calls than this leave the rate budget to announcements while it is not ample."""
_AMPLE_LOOK = 1.0
_AMPLE_PATIENCE = 90.0
_CLOCK_SET = 30.0
"""Our clock moving by more than this between two rounds was set (or slept): the skew has to be measured anew."""
_IDLE = 3600.0


class CatchUp:
    """Asks in rounds. Run it supervised; `nudge` asks for a round now."""

    def __init__(
        self,
        helix: Helix,
        ledger: Ledger,
        *,
        config: ConfigHolder,
        watched: Callable[[], list[str]],
        skew: Callable[[], float],
        bus: Bus,
        clock: Clock,
        paused_at: Callable[[float], bool] = lambda _: False,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """`watched` gives the user ids of all watched channels, `skew` is Twitch's time minus ours (seconds).

        `dice` is a float in [0, 1).
        `paused_at` tells whether announcements were paused at a moment (Unix seconds by our clock).
        """
        self._helix = helix
        self._ledger = ledger
        self._config = config
        self._watched = watched
        self.stored: Signal[()] = Signal()
        """Events were put into the ledger."""
        self._skew = skew
        self._bus = bus
        self._clock = clock
        self._paused_at = paused_at
        self._dice = dice
        self._now = LiveNow(bus)
        self._triggered = asyncio.Event()
        self._reasons: list[str] = []
        self._backoff = Backoff(FIRST_RETRY, LAST_RETRY, jitter=lambda: 1 - 0.2 * dice())
        self._offset: float | None = None
        self._tried: dict[Key, Circumstances] = {}
        self.status = CatchUpStatus(state=CatchUpState.STARTING, message="Twitch was not asked yet.")

    @property
    def live_now(self) -> Mapping[str, LiveStream]:
        """Who of the watched channels is live, by user id."""
        return self._now.streams

    def trigger(self, reason: str) -> None:
        """Ask now. `reason` is one word: start, wake, network, gap, address, config, asked."""
        if reason not in self._reasons:
            self._reasons.append(reason)
        self._triggered.set()

    def heard(self, event: StreamEvent) -> None:
        """Twitch told that a watched channel went live or offline: `live_now` need not wait for the next round."""
        self._now.heard(event)

    async def run(self) -> None:
        """Ask at once, then every `poll_interval` and whenever nudged, until cancelled. Can be started again."""
        self.trigger("start")
        while True:
            pause = await self._turn()
            self._plan(pause)
            await self._clock.sleep(LEAST)
            while not await self._clock.wait(self._triggered, _IDLE if pause is None else max(pause - LEAST, 0.0)):
                if pause is not None:
                    break

    async def _turn(self) -> float | None:
        """One round; the seconds to wait before the next, None = until nudged."""
        self._triggered.clear()
        reasons, self._reasons = self._reasons, []
        if self._backoff.failures and "network" not in reasons:
            reasons.append("network")
        reason = ", ".join(reasons or ["interval"])
        ids = list(dict.fromkeys(self._watched()))
        interval = self._config.current.config.twitch.poll_interval or None
        if not ids:
            self._now.keep_only(())
            self._now.tell()
            self._backoff.reset()
            self._say(*self._nobody(), reason, 0)
            return interval
        try:
            later = await self._round(ids)
        except (TwitchError, SecretsError, LedgerError) as error:
            return self._failed(error, reason, len(ids))
        if self._backoff.failures:
            _log.info("it can be asked again who is live", reason=reason)
        self._backoff.reset()
        _log.debug("asked who is live", reason=reason, watched=len(ids), live=len(self.live_now))
        self._say(
            CatchUpState.OK,
            f"{len(self.live_now)} of {len(ids)} channels are live.",
            reason,
            len(ids),
            last_poll=self._clock.now(),
        )
        wait = None if interval is None else interval * (1 + SPLAY * (2 * self._dice() - 1))
        return min(wait or GRACE, GRACE) if later else wait

    def _nobody(self) -> tuple[CatchUpState, str]:
        """There is nobody to ask for: at a start the channels are looked up first, which nudges."""
        if not any(streamer.enabled for streamer in self._config.current.config.streamers.values()):
            return CatchUpState.WAITING, "No channel is watched, so none is asked for."
        if self.status.last_poll is None:
            return CatchUpState.STARTING, "Twitch is asked who is live once it is known which channels are meant."
        return CatchUpState.WAITING, "No channel is known yet that could be asked for."

    def _failed(self, error: TwitchError | SecretsError | LedgerError, reason: str, watched: int) -> float:
        pause = self._backoff.next()
        if self._backoff.failures == 1:
            _log.warning("it cannot be asked who is live", reason=error.message)
        message = f"It could not be asked who is live: {error.message} It is tried again by itself."
        self._say(CatchUpState.WAITING, message, reason, watched)
        if isinstance(error, TwitchRateLimitedError):
            pause = max(pause, min(error.retry_at - self._clock.now(), LAST_RETRY))
        return pause

    async def _round(self, ids: Sequence[str]) -> bool:
        """Ask for all, 100 at a time. Returns whether a stream has to be looked at again soon.

        What a batch brought is kept even if a later one fails. Raises TwitchError, SecretsError, LedgerError.
        """
        await self._measure_clock(ids[0])
        batches = list(chunks(ids))
        later = False
        refusal: TwitchRefusedError | None = None
        try:
            for batch in batches:
                if len(batches) > MANY_CALLS:
                    await self._until_ample()
                try:
                    later |= await self._batch(batch)
                except TwitchRefusedError as error:
                    if error.status == 401:
                        raise
                    refusal = error  # it is about these channels, and no reason not to look after the others
            if refusal is not None:
                raise refusal
            self._now.keep_only(ids)
        finally:
            self._now.tell()
        running = {(stream.broadcaster_id, stream.stream_id) for stream in self.live_now.values()}
        self._tried = {key: around for key, around in self._tried.items() if key[:2] in running}
        return later

    async def _measure_clock(self, user_id: str) -> None:
        """After our clock was set, one answer more: the skew follows from the second one that says the same."""
        offset = self._clock.now() - self._clock.monotonic()
        before, self._offset = self._offset, offset
        if before is not None and abs(offset - before) > _CLOCK_SET:
            await self._helix.streams([user_id])

    async def _until_ample(self) -> None:
        deadline = self._clock.monotonic() + _AMPLE_PATIENCE
        while not self._helix.client.budget.ample(self._clock.now()) and self._clock.monotonic() < deadline:
            await self._clock.sleep(_AMPLE_LOOK)

    async def _batch(self, asked: list[str]) -> bool:
        shown = {stream.user_id: stream for stream in await self._helix.streams(asked)}
        now = self._clock.now()
        at = now + self._skew()
        live, tried = self._config.current, self._tried
        around: dict[Key, Circumstances] = {}
        finds: list[Find] = []
        for stream in shown.values():
            event = event_of(stream, now)
            entries = live.matcher.entries(event)  # none: the config changed while Twitch was asked
            entries = entries[:1] if event.detail else entries  # a rerun and its like is listed once
            for streamer in entries if event.stream_id else ():
                destinations = live.destinations_of(streamer)
                find = Find(event, destinations or (FEED,), streamer.key if len(entries) > 1 else "")
                around[_key(find)] = Circumstances(streamer, stream.tags or (), destinations)
                finds.append(find)

        skew = at - now
        paused = {
            _key(each)
            for each in finds
            if each.event.started_at is not None and began_under(self._paused_at, each.event.started_at - skew)
        }

        def verdict(find: Find, known: Known) -> Decision:
            key = _key(find)
            again = tried.get(key) == around[key]
            return decide(find.event, known, around[key], live=live, tried=again, now=at, paused=key in paused)

        caught = await self._ledger.catch_up(asked, finds, verdict, at=at)
        self._now.learn(asked, caught.live, {key: live_stream_of(stream) for key, stream in shown.items()})
        self._follow(finds, around, caught)
        return any(each.action is Action.LATER for each in caught.verdicts)

    def _follow(self, finds: list[Find], around: dict[Key, Circumstances], caught: Caught) -> None:
        """Tell of what was stored."""
        submitted = False
        for find, verdict, event_id in zip(finds, caught.verdicts, caught.ids, strict=True):
            if event_id is None:
                continue
            event = find.event
            if verdict.action is Action.SUBMIT:
                submitted = True
                self._tried[_key(find)] = around[_key(find)]
                _log.info("a stream was found by asking", event_id=event_id, streamer=verdict.streamer)
                continue
            if verdict.reason == "missed":
                self.status = msgspec.structs.replace(self.status, missed=self.status.missed + 1)
            _log.info("not announced", event_id=event_id, streamer=verdict.streamer, reason=verdict.reason)
            self._bus.publish(
                EventSettled(
                    event_id=event_id,
                    kind=event.kind,
                    state=EventState.SUPPRESSED.value,
                    login=event.broadcaster_login,
                    streamer=verdict.streamer,
                    reason=verdict.reason,
                    explanation=verdict.explanation,
                )
            )
        if submitted:
            self.stored.emit()

    def _say(
        self, state: CatchUpState, message: str, reason: str, watched: int, *, last_poll: float | None = None
    ) -> None:
        self.status = msgspec.structs.replace(
            self.status,
            state=state,
            message=message,
            reason=reason,
            watched=watched,
            live=len(self.live_now),
            last_poll=self.status.last_poll if last_poll is None else last_poll,
        )

    def _plan(self, pause: float | None) -> None:
        next_poll = None if pause is None else self._clock.now() + pause
        self.status = msgspec.structs.replace(self.status, next_poll=next_poll)


def _key(find: Find) -> Key:
    return find.event.broadcaster_id, find.event.stream_id, find.entry


class CatchUpState(StrEnum):
    STARTING = "starting"
    OK = "ok"
    WAITING = "waiting"
    """Twitch (or the ledger) cannot be asked at the moment, or there is nobody to ask for; it mends itself."""


class CatchUpStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`message` is a sentence for a person. Times are Unix seconds, None = never, or not planned."""

    state: CatchUpState
    message: str
    last_poll: float | None = None
    """When Twitch last told who is live, about all channels."""
    next_poll: float | None = None
    reason: str = ""
    """Why it was asked last: start, interval, wake, network, gap, address, config, asked; several with commas."""
    watched: int = 0
    live: int = 0
    missed: int = 0
    """Streams listed as missed since the program started."""

    def health(self) -> Status:
        return Status.of(self.state, self.message)
