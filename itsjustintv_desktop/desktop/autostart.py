"""Starting with the machine, hidden in the tray: one strategy a platform.

All of it reads and writes files or the registry: not for the UI thread.
"""

from __future__ import annotations

import configparser
import os
import plistlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from itsjustintv_desktop.desktop import APP_ID, launching
from itsjustintv_desktop.desktop.registry import APPROVED, RUN, CurrentUser, Registry
from itsjustintv_desktop.engine import errors, files

HIDDEN = "--hidden"
TITLE = "Starting with the computer could not be changed"
_NAME = "itsjustintv"


class Autostart(Protocol):
    """What each platform does. Both raise AppError, which says what to do."""

    def is_on(self) -> bool:
        """Whether the system starts this program when a person logs in, as far as can be read."""
        ...

    def set_on(self, wanted: bool) -> None:
        """Start it at log-in from now on, or stop doing so. Repeating the call changes nothing."""
        ...


def is_on() -> bool:
    """Whether this program starts when a person logs in. Raises AppError."""
    return strategy().is_on()


def set_on(wanted: bool) -> None:
    """Start with the next log-in, in the tray and the way this process was started, or not. Raises AppError."""
    strategy().set_on(wanted)


def strategy() -> Autostart:
    """The one for this system."""
    command = [*launching.command(), HIDDEN]
    if sys.platform == "linux" and (exported := launching.flatpak()) is not None:
        # The person's own folder, not the sandbox's; and the command that the machine sees, not that of the inside.
        environ = {"XDG_CONFIG_HOME": os.environ.get("HOST_XDG_CONFIG_HOME", "")}
        return XdgAutostart([exported, *launching.options(sys.argv[1:]), HIDDEN], environ)
    if sys.platform == "win32":
        return RunKey(command, CurrentUser())
    if sys.platform == "darwin":
        return LaunchAgent(command, Path.home())
    return XdgAutostart(command, os.environ)


class XdgAutostart:
    """A .desktop file in $XDG_CONFIG_HOME/autostart (freedesktop.org, Desktop Application Autostart 0.5)."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        home = environ.get("XDG_CONFIG_HOME", "")
        # The specification wants a relative path ignored.
        folder = Path(home) if Path(home).is_absolute() else Path.home() / ".config"
        self.path = folder / "autostart" / f"{APP_ID}.desktop"
        self._command = list(command)

    def is_on(self) -> bool:
        data = _reading(self.path)
        if data is None:
            return False
        entry = configparser.RawConfigParser(strict=False)
        try:
            entry.read_string(data.decode())
            there = {key: value.strip().lower() for key, value in entry.items("Desktop Entry")}
        except (configparser.Error, UnicodeDecodeError):
            return False
        off = there.get("hidden") == "true" or there.get("x-gnome-autostart-enabled") == "false"
        return "exec" in there and not off  # desktops switch it off by either key

    def set_on(self, wanted: bool) -> None:
        _changing(self.path, self._content().encode() if wanted else None)

    def _content(self) -> str:
        return (
            "[Desktop Entry]\n"
            "Type=Application\n"
            f"Name={_NAME}\n"
            "Comment=Tells the world when a Twitch channel goes live\n"
            "Comment[de]=Sagt der Welt, wenn ein Twitch-Kanal live geht\n"
            # A removed program leaves this file in every home: desktops then pass over it without a word.
            f"TryExec={escaped(self._command[0])}\n"
            f"Exec={exec_line(self._command)}\n"
            f"Icon={APP_ID}\n"
            "Terminal=false\n"
            "StartupNotify=false\n"
            "X-GNOME-Autostart-enabled=true\n"
        )


def escaped(text: str) -> str:
    """A string value of a .desktop file. Spaces at its end would be cut off, so they are escaped too."""
    bare = text.rstrip(" ")
    return bare.replace("\\", "\\\\") + "\\s" * (len(text) - len(bare))


def exec_line(command: Sequence[str]) -> str:
    """The value of `Exec`: each argument quoted, then escaped as a string of a .desktop file. No line breaks."""
    made = []
    for argument in command:
        if any(not letter.isprintable() for letter in argument):
            raise errors.AppError(
                "The path of this program has a control character in it. Rename the folder.", title=TITLE
            )
        quoted = "".join(f"\\{letter}" if letter in '"`$\\' else letter for letter in argument)
        made.append(f'"{quoted}"'.replace("%", "%%").replace("\\", "\\\\"))
    return " ".join(made)


class LaunchAgent:
    """A property list in ~/Library/LaunchAgents, read by launchd at the next log-in (launchd.plist(5))."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self.path = home / "Library" / "LaunchAgents" / f"{APP_ID}.plist"
        self._command = list(command)

    def is_on(self) -> bool:
        data = _reading(self.path)
        if data is None:
            return False
        try:
            found = plistlib.loads(data)
        except (plistlib.InvalidFileException, ValueError):
            return False
        return isinstance(found, dict) and bool(found.get("RunAtLoad")) and not found.get("Disabled")

    def set_on(self, wanted: bool) -> None:
        content = {
            "Label": APP_ID,
            "ProgramArguments": self._command,
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",
        }
        _changing(self.path, plistlib.dumps(content) if wanted else None)


class RunKey:
    """A value of HKCU\\...\\Run. The task manager switches it off in a separate key."""

    def __init__(self, command: Sequence[str], registry: Registry) -> None:
        self._line = subprocess.list2cmdline(command)
        self._registry = registry

    def is_on(self) -> bool:
        try:
            approved = self._registry.get(APPROVED, _NAME)
            # The first byte is even while it is on: 02 or 06, against 03 or 07.
            off = isinstance(approved, bytes) and approved[:1] != b"" and approved[0] % 2 == 1
            return self._registry.get(RUN, _NAME) is not None and not off
        except OSError as error:
            raise _refused("the registry", error) from error

    def set_on(self, wanted: bool) -> None:
        try:
            if wanted:
                self._registry.set(RUN, _NAME, self._line)
            else:
                self._registry.delete(RUN, _NAME)
            self._registry.delete(APPROVED, _NAME)
        except OSError as error:
            raise _refused("the registry", error) from error


def _reading(path: Path) -> bytes | None:
    try:
        return files.read(path, follow=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(str(path), error) from error


def _changing(path: Path, content: bytes | None) -> None:
    """Write it in one step, or take it away."""
    try:
        if content is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(path, content, mode=0o644, durable=False)
    except OSError as error:
        raise _refused(str(path), error) from error


def _refused(what: str, error: OSError) -> errors.AppError:
    why = error.strerror or type(error).__name__
    return errors.AppError(
        f"{what} cannot be used: {why}. Look at its rights and at the disk, then try again.", title=TITLE
    )
