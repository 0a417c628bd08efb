"""The demo is seen to be one: in its title, across its window and in the tray; it sets nothing up and ends with it."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QMessageBox, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.demo import window as demo_window
from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.sidebar import DemoBar
from itsjustintv_desktop.ui.shell.tray import Tray
from itsjustintv_desktop.ui.shell.trayicons import tray_icon
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge
from tests.ui.test_app import Run, run, tray_host
from tests.ui.test_window import quits

__all__ = ["run", "tray_host"]


@pytest.fixture
def store(bridge: Any, preferences: Preferences) -> Store:
    return Store(bridge, preferences, demo=True)


def test_the_window_says_so(qtbot: QtBot, store: Store, preferences: Preferences, bridge: FakeBridge) -> None:
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    window = Window(store, preferences)
    qtbot.addWidget(window)
    assert "Demo" in window.windowTitle()
    (bar,) = window.findChildren(DemoBar)
    said = " ".join(each.text() for each in bar.findChildren(QLabel))
    assert "Demo" in said
    assert "Nothing is really announced" in said
    with qtbot.waitSignal(window.quit_requested):
        bar.end.click()
    page: Any = window.page("connection")
    assert page.set_up.isHidden()
    plain = Window(Store(bridge, preferences), preferences)  # type: ignore[arg-type]
    qtbot.addWidget(plain)
    assert "Demo" not in plain.windowTitle()
    assert plain.size() != window.size()
    assert not plain.findChildren(DemoBar)


def test_its_end_is_offered_once(qtbot: QtBot, store: Store, preferences: Preferences, bridge: FakeBridge) -> None:
    window = Window(store, preferences)
    qtbot.addWidget(window)
    window.show()
    bridge.state, bridge.error = "failed", errors.AlreadyRunningError("Another one runs here.")
    bridge.state_changed.emit("failed")
    assert window.failed.isVisible()
    assert quits(window) == ["End the demo"]


def test_the_tray_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _, title, __, ___: said.append(title))
    tray = Tray(store)
    store.snapshot = samples.snapshot()
    store.changed.emit()
    texts = [action.text() for action in tray.menu.actions()]
    assert texts[:2] == ["Demo: All 2 streams will be announced", "Live now: Pixelforge"]
    assert texts[-1] == "&End the demo"
    assert "Demo" in tray._icon.toolTip()
    tray.say("alice went live", "Announced to chat")
    assert said == ["Demo: alice went live"]
    shown = tray._icon.icon().pixmap(64).toImage()
    assert shown != tray_icon(tray.state).pixmap(64).toImage(), "its picture is another"
    tray.hide()


def test_closing_it_ends_it_and_nothing_is_set_up(run: Run, qtbot: QtBot) -> None:
    run.is_demo = True
    desktop = run.begin()
    assert desktop.assistant is None
    desktop.window.assistant_requested.emit()
    assert desktop.assistant is None
    desktop.window.close()
    qtbot.waitUntil(run.life.done)
    assert not desktop.window.findChildren(QMessageBox), "it does not claim to go on"
    assert not desktop.tray.is_there


def test_the_command_opens_it_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(demo_window, "run", lambda _, **named: int(asked.update(named) is not None))
    assert demo_window.show() == 0
    assert asked["demo"] is True
