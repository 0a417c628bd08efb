"""Logs: lines for people on stderr, and JSON in logs/ of the data directory (docs/logs.md).

Everything takes one way, what libraries say included: structlog's processors, where secrets are hidden, then the
handlers of `logging`. There is one set of logs a process.
"""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TextIO

import structlog

from itsjustintv_desktop.engine.core.clock import SystemClock
from itsjustintv_desktop.engine.core.errors import AppError
from itsjustintv_desktop.engine.core.log_throttle import LogThrottles
from itsjustintv_desktop.engine.logs import chain
from itsjustintv_desktop.engine.logs.spared import EVERY, LOGGERS, Spared

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.logs.background import Background
    from itsjustintv_desktop.engine.logs.recent import LogLine, Recent

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")

FLUSH_SECONDS = 5.0
"""How long a slow disk may hold up the end of the program."""

_OURS = "itsjustintv_desktop"
_console: logging.Handler | None = None
_file: Background | None = None
_recent: Recent | None = None
_debug = False


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send this program's logs, and warnings of libraries, to `stream` (default stderr)."""
    global _console
    if _console is not None:
        logging.getLogger().removeHandler(_console)
    _console = chain.Console(stream or sys.stderr)
    _console.setLevel(level.upper())
    logging.getLogger().addHandler(_console)
    # Nothing of it is in a line, and it is a third of what a record costs (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    vars(logging).update(_srcfile=None, logAsyncioTasks=False)
    _spare()
    _apply()


def open_file(folder: Path) -> None:
    """From now on also write JSON lines into `folder`, from info on (debug where the console shows it).

    Never raises and never waits for the disk: a folder that cannot be written is said on the console, and tried again
    with every line. Only under the instance lock: two programs must not write one log.
    """
    from itsjustintv_desktop.engine.logs.background import Background  # commands write no file
    from itsjustintv_desktop.engine.logs.file import LogFile

    global _file
    close_file()
    target = LogFile(folder)
    _file = Background(target)
    target.take_dropped = _file.take_dropped
    _file.setLevel(min(logging.INFO, _console.level) if _console is not None else logging.INFO)
    logging.getLogger().addHandler(_file)
    _apply()


def close_file() -> None:
    """Write what is still to be written (5 s at most) and close the file. Blocks; harmless without one."""
    global _file
    if _file is not None:
        handler, _file = _file, None
        logging.getLogger().removeHandler(handler)
        _apply()
        handler.finish(FLUSH_SECONDS)
        if dropped := handler.take_dropped(at_the_end=True):
            structlog.get_logger(_OURS).warning("not every line came into the log file", lines_lost=dropped)


def has_file() -> bool:
    """Whether a log file is written."""
    return _file is not None


def keep_recent() -> None:
    """From now on keep the last lines in memory, from info on, for `recent_lines`. For a program with a screen."""
    from itsjustintv_desktop.engine.logs.recent import Recent

    global _recent
    if _recent is None:
        _recent = Recent()
        logging.getLogger().addHandler(_recent)
        _apply()


def recent_lines(after: int = 0) -> tuple[LogLine, ...]:
    """The lines kept since the one of that number, oldest first; none without `keep_recent`."""
    return () if _recent is None else _recent.after(after)


def reset() -> None:
    """Back to how things were before `configure`: for tests."""
    global _console, _recent
    close_file()
    if _recent is not None:
        logging.getLogger().removeHandler(_recent)
        _recent = None
    if _console is not None:
        logging.getLogger().removeHandler(_console)
        _console = None
    _spare(no_more=True)
    logging.getLogger(_OURS).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def tells_debug() -> bool:
    """Whether debug lines go anywhere: cheaper than making one, for where every message passes."""
    return _debug


def tell_failed_start(error: BaseException) -> None:
    """Into the file alone: whoever started us at login may not have seen what the command itself tells."""
    if _file is None or not isinstance(error, Exception):
        return
    known = isinstance(error, AppError)
    why = f": {error.message}" if isinstance(error, AppError) else ""
    trace = None if known else (type(error), error, error.__traceback__)
    record = logging.LogRecord(f"{_OURS}.engine", logging.ERROR, "", 0, f"the program cannot start{why}", None, trace)
    _file.handle(record)


def catch_the_uncaught() -> None:
    """What nobody caught is told like everything else: redacted, and in the file."""

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        structlog.get_logger(_OURS).critical("the program broke", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else ""
        error = args.exc_value or args.exc_type()
        structlog.get_logger(_OURS).error("a thread broke", thread=name, exc_info=error)

    unheard = LogThrottles(SystemClock(), EVERY)  # a certificate asked for by a name in odd bytes is one, for example

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        left_out = unheard.due(args.exc_type.__name__)
        if left_out is not None:
            more = {"more_since_last": left_out} if left_out else {}
            structlog.get_logger(_OURS).error("an error nobody could be told of", exc_info=args.exc_value, **more)

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
    logging.captureWarnings(True)


def _spare(*, no_more: bool = False) -> None:
    spared = Spared(SystemClock())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for each in [each for each in logger.filters if isinstance(each, Spared)]:
            logger.removeFilter(each)
        if not no_more:
            logger.addFilter(spared)


def _apply() -> None:
    """What no handler wants is not even made."""
    global _debug
    handlers = [each for each in (_console, _file, _recent) if each is not None]
    number = min((each.level for each in handlers), default=logging.WARNING)
    _debug = number <= logging.DEBUG
    logging.getLogger(_OURS).setLevel(number)
    logging.getLogger().setLevel(logging.WARNING)
    structlog.configure(
        processors=chain.OURS,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=chain.logger,
        cache_logger_on_first_use=False,
    )


__all__ = [
    "LEVELS",
    "Level",
    "catch_the_uncaught",
    "close_file",
    "configure",
    "has_file",
    "keep_recent",
    "open_file",
    "recent_lines",
    "reset",
    "tell_failed_start",
    "tells_debug",
]
