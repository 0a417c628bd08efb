"""Lines of libraries that strangers cause, on the server's sockets: each kind now and then, and not each time."""

from __future__ import annotations

import logging
import re
from typing import Final

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.log_throttle import LogThrottles

LOGGERS: Final = ("asyncio", "aiohttp.server", "aiohttp.web")
EVERY: Final = 60.0
"""Least seconds between two lines of a kind."""

_CHANGING = re.compile(r"[(<\n].*", re.DOTALL)
"""Where a text begins to be about this one: an object, its address, a traceback."""


class Spared(logging.Filter):
    """For those loggers."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._kinds = LogThrottles(clock, EVERY)

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        left_out = self._kinds.due(f"{_CHANGING.sub('', str(record.msg))} {error}")
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more since the last such line)", None
        return left_out is not None
