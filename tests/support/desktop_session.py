"""A desktop to use the program on: an X server, a window manager, a tray, a keyring, all real; mouse and keyboard.

with desktop_session(folder) as desktop:
    program = desktop.program(paths, environ)
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from itsjustintv_desktop.engine.core.paths import Paths
from tests.keyring_session import keyring_session, require_program
from tests.support import xfce
from tests.support.commands import clean_environ
from tests.support.process import MODULE, ROOT, arguments

SIZE = (1280, 860)
DEADLINE = 20.0
PACKAGES = {
    "Xvfb": "xvfb", "openbox": "openbox", "trayer": "trayer", "xdotool": "xdotool", "xwininfo": "x11-utils",
    "import": "imagemagick",
}  # fmt: skip
_PLACE = re.compile(r"(\d+)x(\d+)\+-?\d+\+-?\d+ +\+(\d+)\+(\d+)")
"""Width, height, x and y of a window in xwininfo's tree."""
Theme = Literal["dark", "light"]
TRAYER = ("trayer", "--edge", "bottom", "--align", "right", "--widthtype", "request", "--height", "32")


@dataclass(frozen=True, slots=True)
class Seen:
    """A widget on the screen: its class, what a screen reader says, its middle and size in pixels."""

    kind: str
    name: str
    x: int
    y: int
    width: int
    height: int
    focused: bool
    enabled: bool


def wait(condition: Callable[[], object], what: str, timeout: float = DEADLINE) -> object:
    """Until it gives something true, which is returned. For threads: the asyncio loop is not turned."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {timeout:g} s: {what}"
        time.sleep(0.02)
    return found


class DesktopSession:
    """What is on it is looked at with X's own tools, and touched with mouse and keyboard only."""

    def __init__(self, folder: Path, environ: Mapping[str, str], display: str) -> None:
        self.folder = folder
        self.environ = {**clean_environ(), **environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "LANG": "C.UTF-8"}
        self.environ.pop("PYTHON_KEYRING_BACKEND", None)
        self.bus = xfce.Bus(self.environ["DBUS_SESSION_BUS_ADDRESS"])
        self._pictures = 0

    def run(self, *command: str) -> str:
        """What an X tool says; "" if it found nothing."""
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=DEADLINE, check=False)
        return done.stdout

    def key(self, *keys: str) -> None:
        """Press keys one after the other, such as "ctrl+2" or "Tab"."""
        self.run("xdotool", "key", "--delay", "40", *keys)

    def type(self, text: str) -> None:
        """Letters, one after the other."""
        self.run("xdotool", "type", "--delay", "15", text)

    def click(self, at: Seen, *, button: int = 1) -> None:
        self.run("xdotool", "mousemove", "--sync", str(at.x), str(at.y), "click", str(button))

    def windows(self, title: str = "itsjustintv") -> list[str]:
        """Ids of visible windows with exactly that title."""
        return self.run("xdotool", "search", "--onlyvisible", "--name", f"^{title}$").split()

    def active_window(self) -> str:
        return self.run("xdotool", "getactivewindow").strip()

    def geometry(self, window: str) -> tuple[int, ...]:
        """x, y, width, height of a window's inside."""
        lines = self.run("xwininfo", "-id", window).splitlines()
        keys = ("Absolute upper-left X:", "Absolute upper-left Y:", "Width:", "Height:")
        return tuple(int(next(line for line in lines if key in line).rpartition(":")[2]) for key in keys)

    def tray_icon(self) -> Seen | None:
        """The icon that the panel shows for the program."""
        inside = 0
        for line in self.run("xwininfo", "-root", "-tree").splitlines():
            depth = len(line) - len(line.lstrip())
            if '("panel" "trayer")' in line:
                inside = depth
            elif inside and line.strip() and depth <= inside:
                return None
            elif inside and '"itsjustintv"' in line and (found := _PLACE.search(line)):
                width, height, x, y = map(int, found.groups())
                middle = (x + width // 2, y + height // 2)
                return Seen("tray icon", "itsjustintv", *middle, width, height, focused=False, enabled=True)
        return None

    def box_of(self, program: str) -> tuple[int, int, int, int] | None:
        """x, y, width and height of the largest visible window of a program, None for none."""
        found = [
            self.geometry(each) for each in self.run("xdotool", "search", "--onlyvisible", "--class", program).split()
        ]
        x, y, width, height = max(found, key=lambda box: box[2] * box[3], default=(0, 0, 0, 0))
        return (x, y, width, height) if width > 1 and height > 1 else None

    def picture(self, name: str) -> Path:
        """Keep how the whole screen looks now."""
        self._pictures += 1
        path = self.folder / f"{self._pictures:02}-{name}.png"
        self.run("import", "-silent", "-window", "root", str(path))
        return path


class DesktopProgram:
    """One run of the program on the desktop. With `probed` one can ask what is on its windows."""

    def __init__(self, desktop: DesktopSession, paths: Paths, environ: Mapping[str, str], *, probed: bool) -> None:
        self._desktop = desktop
        self.log = desktop.folder / "program.log"
        self._socket = desktop.folder.parent / f"eye-{time.monotonic_ns()}"
        program = ("-m", "tests.support.probed", str(self._socket)) if probed else MODULE
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program, *arguments(paths)], cwd=ROOT, env={**desktop.environ, **environ},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def looks(self) -> list[Seen]:
        """All that is visible now."""
        with socket.socket(socket.AF_UNIX) as eye:
            eye.settimeout(DEADLINE)
            wait(lambda: eye.connect_ex(str(self._socket)) == 0, "the program's eye is open")
            data = b""
            while piece := eye.recv(65536):
                data += piece
        return [Seen(**each) for each in json.loads(data)]

    def find(self, name: str, *, kind: str = "") -> Seen | None:
        """The first visible widget of that name (and class)."""
        return next((one for one in self.looks() if one.name == name and (not kind or one.kind == kind)), None)

    def see(self, name: str, *, kind: str = "", timeout: float = DEADLINE) -> Seen:
        """Wait for it."""
        found = wait(lambda: self.find(name, kind=kind), f"{name!r} is on the screen", timeout)
        assert isinstance(found, Seen)
        return found

    def read(self, part: str, timeout: float = DEADLINE) -> str:
        """Wait until a text with `part` in it is visible; the whole text."""
        found = wait(
            lambda: next((one.name for one in self.looks() if part in one.name), ""), f"{part!r} can be read", timeout
        )
        return str(found)

    def tab_to(self, name: str) -> None:
        """Press Tab until what has that name has the focus."""
        for _ in range(80):
            if any(one.focused and one.name == name for one in self.looks()):
                return
            self._desktop.key("Tab")
        raise AssertionError(f"Tab never came to {name!r}")

    def ended(self, timeout: float = 30.0) -> int:
        return self.process.wait(timeout)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)


