"""How the program is: the doctor's report and the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.api.channels import Channels
from itsjustintv_desktop.engine.ingress.manager import IngressManager
from itsjustintv_desktop.engine.logs.recent import LogLine
from itsjustintv_desktop.engine.monitoring.doctor import Report
from itsjustintv_desktop.engine.monitoring.doctor.doctor import Doctor


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """`lines`: oldest first, redacted. `folder`: where the log files are; "" where none are written."""

    lines: tuple[LogLine, ...]
    folder: str


class Diagnostics:
    """Over an engine, listening or not."""

    def __init__(
        self,
        doctor: Doctor,
        channels: Channels,
        ingress: IngressManager,
        address: Callable[[], tuple[str, int] | None],
        logs_folder: Path,
    ) -> None:
        """`address` is that of the public server, once it listens."""
        self._doctor = doctor
        self._channels = channels
        self._ingress = ingress
        self._address = address
        self._folder = logs_folder

    async def doctor(self, streamer: str | None = None, local: bool = False, recent: bool = False) -> Report:
        """Every check, for all streamers or for one (a login or key). `local` asks nothing outside of this process;
        `recent` asks there only for what was not heard lately. Raises NotFoundError for an unknown streamer."""
        if local:
            return await self._doctor.local(self._address(), secure=self._ingress.way.context is not None)
        asked = None if streamer is None else self._channels.streamer(streamer)
        return await self._doctor.report(asked, recent=recent)

    async def log(self, after: int = 0) -> LogPage:
        """The last lines of the log, at most 2,000: those since the line of that number. Redacted."""
        folder = str(self._folder) if logs.has_file() else ""
        return LogPage(lines=logs.recent_lines(after), folder=folder)
