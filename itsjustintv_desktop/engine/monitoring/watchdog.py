"""The watchdog: a worker that stopped while all looks well is the worst fault of all."""

from __future__ import annotations

import asyncio
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import structlog

from itsjustintv_desktop.engine.config.active import ConfigHolder
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError
from itsjustintv_desktop.engine.core.events import Bus, Signal
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.core.tasks import Supervisor
from itsjustintv_desktop.engine.delivery.destination_queues import TOTAL
from itsjustintv_desktop.engine.delivery.dispatcher import Dispatcher
from itsjustintv_desktop.engine.storage.ledger import Ledger

_log = structlog.get_logger(__name__)

FULL = 50_000_000
"""Bytes. With less, an event may not fit any more at the next moment."""
NARROW = 500_000_000
MEGABYTE = 1_000_000
DISK_EVERY = 60.0
"""Seconds between two looks."""


class DiskWatch:
    """Looks in a thread of its own, since a disk that hangs hangs that as well; never two at a time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._look_at = float("-inf")
        self._looking: asyncio.Future[int | None] | None = None
        self.free: int | None = None
        """Bytes, as last seen; None = not known."""

    def look(self) -> None:
        """Take in the last look, and begin another where it is time. Does not wait."""
        if self._looking is not None:
            if not self._looking.done():
                return
            self.free = self._looking.result()
            self._looking = None
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + DISK_EVERY
            self._looking = asyncio.get_running_loop().run_in_executor(None, free, self.folder)

    async def measure(self, seconds: float) -> int | None:
        """Look now; None if the disk does not say within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                self.free = await asyncio.to_thread(free, self.folder)
        except TimeoutError:
            self.free = None
        return self.free

    def health(self) -> Status:
        if self.free is None or self.free >= NARROW:
            return Status()
        left = f"{self.free // MEGABYTE:,} MB"
        if self.free < FULL:
            return Status(Level.FAILING, f"Only {left} are left for {self.folder}: free some space.")
        return Status(Level.WAITING, f"Only {left} are left for {self.folder}.")


def free(folder: Path) -> int | None:
    """Bytes left on its disk, None if it does not say. Blocks."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


LOOP_EVERY = 2.0
"""Seconds between two calls to the loop."""
LOOP_STUCK_SECONDS = 5.0
"""A loop that takes longer to answer stands still: Twitch waits twice as long at most."""
_GRACE = 1.0
"""Seconds to answer after all: if the whole process was stopped, as in a sleep, the loop needs a moment too."""
REMEMBERED = 3600.0
"""Seconds for which health speaks of it."""
_FRAMES = 12


class LoopWatch:
    """Watches the event loop from a thread: while the loop stands still nothing on it can say so.

    `start` and `stop` on the loop. `on_stood_still` is called there with the seconds, when it goes on.

    """

    def __init__(
        self,
        clock: Clock,
        on_stood_still: Callable[[float], None],
        *,
        every: float = LOOP_EVERY,
        stuck: float = LOOP_STUCK_SECONDS,
        grace: float = _GRACE,
    ) -> None:
        self._clock = clock
        self._on_stood_still = on_stood_still
        self._every, self._stuck, self._grace = every, stuck, grace
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._stood_still: tuple[float, float] | None = None

    def start(self) -> None:
        self._ended.clear()
        arguments = (asyncio.get_running_loop(), threading.get_ident())
        self._thread = threading.Thread(target=self._watch, args=arguments, name="loop.watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The thread ends at its next move; nobody has to wait for it."""
        self._ended.set()

    def health(self) -> Status:
        return Status(reason=self.lately or "")

    @property
    def lately(self) -> str | None:
        """That it stood still within the last hour, as a sentence."""
        if self._stood_still is None:
            return None
        seconds, at = self._stood_still
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
        return f"It stood still for {seconds:.0f} s until {when}." if 0 <= self._clock.now() - at < REMEMBERED else None

    # From here on: the thread.

    def _watch(self, loop: asyncio.AbstractEventLoop, thread_id: int) -> None:
        while not self._ended.wait(self._every):
            answered = threading.Event()
            asked = time.monotonic()
            try:
                loop.call_soon_threadsafe(self._answer, answered)
                if answered.wait(self._stuck) or answered.wait(self._grace):
                    continue
                _log.error("the event loop stands still", stack=_stack(thread_id))
                while not answered.wait(self._every):
                    if self._ended.is_set():
                        return
                loop.call_soon_threadsafe(self._back, time.monotonic() - asked)
            except RuntimeError:
                return  # the loop is closed

    # And these on the loop again.

    def _answer(self, answered: threading.Event) -> None:
        answered.set()

    def _back(self, seconds: float) -> None:
        self._stood_still = seconds, self._clock.now()
        self._on_stood_still(seconds)


