"""The loop that claims due deliveries, and what one attempt is made of."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from itertools import takewhile
from typing import Any

import msgspec
import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.config.destinations import format_of
from itsjustintv_desktop.engine.config.schema import Destination, Retry
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, SecretsError
from itsjustintv_desktop.engine.core.events import Bus, DeliveryChanged, Signal
from itsjustintv_desktop.engine.core.models import AttemptResult, DeliveryState, Outcome
from itsjustintv_desktop.engine.core.sources import Doubtful, Enricher
from itsjustintv_desktop.engine.core.tasks import Tasks
from itsjustintv_desktop.engine.delivery import schedule
from itsjustintv_desktop.engine.delivery.attempt import Addresses, Messages, Sender, address_of
from itsjustintv_desktop.engine.delivery.destination_queues import LONGEST_HOLD, Breakers, DestinationQueues
from itsjustintv_desktop.engine.delivery.rate_limits import FIRST_WIDTH, OVERDUE, BacklogPacer
from itsjustintv_desktop.engine.delivery.responses import refused
from itsjustintv_desktop.engine.delivery.schedule import (
    MAY_HAVE_ARRIVED,
    MOST_LOST,
    bind_log_context,
    finish,
    gave_up,
    judged,
)
from itsjustintv_desktop.engine.instrumentation import Instrumentation
from itsjustintv_desktop.engine.storage.ledger import Claimed, Finish, Ledger

LATE_SECONDS = 600.0
"""After this long the source is asked whether the stream still runs: late is worse than never."""
LIVE_CHECK_SECONDS = 10.0
STOP_SECONDS = 15.0
"""Seconds that attempts under way may still take when the program stops: cut off, they would be made twice."""
LONGEST_WAIT = 30.0
"""Longest pause (seconds) between two looks at the wall clock, so that a jump or a sleep is noticed."""
JUMP = 10.0
"""Seconds by which the wall clock drifts from the monotonic one between two looks when it was set, or after a sleep."""
_PAUSE = 1.0
_LEAST_TRICKLE = 0.05

_log = structlog.get_logger(__name__)


async def _steady() -> None:
    """For a clock that is never set."""


class Dispatcher:
    """Sends what is due."""

    def __init__(
        self,
        ledger: Ledger,
        sender: Sender,
        addresses: Addresses,
        enrichers: Mapping[str, Enricher],
        *,
        config: ConfigHolder,
        read_image: Callable[[str], Awaitable[bytes | None]],
        bus: Bus,
        clock: Clock,
        clock_doubtful: Callable[[], bool] = lambda: False,
        follow_clock: Callable[[], Awaitable[None]] = _steady,
        clock_unsure: Callable[[], bool] = lambda: False,
        paused: Callable[[], bool] = lambda: False,
        dice: Callable[[], float] = random.random,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        """`dice` gives the jitter, in [0, 1).

        While `clock_doubtful` says so, nothing is given up for its age. `follow_clock` is awaited before due times are
        looked at; while `clock_unsure`, anything may be late. While `paused`, nothing is sent but what a
        person asked for.
        """
        self._ledger = ledger
        self._sender = sender
        self._read_image = read_image
        self._addresses = addresses
        self._enrichers = enrichers
        self._config = config
        self._bus = bus
        self._clock = clock
        self.changed: Signal[()] = Signal()
        """A delivery's state changed."""
        self._dice = dice
        self._instrumentation = instrumentation or Instrumentation()
        self._clock_doubtful = clock_doubtful
        self._clock_shift, self._clock_unsure = follow_clock, clock_unsure
        self._paused = paused
        self._wake = asyncio.Event()
        self._tasks = Tasks()
        self._recovered = False
        self._looked: tuple[float, float] | None = None
        self.queues = DestinationQueues()
        self._breakers = Breakers(self.queues, ledger, bus, clock, self.wake)
        self.pause, self.resume = self._breakers.pause, self._breakers.resume
        self.take_over = self._breakers.take_over
        self.pacer = BacklogPacer(clock, dice)

    @property
    def under_way(self) -> int:
        """Attempts that are being made, or whose outcome is not in the ledger yet."""
        return len(self._tasks)

    def wake(self) -> None:
        """Something may be due earlier than known."""
        self._wake.set()

    async def recover(self) -> int:
        """Take up what an earlier run left. Returns how many attempts were interrupted. Raises LedgerError."""
        self.queues.restore(await self._ledger.load_breakers())
        interrupted = await self._ledger.recover(self.latest_due())
        self._recovered = True
        return interrupted

    def latest_due(self) -> float:
        """No due time lies beyond this: a wall clock that was wrong cannot postpone for years."""
        return self._clock.now() + schedule.longest_delay(self._config.current.config.retry)

    async def cap(self) -> None:
        """Bring due times that a wrong clock made back into reach, each to a moment of its own. Raises LedgerError."""
        retry = self._config.current.config.retry
        latest = self.latest_due()
        while await self._ledger.cap_due(latest, 2 * retry.max_delay * retry.jitter):
            pass

    async def run(self) -> None:
        """Work until cancelled. Attempts under way get STOP_SECONDS to end, the rest is taken up at the next start."""
        if not self._recovered:
            await self.recover()
        self._recovered = False
        try:
            while True:
                self._wake.clear()
                try:
                    wait = await self._round()
                except LedgerError as error:
                    _log.warning("deliveries wait for the ledger", reason=error.message)
                    wait = _PAUSE
                if wait > 0:
                    await self._clock.wait(self._wake, wait)
        finally:
            await self._tasks.finish(STOP_SECONDS)

    async def _round(self) -> float:
        """Claim once and start what was claimed; seconds until the next look."""
        await self._follow_clock()
        await self._notice_corrected_addresses()
        now = self._clock.now()
        places, slots, opens = self.queues.free(self._config.current.destinations, now)
        if places <= 0:
            return LONGEST_WAIT
        trickle = self.pacer.limit(slots)
        failing, failing_limit = self.queues.failing()
        asked_at = self._clock.now()
        batch = await self._ledger.claim(
            places, slots, FIRST_WIDTH, failing=failing, failing_limit=failing_limit, only_forced=self._paused()
        )
        for claimed in batch.deliveries:
            self.queues.begin(claimed.destination, now)
            self.pacer.sent(claimed.destination)
            self._tasks.start("delivery.attempt", self._deliver(claimed))
            await asyncio.sleep(0)  # one per iteration: answers to Twitch must not queue behind a hundred of these
        moments = [moment for moment in (batch.next_due, opens) if moment is not None]
        if batch.deliveries and batch.next_due is not None and batch.next_due <= asked_at:
            # All places were taken; the next look comes with the first that gets free.
            return LONGEST_WAIT
        until = min(moments) - self._clock.now() if moments else LONGEST_WAIT
        if moments and until <= 0 and min(moments) > asked_at:
            return 0.0  # it became due while the ledger was asked
        if trickle is not None:
            until = min(until, max(trickle, _LEAST_TRICKLE))
        return min(max(until, 0.01), LONGEST_WAIT)

    async def _follow_clock(self) -> None:
        """After a start, a sleep or a clock that was set: correct wild due times, and let a backlog out slowly."""
        await self._clock_shift()
        self._clock_doubtful()  # it checks only when asked: a clock corrected within a minute was still wrong
        now, mono = self._clock.now(), self._clock.monotonic()
        before = self._looked
        gap = math.inf if before is None else now - before[0]
        if before is not None and abs(gap - (mono - before[1])) >= JUMP:
            await self.cap()
        if gap >= LONGEST_WAIT + OVERDUE:
            late = self.pacer.begin(dict(await self._ledger.waiting_destinations()), now)
            if late:
                _log.info("a backlog is sent bit by bit", destinations=len(late))
        self._looked = now, mono

    async def _notice_corrected_addresses(self) -> None:
        """A paused or open destination whose address was corrected starts over, without waiting for an attempt."""
        now = self._clock.now()
        destinations = self._config.current.destinations
        for name in self.queues.shut(now):
            destination = destinations.get(name)
            if destination is None:
                continue
            try:
                url, _ = await self.address(destination)
            except SecretsError:
                continue  # the address is not known now; an attempt would be held, too
            was = self.queues.queue(name).breaker.name(now)
            if url and self.queues.address(name, url, now):
                await self._breakers.keep(name, was)

    async def _deliver(self, claimed: Claimed) -> None:
        result: AttemptResult | None = None
        began = self._clock.monotonic()
        bind_log_context(claimed)
        settled = False
        only_link = self.queues.only_link(claimed.destination)
        queue = self.queues.queue(claimed.destination)
        try:
            result, finish = await self._attempt(claimed)
            settled = finish.state is not DeliveryState.PENDING
        except Exception:  # noqa: BLE001 - a bug here must not leave a delivery neither sent nor waiting
            # Counted and spaced like any other failure: perhaps the POST was made before it broke.
            _log.exception("an attempt broke", delivery=claimed.id)
            why = "A fault inside the program stopped this attempt. See the log."
            result = AttemptResult(outcome=Outcome.RETRY, error=why, lost=claimed.id in queue.posting)
            finish = await self._outcome_of(claimed, result)
        finally:
            was = queue.breaker.snapshot()
            now = self._clock.now()
            self.queues.end(claimed.destination, result, now, delivery_id=claimed.id, settled=settled)
            self._wake.set()
        ended, seconds = self._clock.now(), self._clock.monotonic() - began
        await self._record(finish)
        if result is not None or finish.reason is not None:
            if (observer := self._instrumentation.observer) is not None:
                observer.attempted(claimed, finish, ended=ended, seconds=seconds)
            self._report(claimed, finish)
        failed = result is not None and result.outcome is Outcome.RETRY
        learned = self.queues.only_link(claimed.destination) != only_link
        if failed or learned or queue.breaker.snapshot().name != was.name:
            await self._breakers.keep(claimed.destination, was.name)

    async def _attempt(self, claimed: Claimed) -> tuple[AttemptResult | None, Finish]:
        """Make the attempt, if it should be made at all; the result (None = no POST) and what becomes of it."""
        live = self._config.current
        destination = live.destinations.get(claimed.destination)
        if destination is None:
            return None, finish(claimed, DeliveryState.DEAD, "The destination was removed from the config.")
        try:
            url, secret = await self.address(destination)
        except SecretsError as error:
            return None, self._hold(claimed, error.message)
        if not url:
            return None, finish(claimed, DeliveryState.DEAD, "The destination has no address. Set its url.")
        self.queues.address(claimed.destination, url, self._clock.now())
        self.queues.picture(destination)
        retry = live.config.retry
        if not claimed.forced and self._over_age(claimed, self._clock.now(), retry):
            return None, finish(claimed, DeliveryState.DEAD, gave_up(claimed.attempt - 1))
        runs = await self._still_runs(claimed)
        if runs is False:
            why = "The stream ended before it could be announced. Resend it if you want it out all the same."
            return None, finish(claimed, DeliveryState.EXPIRED, why)
        if isinstance(runs, Doubtful):
            why = "The stream is not seen at the moment. It is looked for once more before this is given up."
            return None, finish(claimed, DeliveryState.PENDING, why, next_at=self._clock.now() + runs.seconds)
        kind = format_of(destination, url)
        self.queues.limits(claimed.destination, url, kind)
        knows_repeats = kind.knows_repeats
        if claimed.lost >= MOST_LOST and not knows_repeats:
            return None, finish(claimed, DeliveryState.DEAD, MAY_HAVE_ARRIVED)
        try:
            payload: dict[str, Any] = msgspec.json.decode(claimed.payload, type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
            return None, finish(claimed, DeliveryState.DEAD, "What it announces is damaged in the ledger.")
        send = await Messages(self._sender, self._read_image).prepare(
            destination,
            payload,
            url=url,
            secret=secret,
            webhook_id=claimed.webhook_id,
            only_link=self.queues.only_link(claimed.destination) is not None,
            as_text=self.queues.queue(claimed.destination).as_text,
            traceparent=None if (observer := self._instrumentation.observer) is None else observer.traceparent(claimed),
        )
        now = self._clock.now()
        paused = self._paused() and not claimed.forced  # a person may have wanted it so since it was claimed
        if paused or not self.queues.may_post(claimed.destination, claimed.id, now):
            return None, finish(claimed, DeliveryState.PENDING, None, next_at=now)
        if claimed.lost and not knows_repeats:
            try:
                await self._ledger.posting(claimed.id)
            except LedgerError:
                return None, finish(claimed, DeliveryState.PENDING, None, next_at=now + _PAUSE)
        result = await send()
        return result, await self._outcome_of(claimed, result, knows_repeats)

    async def _outcome_of(self, claimed: Claimed, result: AttemptResult, knows_repeats: bool = True) -> Finish:
        return judged(
            claimed,
            result,
            self._config.current.config.retry,
            now=self._clock.now(),
            knows_repeats=knows_repeats,
            refusals=await self._refusals(claimed) if result.outcome is Outcome.REFUSED else 0,
            clock_doubtful=self._clock_doubtful,
            dice=self._dice,
        )

    async def _refusals(self, claimed: Claimed) -> int:
        """How many attempts in a row were refused, with the one that just was."""
        try:
            earlier = [one.status for one in await self._ledger.attempted(claimed.id) if one.number < claimed.attempt]
        except LedgerError:
            return 1
        return 1 + sum(1 for _ in takewhile(refused, reversed(earlier)))

    def _over_age(self, claimed: Claimed, now: float, retry: Retry) -> bool:
        """A clock that may be wrong gives nothing up: unknown means send."""
        return schedule.is_over_age(claimed.born_at, now, retry) and not self._clock_doubtful()

    async def address(self, destination: Destination) -> tuple[str | None, str | None]:
        """Where it is now, and its secret, as an attempt would use them. Raises SecretsError."""
        return await address_of(destination, self._addresses)

    async def _still_runs(self, claimed: Claimed) -> bool | Doubtful | None:
        """Only what is late is asked about; None is sent like True."""
        # Created in the future: the clock was wrong, and its age is unknown.
        late = abs(self._clock.now() - claimed.born_at) > LATE_SECONDS or self._clock_unsure()
        if claimed.forced or claimed.test or not late:
            return None
        enricher = self._enrichers.get(claimed.source)
        if enricher is None:
            return None
        try:
            async with asyncio.timeout(LIVE_CHECK_SECONDS + 1.0):  # another platform's code may forget the time
                # A second half was suppressed because of this announcement, so it goes out while that one runs.
                stream_id = await self._ledger.continuation(claimed.broadcaster_id, claimed.stream_id)
                return await enricher.is_live(claimed.broadcaster_id, stream_id, timeout=LIVE_CHECK_SECONDS)
        except (TimeoutError, LedgerError):
            return None

    def _hold(self, claimed: Claimed, reason: str) -> Finish:
        until = self._clock.now() + LONGEST_HOLD
        self.queues.queue(claimed.destination).held_until = until
        return finish(claimed, DeliveryState.PENDING, reason, next_at=until)

    async def _record(self, finish: Finish) -> None:
        """The outcome must reach the ledger, however long that takes: it is what keeps it from being sent twice."""
        while True:
            try:
                await self._ledger.finish([finish])
            except LedgerError as error:
                _log.warning("an outcome waits for the ledger", delivery=finish.id, reason=error.message)
                await self._clock.sleep(_PAUSE)
            else:
                return

    def _report(self, claimed: Claimed, finish: Finish) -> None:
        error = finish.reason or (finish.result.error if finish.result else None)
        status = finish.result.status if finish.result else None
        level = _log.info if finish.state is DeliveryState.DELIVERED else _log.warning
        details = {"status": status, "reason": error}
        level(
            "delivery",
            delivery=claimed.id,
            event_id=claimed.event_id,
            destination=claimed.destination,
            attempt=claimed.attempt,
            state=finish.state.value,
            **{key: value for key, value in details.items() if value is not None},
        )
        self._bus.publish(
            DeliveryChanged(
                id=claimed.id,
                event_id=claimed.event_id,
                streamer=claimed.streamer,
                destination=claimed.destination,
                state=finish.state,
                attempts=claimed.attempt if finish.result else claimed.attempt - 1,
                status=status,
                error=error,
                next_at=finish.next_at,
            )
        )
        self.changed.emit()
