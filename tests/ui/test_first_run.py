"""From an empty config to an announcement that arrived: the real engine, the simulator, keyboard and mouse."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from qasync import QEventLoop

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.config import watch
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.ui.assistant import Assistant
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.engine_thread import Setting
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.store import Store

LEFT = Qt.MouseButton.LeftButton
SECONDS = 30.0
"""For what goes over real sockets."""


class Screen:
    """Waits in the loop itself, as in the program: awaiting with a deadline needs one that runs."""

    def __init__(self, loop: QEventLoop) -> None:
        self._loop = loop

    def do(self, work: Awaitable[Any]) -> Any:
        try:
            return self._loop.run_until_complete(work)
        finally:
            asyncio._set_running_loop(self._loop)  # keys and clicks let tasks go on as well

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        async def wait() -> None:
            while not is_so():
                await asyncio.sleep(0.02)

        try:
            self.do(asyncio.wait_for(wait(), SECONDS))
        except TimeoutError:
            raise AssertionError(f"not in time: {what}") from None

    def go_on(self, assistant: Assistant, name: str) -> Any:
        """Press the button that goes on, and be at that step."""
        self.until(assistant.next.isEnabled, f"one can go on from {assistant.current.name}")
        QTest.mouseClick(assistant.next, LEFT)
        self.until(lambda: assistant.current.name == name, f"{name} {assistant.banner.accessibleName()}")
        return assistant.current


def test_the_assistant_leads_to_the_first_announcement(
    qtbot: QtBot,
    qapp: QApplication,
    qt_loop: QEventLoop,
    preferences: Preferences,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.05)
    monkeypatch.setattr(watch, "SETTLE", 0.02)
    qapp.setQuitOnLastWindowClosed(False)  # as the program does
    paths = Paths(config=tmp_path / "config" / "config.toml", data=tmp_path / "data")
    paths.create()
    simulators: list[Simulator] = []

    @asynccontextmanager
    async def prepare() -> AsyncIterator[Setting]:
        async with Simulator() as simulator:
            simulator.add_channel("alice", title="Hello", followers=321)
            simulators.append(simulator)
            where = {name: value for name, value in simulator.environment().items() if name.endswith("_URL")}
            bare = {"ITSJUSTINTV_SECRETS_STORE": "memory", "ITSJUSTINTV_SERVER_PORT": "0"}
            yield Setting(EngineOptions(paths=paths, environ={**os.environ, **where, **bare}))

    screen, bridge = Screen(qt_loop), Bridge(prepare)
    store = Store(bridge, preferences)
    bridge.start()
    try:
        screen.until(lambda: store.snapshot is not None, "the engine runs")
        simulator = simulators[0]
        assistant = Assistant(store, preferences)
        qtbot.addWidget(assistant)
        assistant.open()
        _walk(screen, assistant, simulator)
        assert preferences.assistant_done
        assert simulator.client_secret not in paths.config.read_text(encoding="utf-8")
        assert len(simulator.receiver.accepted("first")) == 1  # the test
        screen.until(lambda: store.snapshot is not None and store.snapshot.subscriptions.code == "ok", "subscribed")
        screen.do(bridge.call(lambda _: simulator.go_live("alice")))
        screen.until(lambda: len(simulator.receiver.accepted("first")) == 2, "it is announced")
    finally:
        assert screen.do(bridge.stop())


def _walk(screen: Screen, assistant: Assistant, simulator: Simulator) -> None:
    """As a person does, from the first step to the last."""
    register = screen.go_on(assistant, "register")
    QTest.keyClicks(register.client_id, simulator.client_id)
    QTest.keyClicks(register.secret, simulator.client_secret)
    screen.go_on(assistant, "reach")
    screen.until(lambda: assistant.next.text() == "&Use this way", "the conduit was looked at")
    streamer = screen.go_on(assistant, "streamer")
    QTest.keyClicks(streamer.channel, "@alice")
    QTest.keyClick(streamer.channel, Qt.Key.Key_Return)
    screen.until(lambda: assistant.next.text() == "&Watch this channel", "alice was looked up")
    destination = screen.go_on(assistant, "destination")
    QTest.keyClicks(destination.address, simulator.receiver_url("first"))
    test = screen.go_on(assistant, "test")
    QTest.mouseClick(test.send, LEFT)
    screen.until(lambda: bool(test.arrived), "the test arrived")
    screen.go_on(assistant, "done")
    QTest.mouseClick(assistant.next, LEFT)
    screen.until(assistant.isHidden, "it is over")
