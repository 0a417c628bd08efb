"""The desktop as a person uses it: X server, window manager, tray and keyring are real, so are mouse and keyboard.

Pictures of the screen at every step lie in the test's folder (`screen/`).
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "PySide6.QtGui", reason="Qt's libraries are not on this machine (make system-deps)", exc_type=ImportError
)

from filelock import FileLock, Timeout
from PySide6.QtGui import QColor, QImage

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.models import DeliveryState
from itsjustintv_desktop.engine.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.ui.pages import ENTRIES
from tests.support.commands import beside
from tests.support.desktop_session import DesktopProgram, DesktopSession, Seen, desktop_session
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

CONFIG = """
[server]
port = 0
[twitch]
transport = "conduit"
client_secret = "simulated-client-secret"
restart_window = "0s"
[retry]
initial_delay = "20m"
[destinations.main]
url = "RECEIVER/main"
secret = "SIGNED-WITH"
[streamers.alice]
login = "alice"
destinations = ["main"]
[streamers.bob]
login = "bob"
destinations = ["main"]
"""
SECRET = "a-secret-of-this-evening"
LIVE, PAUSED, WELL = "#ff4656", "#a4adc0", "#7c8cff"
"""Colours of the tray icon (ui/shell/trayicons.py)."""


class Scene:
    """A person in front of the desktop. What blocks runs in a thread: the simulator lives on this loop."""

    def __init__(self, desktop: DesktopSession, simulator: Simulator, paths: Paths) -> None:
        self.desktop = desktop
        self.simulator = simulator
        self.paths = paths
        self.environ = {
            name: value for name, value in simulator.environment().items() if not name.endswith("CLIENT_SECRET")
        }
        self._stack = ExitStack()

    async def do(self, work: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return await asyncio.to_thread(work, *arguments, **more)

    def start(self, *, probed: bool = True) -> DesktopProgram:
        program = DesktopProgram(self.desktop, self.paths, self.environ, probed=probed)
        self._stack.callback(program.close)
        return program

    async def tray(self, colour: str = "") -> Seen:
        """Wait for the icon, in that colour."""
        icon = await until(lambda: self.do(self.desktop.tray_icon), timeout=20, what="the icon is in the tray")
        if colour:
            await until(lambda: self.do(self._shows, icon, colour), timeout=20, what=f"the icon is {colour}")
        assert isinstance(icon, Seen)
        return icon

    def _shows(self, icon: Seen, colour: str) -> bool:
        image = QImage(str(self.desktop.picture("tray")))
        wanted = QColor(colour).rgb()
        xs, ys = range(icon.x - icon.width // 2, icon.x + icon.width // 2), range(icon.y - 12, icon.y + 12)
        return sum(image.pixel(x, y) == wanted for x in xs for y in ys) >= 8

    async def windows(self, count: int) -> list[str]:
        """Wait until that many windows of the program are to be seen; their ids."""
        await until(lambda: self._count(count), timeout=20, what=f"{count} windows")
        found: list[str] = await self.do(self.desktop.windows)
        return found

    async def _count(self, count: int) -> bool:
        return len(await self.do(self.desktop.windows)) == count

    async def ask(self, what: Callable[[ControlClient], Any]) -> Any:
        """Ask the running engine over the control port, as a command would."""
        found = await until(lambda: address.read(self.paths.control))
        async with ControlClient(found) as client:
            return await what(client)

    async def states(self) -> list[DeliveryState]:
        return [each.state for each in await self.ask(lambda client: client.deliveries())]

    async def subscribed(self) -> None:
        def enabled() -> bool:
            held = list(self.simulator.eventsub.subscriptions)
            return len(held) == 4 and all(each.status == "enabled" for each in held)

        await until(enabled, timeout=20, what="Twitch would tell us")

    async def picture(self, name: str) -> None:
        await self.do(self.desktop.picture, name)

    def nothing_runs(self) -> None:
        """Lock and ledger are let go of, and nobody pretends to answer."""
        assert not self.paths.control.exists()
        try:
            FileLock(self.paths.lock, timeout=0).acquire().lock.release()
        except Timeout:
            raise AssertionError("the data directory is still locked") from None
        assert (self.paths.data / "ledger.db").exists()
        assert not (self.paths.data / "ledger.db-wal").exists(), "the ledger was not closed"

    def close(self) -> None:
        self._stack.close()


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    paths = Paths(folder / "config" / "config.toml", folder / "data")
    async with Simulator() as simulator:
        for login in ("alice", "bob"):
            simulator.add_channel(login, tags=("English",), category="Chess")
        paths.config.parent.mkdir()
        simulator.receiver.expect("main", secret=SECRET, scheme="x-hub")
        text = CONFIG.replace("RECEIVER", f"{simulator.url}/receiver").replace("SIGNED-WITH", SECRET)
        paths.config.write_text(text, encoding="utf-8")
        paths.config.chmod(0o600)
        with desktop_session(folder / "screen") as desktop:
            made = Scene(desktop, simulator, paths)
            # Secrets go to the real keyring and to the vault it opens: what is accepted proves that they are used.
            done = await beside(paths, "config", "move-secrets", "--yes", environ={**desktop.environ, **made.environ})
            assert done.code == 0, done.err
            assert not any(secret in paths.config.read_text() for secret in (SECRET, simulator.client_secret))
            try:
                yield made
            finally:
                await made.picture("end")
                made.close()


async def test_an_evening_at_the_desktop(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        desktop, simulator = here.desktop, here.simulator
        program = here.start()
        await here.tray(WELL)
        (window,) = await here.windows(1)
        await here.do(program.see, "Overview", kind="NavButton")
        await here.subscribed()
        await here.picture("start")

        # A channel goes live: announced, on the overview, in the tray.
        await simulator.go_live("alice")
        (got,) = await simulator.receiver.wait_for(1, "main")
        assert got.json["streamer_login"] == "alice"
        await here.do(program.see, "Open the channel of Alice")
        await here.do(program.read, "1 announced")
        icon = await here.tray(LIVE)
        await here.picture("live")

        # Closed with the window manager: it says once that it goes on, and does.
        await here.do(desktop.key, "alt+F4")
        await here.do(program.read, "goes on working in the tray")
        await here.do(desktop.key, "Return")
        await here.windows(0)
        await here.tray(LIVE)

        # The tray's icon brings it back, and so does a second start, which then ends.
        await here.do(desktop.click, icon)
        await here.windows(1)
        await here.do(desktop.key, "alt+F4")
        await here.windows(0)
        second = here.start(probed=False)
        assert await here.do(second.ended) == 0
        assert await here.windows(1) == [window]
        assert await here.do(desktop.active_window) == window

        # A destination fails, and is tried again by hand.
        simulator.faults.set_receiver("main", status=503, times=1)
        await simulator.go_live("bob")
        await until(lambda: _has(here, DeliveryState.PENDING), timeout=20, what="it waits for its next try")
        await here.do(program.see, "Deliveries, 1", kind="NavButton")
        await here.do(desktop.click, await here.do(program.see, "Deliveries, 1", kind="NavButton"))
        await here.picture("failed")
        await _retry(here, program)
        await until(lambda: len(simulator.receiver.accepted("main")) == 2, timeout=20, what="it was delivered")
        await here.do(program.see, "Deliveries", kind="NavButton")
        assert await here.states() == [DeliveryState.DELIVERED] * 2
        assert simulator.receiver.doubles() == {}

        # Paused by keyboard: nothing goes out. Resumed: the next one does.
        await here.do(desktop.key, "ctrl+1")
        await here.do(program.tab_to, "Pause")
        await here.do(desktop.key, "space")
        await here.do(program.see, "Resume")
        await here.tray(PAUSED)
        await here.picture("paused")
        await simulator.go_offline("alice")
        await simulator.go_live("alice")
        await until(lambda: "paused" in _reasons(here), timeout=20, what="it was not announced, and says why")
        await here.do(program.tab_to, "Resume")
        await here.do(desktop.key, "space")
        await here.do(program.see, "Pause")
        await simulator.go_offline("bob")
        await simulator.go_live("bob")
        await until(lambda: len(simulator.receiver.accepted("main")) == 3, timeout=20, what="announced again")
        assert [each.json["streamer_login"] for each in simulator.receiver.accepted("main")] == ["alice", "bob", "bob"]

        # Another place, another page; Ctrl+Q ends it cleanly.
        await here.do(desktop.run, "xdotool", "windowsize", "--sync", window, "1000", "700")
        await here.do(desktop.run, "xdotool", "windowmove", "--sync", window, "120", "60")
        before = await here.do(desktop.geometry, window)
        await here.do(desktop.key, "ctrl+q")
        assert await here.do(program.ended) == 0
        here.nothing_runs()
        assert await here.do(desktop.tray_icon) is None

        # Started again as it is, without the eye: all of it was kept.
        again = here.start(probed=False)
        (window,) = await here.windows(1)
        await until(lambda: here.do(lambda: desktop.geometry(window) == before), what="it is where it was")
        assert await here.states() == [DeliveryState.DELIVERED] * 3
        await here.tray(LIVE)
        await here.picture("again")
        again.signal(signal.SIGTERM)
        assert await here.do(again.ended) == 0
        here.nothing_runs()
        if all(find_spec(f"itsjustintv_desktop.ui.pages.{entry.name}") for entry in ENTRIES):
            assert "Traceback" not in program.log.read_text()


async def test_the_menu_of_the_tray_and_logging_out(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        desktop, simulator = here.desktop, here.simulator
        program = here.start()
        icon = await here.tray(WELL)
        await here.subscribed()

        # Paused and resumed in the menu of the icon, by mouse.
        await here.do(_open_menu, here, program, icon)
        await here.do(desktop.click, await here.do(program.see, "Pause announcements", kind="QAction"))
        await here.do(desktop.click, await here.do(program.see, "Until I resume them", kind="QAction"))
        await here.tray(PAUSED)
        await here.do(_open_menu, here, program, icon)
        await here.do(desktop.click, await here.do(program.see, "Resume announcements", kind="QAction"))
        await here.tray(WELL)

        # Who is live stands in it.
        await simulator.go_live("alice")
        await here.tray(LIVE)
        await here.do(_open_menu, here, program, icon)
        await until(lambda: here.do(_entry, program, "Alice"), timeout=20, what="who is live stands in the menu")
        await here.picture("menu")
        await here.do(desktop.key, "Escape")

        # The session ends while a question is open: nothing waits for an answer.
        await here.do(desktop.key, "alt+F4")
        await here.do(program.read, "goes on working in the tray")
        program.signal(signal.SIGTERM)
        assert await here.do(program.ended) == 0
        here.nothing_runs()
        assert len(simulator.receiver.accepted("main")) == 1

        # Quit in the menu, by mouse.
        program = here.start()
        icon = await here.tray(LIVE)
        await here.do(_open_menu, here, program, icon)
        await here.do(desktop.click, await here.do(program.see, "Quit", kind="QAction"))
        assert await here.do(program.ended) == 0
        here.nothing_runs()
        assert simulator.receiver.doubles() == {}


async def _has(here: Scene, state: DeliveryState) -> bool:
    return state in await here.states()


def _reasons(here: Scene) -> set[str]:
    """Why something was not announced, as the ledger has it."""
    with closing(sqlite3.connect(f"file:{here.paths.data / 'ledger.db'}?mode=ro", uri=True)) as connection:
        return {reason for (reason,) in connection.execute("SELECT reason FROM events") if reason}


async def _retry(here: Scene, program: DesktopProgram) -> None:
    """The one delivery in the list: chosen and tried again by mouse."""
    if find_spec("itsjustintv_desktop.ui.pages.deliveries") is None:
        (waiting,) = await here.ask(lambda client: client.deliveries(states=[DeliveryState.PENDING]))
        await here.ask(lambda client: client.retry(waiting.id))
        return
    table = await here.do(program.see, "Deliveries", kind="DeliveriesTable")
    top = table.y - table.height // 2
    await here.do(here.desktop.click, replace(table, y=top + 60))
    await here.do(here.desktop.click, await here.do(program.see, "Retry now"))


def _open_menu(here: Scene, program: DesktopProgram, icon: Seen) -> None:
    """By a right click on the icon. A notification may lie over it for a moment, and takes the first click."""
    for _ in range(5):
        here.desktop.click(icon, button=3)
        with suppress(AssertionError):
            program.see("Quit", kind="QAction", timeout=3)
            return
    raise AssertionError("the menu of the icon did not open")


def _entry(program: DesktopProgram, start: str) -> bool:
    """Whether an entry of an open menu begins like that."""
    return any(one.kind == "QAction" and one.name.startswith(start) for one in program.looks())
