"""The desktop as a person uses it: X server, window manager, tray and keyring are real, so are mouse and keyboard.

Pictures of the screen at every step lie in the test's folder (`screen/`).
"""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip(
    "PySide6.QtGui", reason="Qt's libraries are not on this machine (make system-deps)", exc_type=ImportError
)

from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.pages import ENTRIES
from tests.e2e.desktop_scene import LIVE, PAUSED, WELL, Scene, scene
from tests.support.desktop_session import DesktopProgram, Seen
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


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
        await until(lambda: "paused" in here.reasons(), timeout=20, what="it was not announced, and says why")
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


async def _retry(here: Scene, program: DesktopProgram) -> None:
    """The one delivery in the list: chosen and tried again by mouse."""
    if find_spec("itsjustintv_desktop.ui.pages.deliveries") is None:
        (waiting,) = await here.ask(lambda client: client.deliveries.list(states=[DeliveryState.PENDING]))
        await here.ask(lambda client: client.deliveries.retry(waiting.id))
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
