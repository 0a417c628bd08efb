"""No command at all: the tray app."""

from __future__ import annotations

import sys

from itsjustintv_desktop.commands.context import AppContext
from itsjustintv_desktop.engine.core.errors import UsageError


def has_screen() -> bool:
    """Whether a window could be opened at all."""
    import os

    if sys.platform in {"win32", "darwin"} or os.environ.get("QT_QPA_PLATFORM") in {"offscreen", "minimal", "vnc"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def start(app: AppContext, *, hidden: bool) -> int:
    """Open tray and window; returns the exit code once a person quits. Raises UsageError where there is no screen."""
    if not has_screen():
        raise UsageError(
            "There is no screen here. `itsjustintv-desktop serve` runs without one; --help lists all commands."
        )
    try:
        from itsjustintv_desktop.app import run
    except ImportError as error:
        raise no_qt(error) from error
    return run(app.paths, hidden=hidden)


def no_qt(error: ImportError) -> UsageError:
    """Qt is there by pip, and on Linux it wants libraries of the system besides."""
    return UsageError(
        f"The window needs something that this machine lacks: {error}. On Debian: apt install libegl1 libgl1 "
        "libxcb-cursor0 libxkbcommon-x11-0. `itsjustintv-desktop serve` runs without a screen."
    )
