"""The log for a screen: what was logged last, and where the files of it are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from itsjustintv_desktop.engine import logs
from itsjustintv_desktop.engine.logs.recent import LogLine

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.engine import Engine


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """`lines`: oldest first, redacted. `folder`: where the log files are; "" where none are written."""

    lines: tuple[LogLine, ...]
    folder: str


def log_page(engine: Engine, after: int) -> LogPage:
    """See Api.log_lines."""
    folder = str(engine.paths.logs) if logs.has_file() else ""
    return LogPage(lines=logs.recent_lines(after), folder=folder)
