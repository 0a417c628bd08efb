"""A person in front of a real desktop, with the simulator as Twitch. Used by the stories of this folder."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from PySide6.QtGui import QColor, QImage

from itsjustintv_desktop.engine.control import address
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from tests.support.commands import beside
from tests.support.desktop_session import DesktopProgram, DesktopSession, Seen, Theme, desktop_session
from tests.support.waiting import until

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
        """Wait for the icon, in that colour; its place may change while the panel makes room for it."""
        icon = await until(
            lambda: self.do(self._icon, colour), timeout=40, what=f"the icon is in the tray {colour}".strip()
        )
        assert isinstance(icon, Seen)
        return icon

    def _icon(self, colour: str) -> Seen | None:
        icon = self.desktop.tray_icon()
        return icon if icon is not None and (not colour or self._shows(icon, colour)) else None

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
        return [each.state for each in await self.ask(lambda client: client.deliveries.list())]

    async def subscribed(self) -> None:
        def enabled() -> bool:
            held = list(self.simulator.eventsub.subscriptions)
            return len(held) == 4 and all(each.status == "enabled" for each in held)

        await until(enabled, timeout=20, what="Twitch would tell us")

    def reasons(self) -> set[str]:
        """Why something was not announced, as the ledger has it."""
        with closing(sqlite3.connect(f"file:{self.paths.data / 'ledger.db'}?mode=ro", uri=True)) as connection:
            return {reason for (reason,) in connection.execute("SELECT reason FROM events") if reason}

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
async def scene(
    folder: Path, *, new: bool = False, destination: str = "main", xfce_in: Theme | None = None
) -> AsyncIterator[Scene]:
    """With a config and its secrets in the keyring, or, if `new`, with nothing at all. `destination` is what its only
    one is called; for `xfce_in` see desktop_session."""
    paths = Paths(folder / "config" / "config.toml", folder / "data")
    async with Simulator() as simulator:
        for login in ("alice", "bob"):
            simulator.add_channel(login, tags=("English",), category="Chess")
        with desktop_session(folder / "screen", xfce_in=xfce_in) as desktop:
            made = Scene(desktop, simulator, paths)
            if not new:
                await _set_up(made, destination)
            try:
                yield made
            finally:
                await made.picture("end")
                made.close()


async def _set_up(here: Scene, destination: str) -> None:
    """Secrets go to the real keyring and to the vault it opens: what is accepted proves that they are used."""
    paths, simulator = here.paths, here.simulator
    paths.config.parent.mkdir()
    simulator.receiver.expect("main", secret=SECRET, scheme="x-hub")
    text = CONFIG.replace("RECEIVER", f"{simulator.url}/receiver").replace("SIGNED-WITH", SECRET)
    name = json.dumps(destination)  # TOML quotes as JSON does
    text = text.replace("[destinations.main]", f"[destinations.{name}]").replace('["main"]', f"[{name}]")
    paths.config.write_text(text, encoding="utf-8")
    paths.config.chmod(0o600)
    done = await beside(paths, "config", "move-secrets", "--yes", environ={**here.desktop.environ, **here.environ})
    assert done.code == 0, done.err
    assert not any(secret in paths.config.read_text() for secret in (SECRET, simulator.client_secret))