def _stack(thread_id: int) -> str:
    """Where it is, the innermost frame last: names and line numbers, and never a value."""
    frame = sys._current_frames().get(thread_id)  # noqa: SLF001 - there is no other way, and it is documented
    if frame is None:
        return ""
    found = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=_FRAMES, lookup_lines=False)
    return " > ".join(f"{_short(each.filename)}:{each.lineno} {each.name}" for each in reversed(found))


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").rsplit("/", 2)[-2:])


STUCK_SECONDS = 120.0
"""What nothing holds back, and nobody touched for this long, stands still."""
GRANTED = 60.0
"""Seconds that a POST may take within that; the rest is for what an attempt does beside it."""
LONGEST_LOOK = 30.0
"""Seconds that one look may add to an age: a machine that slept did not stand still."""
SENDING = "@sending"
"""Stands for deliveries that are `sending` in the ledger while no attempt is made; no destination is named so."""


class QueueWatch:
    """Whether what is due is worked on. Ages are counted by the monotonic clock, look by look: no jump makes an alarm.

    `look` every few seconds; `overdue` then says which destinations stand still, `unworked` whether events do."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        *,
        config: ConfigHolder,
        clock: Clock,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        """While `paused`, nothing has to be sent."""
        self._ledger, self._dispatcher, self._clock = ledger, dispatcher, clock
        self._config, self._paused = config, paused
        self._looked = clock.monotonic()
        self._moves: dict[str, int] = {}
        self._ages: dict[str, float] = {}
        self._event: int | None = None
        self._event_age = 0.0

    @property
    def overdue(self) -> dict[str, float]:
        """Destinations (or SENDING) that nothing is sent to though it could be, and for how many seconds so far."""
        limit = self._patience()
        return {name: age for name, age in self._ages.items() if age >= limit}

    @property
    def unworked(self) -> float | None:
        """Seconds for which the oldest unfinished event is the same one, when that is too long."""
        return self._event_age if self._event_age >= STUCK_SECONDS else None

    async def look(self) -> None:
        """Raises LedgerError: nothing is known then, and no age counts on."""
        now = self._clock.monotonic()
        passed, self._looked = min(now - self._looked, LONGEST_LOOK), now
        pulse = await self._ledger.progress()
        free = {name for name, due in pulse.due.items() if due <= self._clock.now() and self._is_free(name)}
        if pulse.sending and not self._dispatcher.under_way:
            free.add(SENDING)
        moves = {name: self._moves_of(name) for name in free}
        self._ages = {
            name: self._ages.get(name, 0.0) + passed if self._moves.get(name) == moves[name] else 0.0 for name in free
        }
        self._moves = moves
        same = pulse.unfinished is not None and pulse.unfinished == self._event
        self._event, self._event_age = pulse.unfinished, self._event_age + passed if same else 0.0

    def forget(self) -> None:
        """The ledger fails, so nothing can be worked on, and that is told elsewhere."""
        self._looked = self._clock.monotonic()
        self._ages, self._moves, self._event, self._event_age = {}, {}, None, 0.0

    def _is_free(self, name: str) -> bool:
        """Whether nothing speaks against sending there. What waits for a removed destination is to be buried."""
        if self._paused():
            return False
        destination = self._config.current.destinations.get(name)
        if destination is None:
            return True
        now, queue = self._clock.now(), self._dispatcher.queues.queue(name)
        return destination.enabled and queue.held_until <= now and queue.breaker.name(now) in {"closed", "half-open"}

    def _patience(self) -> float:
        """Seconds without a move that are too many: a receiver that hangs may take as long as its config grants it."""
        longest = max((each.timeout for each in self._config.current.destinations.values()), default=0.0)
        return STUCK_SECONDS + max(0.0, longest - GRANTED)

    def _moves_of(self, name: str) -> int:
        """A number that changes while it gets on: its own attempts, or those of all where it waits for its turn."""
        queues = self._dispatcher.queues
        if name == SENDING:
            return 0
        crowded = queues.in_flight >= TOTAL or (queues.queue(name).failing and queues.failing()[1] <= 0)
        return queues.turns if crowded else queues.queue(name).turns


EVERY = 10.0
"""Seconds between two looks."""
LOOK_SECONDS = 5.0
RESTART_EVERY = 300.0
"""Seconds between two restarts of a loop that stands still."""
DISPENSABLE = frozenset({"telemetry", "twitch.trickle", "files"})
"""Loops that announcing does not need: no reason for anybody to start the program anew."""


class Watchdog:
    """The loop that looks after the others, and what it does when one stands still."""

    def __init__(
        self,
        queue: QueueWatch,
        disk: DiskWatch,
        ledger: Ledger,
        supervisor: Supervisor,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self.queue = queue
        self.disk = disk
        self.loop = LoopWatch(clock, self._stood_still)
        self._ledger = ledger
        self._supervisor = supervisor
        self.stands_still: Signal[()] = Signal()
        """The loops that should work are to look at once."""
        self._bus = bus
        self._clock = clock
        self._restart_at: dict[str, float] = {}
        self._hung = False

    @property
    def stuck(self) -> bool:
        """Whether work that could be done is not done."""
        return bool(self.queue.overdue) or self.queue.unworked is not None

    def is_well(self) -> bool:
        """Whether a message from Twitch could be kept and worked on now."""
        broken = self._supervisor.broken.keys() - DISPENSABLE
        return self._ledger.alive and self._ledger.failure is None and not broken and not self.stuck

    async def run(self) -> None:
        """Until cancelled. Can be started again."""
        self.loop.start()
        try:
            while True:
                await self.look()
                await self._clock.sleep(EVERY)
        finally:
            self.loop.stop()

    async def look(self) -> None:
        """One look at everything."""
        self.disk.look()
        self._look_at_ledger()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self.queue.look()
        except (LedgerError, TimeoutError):
            self.queue.forget()
        self._mend("delivery.dispatcher", self.deliveries())
        self._mend("announce.pipeline", self.announce())

    def announce_health(self) -> Status:
        """Whether events are worked on, and can be."""
        return self._unless_ledger(self.announce())

    def delivery_health(self) -> Status:
        """Whether all that is due is being sent, and can be."""
        return self._unless_ledger(self.deliveries())

    def deliveries(self) -> Status | None:
        """None while all that is due is being sent."""
        overdue = self.queue.overdue
        if not overdue:
            return None
        minutes = f"{max(overdue.values()) / 60:.0f} minutes"
        names = sorted(overdue.keys() - {SENDING})
        if not names:
            return Status(Level.FAILING, f"For {minutes} deliveries have been taken up and not sent.{_AGAIN}")
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        where = f"{', '.join(names[:3])}{more}"
        text = f"For {minutes} deliveries to {where} have been due and not sent, though nothing holds them back."
        return Status(Level.FAILING, text + _AGAIN)

    def announce(self) -> Status | None:
        """None while events are worked on."""
        seconds = self.queue.unworked
        if seconds is None:
            return None
        return Status(Level.FAILING, f"For {seconds / 60:.0f} minutes an event has not been worked on.{_AGAIN}")

    def _unless_ledger(self, trouble: Status | None) -> Status:
        """Nothing is worked on while the ledger fails, so its own trouble comes first."""
        ledger = self._ledger.health()
        return trouble or Status() if ledger.level is Level.OK else ledger

    def _mend(self, loop: str, trouble: Status | None) -> None:
        """Wake it first; if it has not moved by the next look, start it again."""
        now = self._clock.monotonic()
        if trouble is None:
            self._restart_at.pop(loop, None)
        elif loop not in self._restart_at:
            self._restart_at[loop] = now
            _log.error("work stands still", loop=loop, reason=trouble.reason)
            self._bus.notice(trouble.reason)
            self.stands_still.emit()
        elif now >= self._restart_at[loop]:
            self._restart_at[loop] = now + RESTART_EVERY
            self._supervisor.restart(loop)

    def _look_at_ledger(self) -> None:
        hanging = self._ledger.hanging
        if hanging is not None and not self._hung:
            _log.error("the ledger does not answer: the disk hangs", seconds=round(hanging))
            self._bus.notice("The disk hangs: a write is not finished. Twitch is told to send again later.")
        elif hanging is None and self._hung:
            _log.info("the ledger answers again")
        self._hung = hanging is not None

    def _stood_still(self, seconds: float) -> None:
        _log.warning("the event loop goes on", stood_still=round(seconds, 1))
        self._bus.notice(f"The program stood still for {seconds:.0f} s, and goes on now.")


_AGAIN = " What should do it is started again."
