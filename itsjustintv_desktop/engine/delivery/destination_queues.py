"""One queue a destination: how many attempts it may have under way, and its breaker kept across restarts.

Slots belong to destinations first, so that a dead one never starves the others: a queue widens with each success
and falls to one slot with a failure, and all failing queues together get a part of the places only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from weakref import WeakValueDictionary

import msgspec
import structlog

from itsjustintv_desktop.engine.config.schema import Destination
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.events import Bus, DeliveriesChanged, DestinationChanged, Notice
from itsjustintv_desktop.engine.core.models import AttemptResult, Outcome
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.breaker import Breaker, BreakerState, StateName, fingerprint
from itsjustintv_desktop.engine.delivery.formats.base import Format
from itsjustintv_desktop.engine.delivery.rate_limits import FIRST_WIDTH, Pace, one_for_all, service
from itsjustintv_desktop.engine.storage.ledger import Ledger

TOTAL = 128
"""Most attempts under way at a time."""
FAILING_TOTAL = 32
"""Most of them to destinations whose last attempt failed."""
WIDEST = 8
MOST_LOOKS = 32
"""Most deliveries of a destination whose streams are looked up together, while those before were over and unsent."""
LONGEST_HOLD = 30.0
"""Seconds a queue is held at a time."""
ONLY_A_LINK = (
    "The receiver refused the picture as too large (413), so it gets a link to the picture only. "
    'Set picture = "link" for this destination, or let it take larger bodies and resume it.'
)
"""Of a destination that is known to refuse the picture, and of each delivery to it."""

_log = structlog.get_logger(__name__)


class DestinationQueue:
    """The state of one destination's queue."""

    def __init__(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self.width = FIRST_WIDTH
        self.in_flight = 0
        self.posting: set[int] = set()
        """Those in flight that have begun their POST."""
        self.unsent = 0
        """Deliveries in a row that ended without a POST: their streams were over. After an outage there may be
        thousands of them, and what is new waits behind."""
        self.failing = False
        self.held_until = 0.0
        """Unix seconds; before it nothing is tried (its secret cannot be read at the moment)."""
        self.pace = Pace()
        """Shared by all destinations at the same address."""
        self.service = ""
        """Whose general limits hold there."""
        self.most_per_second: int | None = None
        """POSTs a second that its service accepts in all."""
        self.only_link: float | None = None
        """Since when (Unix seconds) it is known to refuse the picture as too large; None: it takes it."""
        self.as_text = False
        """The last message was refused for its decoration and could not be sent without it, either: the next goes
        without, since two POSTs at once may be one too many for a rate limit."""
        self.attempted_at = ""
        """The fingerprint of the address that the last attempt went to; "" if it is not known."""
        self.turns = 0
        """Attempts begun and ended so far: while it grows, the queue moves."""


class _Stored(BreakerState, frozen=True, kw_only=True):
    """What is kept of a queue across restarts."""

    only_link: float | None = None


class DestinationQueues:
    """All queues. `restore` brings back the breakers of an earlier run."""

    def __init__(self) -> None:
        self._queues: dict[str, DestinationQueue] = {}
        self._paces: WeakValueDictionary[str, Pace] = WeakValueDictionary()
        self._seconds: dict[str, tuple[float, int]] = {}
        """By service that limits all POSTs to it: the second in which they are counted, and how many there were."""

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Breakers as `changed_breaker` encoded them; one that cannot be read starts closed."""
        for name, state in stored.items():
            try:
                kept = msgspec.json.decode(state, type=_Stored)
            except (msgspec.DecodeError, UnicodeDecodeError):
                _log.warning("a stored breaker could not be read", destination=name)
                self.queue(name)  # as any other: forgotten with its destination, overwritten when it changes
            else:
                fields = {field: getattr(kept, field) for field in BreakerState.__struct_fields__}
                queue = self._queues[name] = DestinationQueue(Breaker(BreakerState(**fields)))
                queue.only_link, queue.attempted_at = kept.only_link, kept.fingerprint

    def queue(self, name: str) -> DestinationQueue:
        if name not in self._queues:
            self._queues[name] = DestinationQueue(Breaker())
        return self._queues[name]

    @property
    def in_flight(self) -> int:
        return sum(queue.in_flight for queue in self._queues.values())

    @property
    def turns(self) -> int:
        """Attempts begun and ended so far, everywhere."""
        return sum(queue.turns for queue in self._queues.values())

    @property
    def idle(self) -> set[str]:
        """Names of those with no attempt under way."""
        return {name for name, queue in self._queues.items() if not queue.in_flight}

    def forget(self, name: str) -> None:
        """Its destination was removed. One with an attempt under way stays."""
        if name in self.idle:
            del self._queues[name]

    def free(self, destinations: Mapping[str, Destination], now: float) -> tuple[int, dict[str, int], float | None]:
        """Free places in all, free slots by destination (0 = blocked), and when the first blocked one may go.

        Destinations without a queue have FIRST_WIDTH slots; a removed one passes, so that its deliveries are buried.
        """
        slots: dict[str, int] = {}
        opens: float | None = None
        for name, queue in self._queues.items():
            if name not in destinations:
                continue
            # A clock set back must not make a short hold a long one.
            queue.held_until = min(queue.held_until, now + LONGEST_HOLD)
            until = max(queue.breaker.blocked_until(now) or 0.0, queue.held_until)
            limited = queue.pace.limited
            if limited:
                until = max(until, queue.pace.opens(now))
            if until > now:
                slots[name] = 0
                if until < math.inf:
                    opens = until if opens is None else min(opens, until)
                continue
            wanted = max(_posts(queue, now), min(queue.unsent, MOST_LOOKS)) - queue.in_flight
            slots[name] = max(0, int(min(wanted, queue.pace.room(now))) if limited else wanted)
        for name, destination in destinations.items():
            if not destination.enabled:
                slots[name] = 0
        return TOTAL - self.in_flight, slots, opens

    def failing(self) -> tuple[frozenset[str], int]:
        """Destinations whose last attempt failed, and the free places they may share."""
        failing = {name: queue.in_flight for name, queue in self._queues.items() if queue.failing}
        return frozenset(failing), max(0, FAILING_TOTAL - sum(failing.values()))

    def begin(self, name: str, now: float) -> None:
        queue = self.queue(name)
        queue.in_flight += 1
        queue.turns += 1
        queue.breaker.allow(now)

    def may_post(self, name: str, delivery_id: int, now: float) -> bool:
        """Whether this one of those in flight may be sent now; False: more are looked at than may be sent, or it was
        paused or opened meanwhile."""
        queue = self.queue(name)
        shut = queue.breaker.name(now) in {"open", "paused"} or queue.pace.room(now) < 1
        if shut or len(queue.posting) >= _posts(queue, now) or not self._has_room(queue, now):
            queue.unsent = 0
            return False
        queue.posting.add(delivery_id)
        queue.pace.begin(now)
        return True

    def _has_room(self, queue: DestinationQueue, now: float) -> bool:
        """Whether all of its service takes one more in this second; if not, its queues are held until the next."""
        service, most = queue.service, queue.most_per_second
        if most is None:
            return True
        second, count = self._seconds.get(service, (0.0, 0))
        if not 0 <= now - second < 1.0:
            second, count = now, 0
        self._seconds[service] = (second, count + 1)
        if count >= most:
            self._hold_service(service, second + 1.0)
        return count < most

    def _hold_service(self, service: str, until: float) -> None:
        for queue in self._queues.values():
            if queue.service == service:
                queue.held_until = max(queue.held_until, until)

    def end(
        self, name: str, result: AttemptResult | None, now: float, *, delivery_id: int = 0, settled: bool = False
    ) -> None:
        """An attempt ended; None = no POST was made. `settled`: and none ever will be."""
        queue = self.queue(name)
        queue.in_flight -= 1
        queue.turns += 1
        if delivery_id in queue.posting:
            queue.posting.discard(delivery_id)
            answered = result is not None and result.status is not None
            queue.pace.end(result.limits if result is not None else None, now, answered=answered)
        if result is None:
            queue.unsent += settled
            if not queue.posting:
                queue.breaker.abandon()
            return
        queue.unsent = 0
        queue.attempted_at = queue.breaker.snapshot().fingerprint
        said = result.limits
        limited = result.status == HTTPStatus.TOO_MANY_REQUESTS and said is not None and said.wait is not None
        if limited and said is not None and said.everywhere:
            self._hold_service(queue.service, now + min(said.wait or 0.0, LONGEST_HOLD))
        failed = result.outcome is Outcome.RETRY
        queue.failing = failed and not limited
        queue.width = 1 if failed else min(WIDEST, queue.width + 1)
        # A rate limit is an answer: the receiver is there, so the breaker counts no failure.
        queue.breaker.record(Outcome.REFUSED if limited else result.outcome, now, result.error)
        queue.as_text = result.as_text and result.outcome is Outcome.RETRY
        if result.only_link and queue.only_link is None:
            queue.only_link = now

    def address(self, name: str, url: str, now: float) -> bool:
        """Set the address in use; True: it differs from the one before and the queue starts over."""
        queue = self.queue(name)
        if queue.breaker.snapshot().fingerprint not in {"", fingerprint(url)}:
            queue.only_link = None  # another receiver may accept more
        return queue.breaker.observe_address(fingerprint(url), now)

    def has_new_address(self, name: str, url: str) -> bool:
        """Whether the last attempt went to another address, as far as that is known."""
        return self.queue(name).attempted_at not in {"", fingerprint(url)}

    def limits(self, name: str, url: str, kind: Format) -> None:
        """Set the address in use, and what its receiver understands. All that use the address share its limits."""
        queue = self.queue(name)
        key = fingerprint(f"{kind.name} {one_for_all(url)}")
        if self._paces.get(key) is not queue.pace and not queue.posting:
            queue.pace = self._paces.setdefault(key, Pace(kind.pause))
        queue.service = service(url)
        known = formats.service(url)
        queue.most_per_second = None if known is None else known.most_per_second

    def picture(self, destination: Destination) -> None:
        """Set the settings in use: where the picture is not wanted, a refusal of it is forgotten."""
        if destination.picture != "data":
            self.queue(destination.name).only_link = None

    def only_link(self, name: str) -> float | None:
        """Since when a destination is known to refuse the picture as too large; None: it is not."""
        return self._queues[name].only_link if name in self._queues else None

    def note(self, destination: Destination) -> str:
        """That it gets less than its config says, as a sentence; "" for nothing."""
        known = destination.picture == "data" and self.only_link(destination.name) is not None
        return ONLY_A_LINK if known else ""

    def take_over(self, old: str, new: str) -> None:
        """What is known of `old` holds for `new`, its other name."""
        self.queue(new).breaker = Breaker(self.queue(old).breaker.snapshot())
        self.queue(new).only_link = self.queue(old).only_link

    def shut(self, now: float) -> list[str]:
        """Destinations whose breaker lets nothing pass now, and that another address would open."""
        return [
            name
            for name, queue in self._queues.items()
            if queue.breaker.name(now) in {"open", "paused"} and not queue.breaker.snapshot().by_hand
        ]

    def paused_by_hand(self, name: str) -> bool:
        """Whether a person wants nothing sent there."""
        return name in self._queues and self._queues[name].breaker.snapshot().by_hand

    def states(self, now: float) -> dict[str, tuple[StateName, str]]:
        """What to show: (state, reason) by destination."""
        return {
            name: (queue.breaker.name(now), queue.breaker.snapshot().reason) for name, queue in self._queues.items()
        }

    def state(self, name: str, now: float) -> tuple[StateName, str]:
        """The state of one."""
        queue = self._queues.get(name)
        return ("closed", "") if queue is None else (queue.breaker.name(now), queue.breaker.snapshot().reason)

    def health(self, destinations: Mapping[str, Destination], now: float) -> dict[str, Status]:
        """The destinations that something holds back, or that get less than their config says."""
        found = {}
        for name, (state, reason) in self.states(now).items():
            destination = destinations.get(name)
            if destination is None:
                continue
            if state != "closed":
                found[f"destination {name}"] = Status(Level.WAITING, reason, self.queue(name).breaker.snapshot().since)
            elif note := self.note(destination):
                found[f"destination {name}"] = Status(Level.OK, note, self.only_link(name))
        return found

    def encoded(self, name: str) -> bytes:
        queue = self.queue(name)
        return msgspec.json.encode(
            _Stored(**msgspec.structs.asdict(queue.breaker.snapshot()), only_link=queue.only_link)
        )


def _posts(queue: DestinationQueue, now: float) -> int:
    """How many POSTs may be under way: the one probe, or the present width."""
    return 1 if queue.breaker.name(now) == "half-open" else queue.width


class Breakers:
    """`wake` is called when one may try again earlier than known."""

    def __init__(
        self, queues: DestinationQueues, ledger: Ledger, bus: Bus, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self.queues = queues
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._wake = wake

    async def keep(self, name: str, was: str) -> None:
        """Write down the state of a breaker after a change, and publish it if it was named `was` before."""
        breaker = self.queues.queue(name).breaker
        state = breaker.snapshot()
        if state.name != was:
            text = f"a destination is {state.name} now"
            if state.reason:
                _log.warning(text, destination=name, reason=state.reason)
            else:
                _log.info(text, destination=name)
            self._bus.publish(DestinationChanged(destination=name, state=state.name, reason=state.reason))
            if state.name == "paused":
                self._bus.publish(Notice(text=f"{name} is paused: {state.reason}"))
        try:
            await self._ledger.save_breaker(name, self.queues.encoded(name))
        except LedgerError as error:
            _log.warning("a breaker could not be kept", destination=name, reason=error.message)

    async def pause(self, name: str, reason: str) -> None:
        """Send nothing there until `resume`, because a person wants it so. Raises LedgerError: nothing changed."""
        queue = self.queues.queue(name)
        before = queue.breaker.snapshot()
        queue.breaker.pause(reason, before.fingerprint, self._clock.now(), by_hand=True)
        try:
            await self._ledger.save_breaker(name, self.queues.encoded(name))
        except LedgerError:
            queue.breaker = Breaker(before)
            raise
        _log.info("a destination was paused by hand", destination=name)
        self._bus.publish(DestinationChanged(destination=name, state="paused", reason=reason))

    async def take_over(self, old: str, new: str) -> None:
        """What is known of `old` holds for `new`, its other name: a pause above all. Raises LedgerError."""
        self.queues.take_over(old, new)
        await self._ledger.save_breaker(new, self.queues.encoded(new))

    async def resume(self, name: str, *, afresh: bool = False) -> None:
        """Let a paused or open destination try again at once. Raises LedgerError.

        `afresh`: a person resumes it, so with the picture, too, and all that waits for it is due.
        """
        count = await self._ledger.all_due_now(name) if afresh else 0
        queue = self.queues.queue(name)
        if afresh:
            queue.only_link = None
        queue.breaker.resume(self._clock.now())
        queue.held_until = 0.0
        queue.pace.forget()
        await self._ledger.save_breaker(name, self.queues.encoded(name))
        self._bus.publish(DestinationChanged(destination=name, state="closed", reason=""))
        if count:
            self._bus.publish(DeliveriesChanged(count=count))
        self._wake()