@contextmanager
def desktop_session(folder: Path, *, xfce_in: Theme | None = None) -> Iterator[DesktopSession]:
    """Everything is started, and ended again. The test is skipped where a program is missing.

    The tray takes in windows (XEmbed). With `xfce_in` it is Xfce's panel instead, a StatusNotifier host, and
    notifications are shown by Xfce, all of it in that theme.
    """
    if sys.platform != "linux":
        import pytest

        pytest.skip("X is a Linux desktop's")
    for name, package in PACKAGES.items():
        require_program(name, package)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        keyring = stack.enter_context(keyring_session())
        display = x_server(stack, folder)
        desktop = DesktopSession(folder, keyring.environment, display)
        _spawn(stack, ["openbox"], folder, desktop.environ)
        wait(lambda: "_NET_SUPPORTING_WM_CHECK" in desktop.run("xprop", "-root"), "the window manager is there")
        if xfce_in is not None:
            parts, more = xfce.commands(xfce_in, Path(desktop.environ["XDG_CONFIG_HOME"]))
            desktop.environ.update(more)
            for part in parts:
                _spawn(stack, part, folder, desktop.environ)
            wait(lambda: desktop.bus.is_ready, "the panel and notifications are there")
        else:
            _spawn(stack, list(TRAYER), folder, desktop.environ)
            wait(lambda: '("panel" "trayer")' in desktop.run("xwininfo", "-root", "-tree"), "the panel is there")
        yield desktop


def x_server(stack: ExitStack, folder: Path) -> str:
    reading, writing = os.pipe()
    screen = f"{SIZE[0]}x{SIZE[1]}x24"
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
    _spawn(stack, command, folder, dict(os.environ), pass_fds=(writing,))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    assert number, "the X server did not start"
    return f":{number}"


def _spawn(
    stack: ExitStack, command: list[str], folder: Path, environ: Mapping[str, str], *, pass_fds: tuple[int, ...] = ()
) -> None:
    found = shutil.which(command[0])
    assert found is not None
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(
            [found, *command[1:]],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=pass_fds,
        )
    stack.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(DEADLINE)
