"""Tells systemd how the service is: ready, alive, stopping (sd_notify(3), systemd.service(5) WatchdogSec)."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping

import structlog

from itsjustintv_desktop.engine.core.tasks import Tasks

_LEAST_WAIT = 0.05
"""Seconds between two signs of life at least, whatever the manager asks for."""

_log = structlog.get_logger(__name__)


class ServiceManager:
    """The one that started us, by `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`; without them nothing is told."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        name = environ.get("NOTIFY_SOCKET", "") if sys.platform == "linux" else ""
        # An address of the abstract namespace is written with @ for its first byte, which is zero.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self.watchdog = self._seconds(environ) if self._address else None
        """Seconds without a sign of life after which it starts us anew; None = it does not watch."""

    @staticmethod
    def _seconds(environ: Mapping[str, str]) -> float | None:
        meant = environ.get("WATCHDOG_PID", "")
        asked = environ.get("WATCHDOG_USEC", "")
        if not asked.isdecimal() or int(asked) == 0 or (meant and meant != str(os.getpid())):
            return None
        return int(asked) / 1e6

    def tell(self, *states: str) -> None:
        """Send states such as "READY=1". Never waits, never fails: a deaf manager is no reason to stop announcing."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(states).encode(), self._address)
        except OSError as error:
            _log.debug("the service manager could not be told", reason=error.strerror)

    def watch_over(self, tasks: Tasks) -> None:
        """Give signs of life from this loop from now on, if asked to: a loop that stands still gives none."""
        if self.watchdog is not None:
            tasks.start("systemd.watchdog", self._signs(self.watchdog), alone=True)

    async def _signs(self, seconds: float) -> None:
        while True:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(max(seconds / 3, _LEAST_WAIT))
