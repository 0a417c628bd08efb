"""A handler that never waits: lines go into a bounded queue, one thread hands them on."""

from __future__ import annotations

import logging
import queue
import threading
from logging.handlers import QueueHandler, QueueListener
from typing import Any

from itsjustintv_desktop.engine.logs import chain

SIZE = 5_000
"""Lines that may wait. A slower disk loses the newest, and how many is said."""

GATHER_SECONDS = 0.05
"""A line waits that long for others. Waking the thread for each of thousands costs all others their turns. An error
waits for nothing: the program may be about to end."""


class Background(QueueHandler):
    """`take_dropped` belongs to whoever writes."""

    def __init__(self, target: logging.Handler, size: int = SIZE) -> None:
        self._lines: queue.Queue[logging.LogRecord | None] = queue.Queue(size)
        super().__init__(self._lines)
        self._target = target
        self._dropped = 0
        self._counting = threading.Lock()
        self._writer = _Writer(self._lines, target)
        self._writer.start()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return chain.settled(record)

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(record)
            if record.levelno >= logging.ERROR:
                self._writer.urgent.set()
        except queue.Full:
            with self._counting:
                self._dropped += 1

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        with self._counting:
            self._dropped += 1

    def take_dropped(self, *, at_the_end: bool = False) -> int:
        """How many lines were lost since this was last asked; not told before there is room for a line that says it."""
        if not at_the_end and self._lines.qsize() > self._lines.maxsize // 2:
            return 0
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def finish(self, seconds: float) -> None:
        """Write what waits, for so long at most, and close. A disk that hangs keeps its thread, which is a daemon."""
        self.close()
        if self._writer.finish(seconds):
            self._target.close()


class _Writer(QueueListener):
    def __init__(self, lines: queue.Queue[logging.LogRecord | None], target: logging.Handler) -> None:
        super().__init__(lines, target)
        self._lines = lines
        self.urgent = threading.Event()

    def dequeue(self, block: bool) -> Any:
        """The next line; None is the end. Nothing is gathered at the end, which somebody waits for."""
        was_empty = self._lines.empty()
        record = self._lines.get(block)
        if was_empty and record is not None:
            self.gather()
        self.urgent.clear()
        return record

    def gather(self) -> None:
        """Let more lines come, unless one is urgent."""
        self.urgent.wait(GATHER_SECONDS)

    def finish(self, seconds: float) -> bool:
        """Whether the thread has ended."""
        thread = self._thread
        if thread is None:
            return True
        self.urgent.set()
        try:
            self._lines.put(None, timeout=seconds)  # the library's own sign for the end
        except queue.Full:
            return False
        thread.join(seconds)
        if thread.is_alive():
            return False
        self._thread = None
        return True
