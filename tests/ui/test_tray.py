"""The tray icon and its menu."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QMenu, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.shell import tray as module
from itsjustintv_desktop.ui.shell.tray import Tray
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge


@pytest.fixture
def tray(store: Store) -> Iterator[Tray]:
    made = Tray(store)
    yield made
    made.hide()


def show(store: Store, **details: Any) -> None:
    store.snapshot = samples.snapshot(**details)
    store.changed.emit()


def entries(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def entry(menu: QMenu, text: str) -> QAction:
    (found,) = [action for action in menu.actions() if action.text() == text]
    return found


def state(tray: Tray) -> str:
    return tray.state


ALWAYS = ["&Open itsjustintv", "&Settings", "&Quit"]


def test_before_the_engine_runs(tray: Tray) -> None:
    assert state(tray) == "stopped"
    assert entries(tray.menu) == ["It is not running.", *ALWAYS]


def test_on_a_good_day(tray: Tray, store: Store) -> None:
    show(store)
    assert state(tray) == "live"
    assert entries(tray.menu) == [
        "All 2 streams will be announced", "Live now: Pixelforge", "Pixelforge: Food && Drink", "&Pause announcements",
        "Send a &test", *ALWAYS,
    ]  # fmt: skip
    assert not tray.menu.actions()[0].isEnabled()
    show(store, live=())
    assert state(tray) == "well"


def test_paused_and_trouble_and_the_end(tray: Tray, store: Store, bridge: FakeBridge) -> None:
    show(store, paused=samples.paused(), status=samples.on_pause())
    assert state(tray) == "paused"
    assert "&Resume announcements" in entries(tray.menu)
    assert "&Pause announcements" not in entries(tray.menu)
    show(store, status=samples.failing())
    assert state(tray) == "attention"
    assert entries(tray.menu)[:2] == ["No stream will be announced", "The disk is full."]
    bridge.state = "failed"
    bridge.state_changed.emit("failed")
    assert state(tray) == "stopped"
    assert entries(tray.menu) == ["It is not running.", *ALWAYS]


def test_a_menu_that_is_open_does_not_move(tray: Tray, store: Store, qtbot: QtBot) -> None:
    show(store)
    before = tray.menu.actions()
    tray.menu.popup(tray.menu.pos())
    qtbot.waitUntil(tray.menu.isVisible)
    show(store, live=())
    assert tray.menu.actions() == before
    tray.menu.hide()
    qtbot.waitUntil(lambda: "Live now: Pixelforge" not in entries(tray.menu))


def test_many_live_channels_do_not_fill_the_screen(tray: Tray, store: Store) -> None:
    show(store, live=tuple(samples.stream(f"channel{n}") for n in range(500)))
    assert len(tray.menu.actions()) < 25


def test_a_snapshot_that_says_the_same_leaves_the_menu_alone(tray: Tray, store: Store) -> None:
    many = tuple(samples.stream(f"channel{n}") for n in range(500))
    show(store, live=many)
    before = tray.menu.actions()
    for more in range(1, 20):
        show(store, live=(*many, *(samples.stream(f"another{n}") for n in range(more))), at=samples.NOW + more)
    assert tray.menu.actions() == before
    assert entries(tray.menu)[1].endswith("and 516 more")
    show(store, live=many[1:])
    assert tray.menu.actions() != before
    show(store, live=many[1:], paused=samples.paused())
    assert "&Resume announcements" in entries(tray.menu)


def test_what_is_chosen(tray: Tray, store: Store) -> None:
    show(store)
    wished: list[str] = []
    tray.wished.connect(wished.append)
    for text in ("Send a &test", *ALWAYS):
        entry(tray.menu, text).trigger()
    show(store, paused=samples.paused())
    entry(tray.menu, "&Resume announcements").trigger()
    assert wished == ["test", "open", "settings", "quit", "resume"]


def test_for_how_long_it_pauses(tray: Tray, store: Store) -> None:
    show(store)
    until: list[float | None] = []
    tray.pause_requested.connect(until.append)
    menu = entry(tray.menu, "&Pause announcements").menu()
    assert isinstance(menu, QMenu)
    assert entries(menu) == ["For one hour", "Until tomorrow", "Until I resume them"]
    for action in menu.actions():
        action.trigger()
    hour, tomorrow, resumed = until
    assert hour == pytest.approx(time.time() + 3600, abs=10)
    assert tomorrow is not None
    morning = datetime.fromtimestamp(tomorrow, UTC).astimezone()
    assert (morning.date(), morning.hour) == (datetime.now().astimezone().date() + timedelta(days=1), 6)
    assert resumed is None


def test_a_live_channel_is_opened(tray: Tray, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(QUrl(url).toString()))
    show(store)
    entry(tray.menu, "Pixelforge: Food && Drink").trigger()
    assert opened == ["https://twitch.tv/pixelforge"]


def test_it_appears_when_a_host_does(store: Store, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    there = [False]
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: there[0])
    monkeypatch.setattr(module, "LOOK_MS", 10)
    tray = Tray(store)
    assert not tray.is_there
    there[0] = True
    qtbot.waitUntil(lambda: tray.is_there)
    there[0] = False
    assert not tray.is_there, "the panel is gone"
    tray.hide()


def test_a_click_on_it_opens_the_window(tray: Tray) -> None:
    wished: list[str] = []
    tray.wished.connect(wished.append)
    reason = QSystemTrayIcon.ActivationReason
    for each in (reason.Trigger, reason.Context, reason.MiddleClick):
        tray._icon.activated.emit(each)
    assert wished == ["open"]


def test_a_click_on_a_notification(tray: Tray) -> None:
    done: list[str] = []
    tray.say("Title", "text", lambda: done.append("it"))
    tray._icon.messageClicked.emit()
    assert done == ["it"]
