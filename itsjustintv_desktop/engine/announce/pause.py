"""Announcements held back for a while because a person wants it so; remembered across restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import LedgerError, UsageError
from itsjustintv_desktop.engine.core.events import AnnouncementsPaused, Bus, Signal
from itsjustintv_desktop.engine.core.status import Level, Status
from itsjustintv_desktop.engine.storage.ledger import Ledger

REASON = "paused"
"""Machine-readable reason of what was not announced because of it."""
WHY_PAUSED = (
    "Announcements were paused when it began, or when Twitch told of it. If it shall go out all the same, use "
    '"send anyway".'
)
_META = "announcements_paused"
_PAST = 3 * 86400.0
"""Seconds that a pause is remembered: a stream that began during it may be found long after, for two days at most."""
_MOST_PAST = 500
_LOOK = 30.0
"""Seconds between two looks at the wall clock, which may have been set or gone on while the machine slept."""
_AGAIN = 1.0
_DOUBT = 2.0
"""Seconds. Twitch cuts beginnings to whole seconds, and our clock is compared with its to about half a second."""

_log = structlog.get_logger(__name__)


class PauseView(msgspec.Struct, frozen=True, kw_only=True):
    """Announcements are paused since then (Unix seconds). `until` None = until resumed."""

    since: float
    until: float | None
    sentence: str


def began_under(covers: Callable[[float], bool], at: float) -> bool:
    """Whether a stream of that beginning (Unix seconds by our clock) was under a pause, beyond doubt.

    One that began as announcements were resumed is announced: that is what they were resumed for.
    """
    return covers(at) and covers(at + _DOUBT)


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """As it lies in the ledger. Times are Unix seconds by our clock."""

    since: float | None = None
    """None: not paused."""
    until: float | None = None
    past: tuple[tuple[float, float], ...] = ()
    """Beginning and end of the last pauses, oldest first."""


class Pause:
    """`load` it before anything is announced, and keep `run` running.

    A pause ends when it lasted as long as was asked for, time asleep included: a clock that is set makes none longer
    or shorter.
    """

    def __init__(self, ledger: Ledger, *, bus: Bus, clock: Clock) -> None:
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self.changed: Signal[()] = Signal()
        """A pause began or ended."""
        self._kept = _Kept()
        self._ends = float("inf")
        """When it is over, by the seconds since the machine was started."""
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def active(self) -> bool:
        """Whether nothing is announced now. Exact to the second."""
        return self._kept.since is not None and not self._is_over()

    @property
    def since(self) -> float | None:
        """When it began, Unix seconds; None while announcements are made."""
        return self._kept.since if self.active else None

    @property
    def until(self) -> float | None:
        """When it ends, Unix seconds; None = when resumed, or there is none."""
        return self._kept.until if self.active else None

    @property
    def sentence(self) -> str:
        """For a person; "" while announcements are made."""
        if not self.active:
            return ""
        until = self._kept.until
        end = "until you resume them" if until is None else f"until {_moment(until)}"
        return f"Announcements are paused {end}."

    @property
    def view(self) -> PauseView | None:
        """What to show; None while announcements are made."""
        since = self.since
        return None if since is None else PauseView(since=since, until=self.until, sentence=self.sentence)

    def health(self) -> Status:
        return Status(Level.WAITING, self.sentence, self.since) if self.active else Status()

    def covers(self, at: float) -> bool:
        """Whether they were paused at that moment (Unix seconds by our clock), as far as is remembered."""
        since = self._kept.since
        now = since is not None and since <= at and (self.active or at <= self._over_at())
        # One that ends in the future was written down by a clock that was wrong: it must not hold back what is to come.
        return now or any(begin <= at <= end <= self._clock.now() for begin, end in self._kept.past)

    async def load(self, shift: float = 0.0) -> None:
        """Take up what an earlier run left, before the clock was set by `shift` seconds. Raises LedgerError."""
        text = await self._ledger.meta(_META)
        if text is None:
            return
        try:
            kept = msgspec.json.decode(text, type=_Kept)
        except (msgspec.DecodeError, UnicodeError):
            _log.warning("a kept pause could not be read; announcements are made")
            return
        now = self._clock.now()
        if shift:
            kept = _shifted(kept, shift)
            await self._keep(kept)
        if kept.since is not None and kept.until is not None:
            # A clock that was set back since then must not make it longer than it was meant.
            kept = msgspec.structs.replace(kept, until=min(kept.until, now + max(kept.until - kept.since, 0.0)))
        self._set(kept)
        if self.active:
            _log.info("announcements are still paused", until=kept.until)

    async def begin(self, until: float | None) -> None:
        """Announce nothing until then (Unix seconds), or until resumed. One that runs gets the new end.

        Written before it counts. Raises UsageError for a time that has passed, LedgerError: nothing changed.
        """
        now = self._clock.now()
        if until is not None and not now < until < now + 366 * 86400:
            raise UsageError("A pause must end later than now, and within a year. Choose another time.")
        async with self._turn:
            kept = self._settled()
            await self._keep(_Kept(since=now if kept.since is None else kept.since, until=until, past=kept.past))
        _log.info("announcements are paused", until=until)
        self._tell()

    async def resume(self) -> None:
        """Announce again. Harmless while nothing is paused. Raises LedgerError: nothing changed."""
        if await self._finish():
            self._tell()

    async def shift(self, by: float) -> None:
        """The clock was set by so many seconds: a pause lasts as long as it was meant. Raises LedgerError."""
        async with self._turn:
            if self._kept.since is not None or self._kept.past:
                await self._keep(_shifted(self._kept, by))

    async def run(self) -> None:
        """End each pause at its time, until cancelled."""
        while True:
            self._changed.clear()
            if self._kept.since is not None and self._is_over():
                await self._end()
            else:
                await self._clock.wait(self._changed, self._left())

    async def _end(self) -> None:
        """It is over, whether or not that can be written down now; but it must not come back with the next start."""
        self._tell()
        while self._kept.since is not None and self._is_over():
            try:
                await self._finish(only_if_over=True)
            except LedgerError as error:
                _log.warning("the end of the pause waits for the ledger", reason=error.message)
                await self._clock.sleep(_AGAIN)

    async def _finish(self, *, only_if_over: bool = False) -> bool:
        async with self._turn:
            if self._kept.since is None:
                return False
            if only_if_over and not self._is_over():
                return False  # it got another end, or a new one began, while this waited for its turn
            await self._keep(_ended(self._kept, min(self._clock.now(), self._over_at())))
        _log.info("announcements are made again")
        return True

    def _is_over(self) -> bool:
        until = self._kept.until
        return until is not None and self._clock.boottime() >= self._ends

    def _over_at(self) -> float:
        """Unix seconds; infinity while its end is not known."""
        now, until = self._clock.now(), self._kept.until
        return float("inf") if until is None else now + self._ends - self._clock.boottime()

    def _left(self) -> float:
        if self._kept.since is None:
            return 3600.0
        return min(max(self._over_at() - self._clock.now(), 0.01), _LOOK)

    def _settled(self) -> _Kept:
        """What is kept, without a pause that is over."""
        over = self._kept.since is not None and self._is_over()
        return _ended(self._kept, self._over_at()) if over else self._kept

    async def _keep(self, kept: _Kept) -> None:
        await self._ledger.set_meta(_META, msgspec.json.encode(kept).decode())
        self._set(kept)

    def _set(self, kept: _Kept) -> None:
        self._kept = kept
        left = float("inf") if kept.until is None else kept.until - self._clock.now()
        self._ends = self._clock.boottime() + left
        self._changed.set()

    def _tell(self) -> None:
        self._bus.publish(AnnouncementsPaused(until=self.until, paused=self.active))
        self.changed.emit()


def _shifted(kept: _Kept, by: float) -> _Kept:
    return _Kept(
        since=None if kept.since is None else kept.since + by,
        until=None if kept.until is None else kept.until + by,
        past=tuple((begin + by, end + by) for begin, end in kept.past),
    )


def _ended(kept: _Kept, at: float) -> _Kept:
    assert kept.since is not None
    past = (*kept.past, (kept.since, max(at, kept.since)))
    return _Kept(past=tuple(one for one in past if one[1] > at - _PAST)[-_MOST_PAST:])


def _moment(at: float) -> str:
    """In local time."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")
