"""Watches the event loop from outside, from a thread: while it stands still nothing on it can say so."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable

import structlog

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.status import Status

EVERY = 2.0
"""Seconds between two calls to the loop."""
STUCK_SECONDS = 5.0
"""A loop that takes longer to answer stands still: Twitch waits twice as long at most."""
_GRACE = 1.0
"""Seconds to answer after all: if the whole process was stopped, as in a sleep, the loop needs a moment too."""
REMEMBERED = 3600.0
"""Seconds for which health speaks of it."""
_FRAMES = 12

_log = structlog.get_logger(__name__)


class LoopWatch:
    """`start` and `stop` on the loop. `on_stood_still` is called there with the seconds, when it goes on.

    `on_answer` is called there with each answer: whoever has to tell a supervisor of processes that all is well does
    it from there.
    """

    def __init__(
        self,
        clock: Clock,
        on_stood_still: Callable[[float], None],
        *,
        on_answer: Callable[[], None] = lambda: None,
        every: float = EVERY,
        stuck: float = STUCK_SECONDS,
        grace: float = _GRACE,
    ) -> None:
        self._clock = clock
        self._on_stood_still = on_stood_still
        self._on_answer = on_answer
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

    def part(self, now: float) -> Status:
        """For health."""
        lately = self.lately(now)
        return Status() if lately is None else Status(reason=lately)

    def lately(self, now: float) -> str | None:
        """That it stood still within the last hour, as a sentence. `now`: Unix seconds."""
        if self._stood_still is None:
            return None
        seconds, at = self._stood_still
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
        return f"It stood still for {seconds:.0f} s until {when}." if 0 <= now - at < REMEMBERED else None

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
        self._on_answer()

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
