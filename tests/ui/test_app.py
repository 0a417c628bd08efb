"""Window, tray and engine of one run, with a fake bridge below them."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox, QSystemTrayIcon
from pytestqt.qtbot import QtBot
from qasync import QEventLoop

from itsjustintv_desktop import app as module
from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.engine import Report, Snapshot, Statistics, errors
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.engine import Engine
from itsjustintv_desktop.ui.preferences import Preferences
from tests.ui import samples
from tests.ui.fake import FakeBridge


class Run:
    """One run of the program. `begin` may be called again after `end`: the files stay."""

    def __init__(self, folder: Path, qapp: QApplication, loop: QEventLoop, qtbot: QtBot) -> None:
        self.paths = Paths(folder / "config.toml", folder / "data")
        self.paths.data.mkdir()
        self._qapp, self._loop, self._qtbot = qapp, loop, qtbot
        self.bridge: FakeBridge
        self.desktop: Desktop
        self.life: asyncio.Task[int]
        self.is_demo = False

    def begin(self, *, hidden: bool = False, snapshot: Snapshot | None = None) -> Desktop:
        self.bridge = FakeBridge()
        self.bridge.engine._snapshot = snapshot or samples.snapshot(live=())
        self.bridge.engine.api.set("diagnostics.doctor", Report(ok=True, checks=()))
        self.bridge.engine.api.set("statistics.days", Statistics(days=()))
        self.desktop = Desktop(self._qapp, self.paths, None, hidden=hidden, demo=self.is_demo)  # type: ignore[arg-type]
        self.life = self._loop.create_task(self.desktop.live())
        self._qtbot.waitUntil(lambda: self.desktop.store.snapshot is not None or self.bridge.state != "running")
        return self.desktop

    def end(self) -> int:
        self.desktop.quit()
        self._qtbot.waitUntil(self.life.done)
        self.desktop.window.deleteLater()
        self.bridge.end()
        return self.life.result()


@pytest.fixture
def tray_host(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether there is a panel that shows tray icons: what its only entry says."""
    there = [True]
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: there[0])
    return there


@pytest.fixture
def run(
    tmp_path: Path, qapp: QApplication, qt_loop: QEventLoop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch,
    tray_host: list[bool],
) -> Iterator[Run]:  # fmt: skip
    made = Run(tmp_path, qapp, qt_loop, qtbot)
    monkeypatch.setattr(module, "Bridge", lambda _: made.bridge)
    asyncio._set_running_loop(qt_loop)  # as in the program, where the loop runs from beginning to end
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield made
    if not made.life.done():
        made.end()
    for number, handler in before.items():
        signal.signal(number, handler)
    asyncio._set_running_loop(None)


def boxes(desktop: Desktop) -> list[QMessageBox]:
    return [box for box in desktop.window.findChildren(QMessageBox) if box.isVisible()]


def test_closing_is_explained_once_and_leaves_it_in_the_tray(run: Run, qtbot: QtBot) -> None:
    window = run.begin().window
    assert window.isVisible()
    window.close()
    (box,) = boxes(run.desktop)
    assert "tray" in box.text()
    assert window.isVisible(), "what is being read stays"
    box.button(QMessageBox.StandardButton.Ok).click()
    qtbot.waitUntil(lambda: not window.isVisible())
    run.desktop.tray.wished.emit("open")
    assert window.isVisible()
    window.close()
    assert not window.isVisible()
    assert boxes(run.desktop) == []
    assert not run.life.done()
    run.end()
    window = run.begin().window
    window.close()
    assert not window.isVisible(), "it was explained in the run before"


def test_without_a_tray_the_window_stays(run: Run, tray_host: list[bool], qtbot: QtBot) -> None:
    tray_host[0] = False
    window = run.begin(hidden=True).window
    assert window.isVisible(), "hidden would be lost"
    assert window.sidebar.quit.isVisible(), "there is no menu of a tray to quit from"
    window.close()
    (box,) = boxes(run.desktop)
    assert "minimized" in box.text()
    assert not window.isMinimized(), "what is being read stays"
    box.button(QMessageBox.StandardButton.Ok).click()
    qtbot.waitUntil(window.isMinimized)
    window.to_front()
    assert not window.isMinimized()
    window.close()
    assert window.isMinimized()
    assert boxes(run.desktop) == []
    tray_host[0] = True
    run.desktop.tray._find_host()
    assert window.sidebar.quit.isHidden()
    tray_host[0] = False
    run.desktop.tray._find_host()
    window.to_front()
    window.sidebar.quit.click()
    qtbot.waitUntil(run.life.done)


def test_a_panel_that_ends_leaves_a_window_in_the_tray_within_reach(run: Run, tray_host: list[bool]) -> None:
    desktop = run.begin(hidden=True)
    window, look = desktop.window, desktop.tray._find_host
    assert not window.isVisible()
    tray_host[0] = False
    look()
    assert not window.isVisible(), "a panel may be starting again"
    look()
    assert window.isMinimized()
    tray_host[0] = True
    look()
    assert not window.isVisible(), "it is in the tray again"
    tray_host[0] = False
    look(), look()
    window.showNormal()
    tray_host[0] = True
    look()
    assert window.isVisible(), "a person has opened it meanwhile"
    window.hide()
    tray_host[0] = False
    look(), look()
    window.showNormal()
    look()
    window.showMinimized()
    tray_host[0] = True
    look()
    assert window.isVisible(), "it was minimized by a person"


def test_hidden(run: Run) -> None:
    desktop = run.begin(hidden=True)
    assert not desktop.window.isVisible()
    assert desktop.tray.is_there
    desktop.tray.wished.emit("open")
    assert desktop.window.isVisible()


@pytest.mark.parametrize("named", [True, False])
def test_a_named_config_that_is_not_there_brings_the_assistant_back(run: Run, qtbot: QtBot, named: bool) -> None:
    """It was gone through once, with a config that lies somewhere else than was said."""
    run.paths = Paths(run.paths.config, run.paths.data, config_named=named)
    Preferences(run.paths.data / "desktop.ini").assistant_done = True
    desktop = run.begin(snapshot=samples.snapshot(live=(), streamers=()))
    assert (desktop.assistant is not None and desktop.assistant.isVisible()) == named


def test_an_environment_that_brings_streamers_needs_no_assistant(run: Run) -> None:
    run.paths = Paths(run.paths.config, run.paths.data, config_named=True)
    assert run.begin().assistant is None


def test_the_window_starts_without_the_config_that_was_named(tmp_path: Path, qt_loop: QEventLoop) -> None:
    """Else there would be no engine for the assistant to write one with."""

    async def starts() -> None:
        async with module._plain(
            Paths(tmp_path / "no" / "config.toml", tmp_path / "data", config_named=True)
        )() as made:
            options = dataclasses.replace(made.options, environ={"ITSJUSTINTV_SECRETS_STORE": "memory"}, log_file=False)
            engine = Engine(options)
            await engine.start()
            await engine.stop()

    qt_loop.run_until_complete(starts())


def test_quit_stops_the_engine(run: Run) -> None:
    desktop = run.begin()
    stopped: list[str] = []

    async def stop() -> bool:
        stopped.append("engine")
        return True

    run.bridge.stop = stop  # type: ignore[method-assign]
    desktop.tray.wished.emit("quit")
    assert run.end() == 0
    assert stopped == ["engine"]
    assert not desktop.window.isVisible()
    assert not desktop.tray.is_there


@pytest.mark.expected_errors("did not end in time")
def test_an_engine_that_hangs_does_not_hold_the_program(run: Run) -> None:
    run.begin()

    async def stop() -> bool:
        return False

    run.bridge.stop = stop  # type: ignore[method-assign]
    assert run.end() == 0


def test_an_engine_that_failed_is_shown_and_gives_exit_code_1(run: Run, qtbot: QtBot) -> None:
    window = run.begin().window
    run.bridge.state, run.bridge.error = "failed", errors.AlreadyRunningError("Another one runs here.")
    run.bridge.state_changed.emit("failed")
    assert window.failed.isVisible()
    assert run.end() == 1


def test_an_engine_that_failed_can_be_tried_again(run: Run, qtbot: QtBot) -> None:
    window = run.begin().window
    run.bridge.state, run.bridge.error = "failed", errors.ConfigError(["config.toml, line 3: it is no number"])
    run.bridge.state_changed.emit("failed")
    assert window.failed.action.hasFocus() or not window.isActiveWindow()
    window._changed()
    assert window.failed.isVisible(), "what is told late does not hide why it stopped"
    window.failed.action.click()
    qtbot.waitUntil(lambda: window._stack.currentWidget() is window.page("overview"))
    assert run.end() == 0


def test_place_and_page_are_kept(run: Run) -> None:
    window = run.begin().window
    window.setGeometry(0, 0, 900, 640)  # the screen of a test is small, and a window is kept on it
    run.end()
    again = run.begin().window
    assert (again.width(), again.height()) == (900, 640)


def test_a_log_out_ends_it_with_its_place_kept(run: Run, qapp: QApplication, qtbot: QtBot) -> None:
    window = run.begin().window
    window.setGeometry(40, 50, 1100, 650)
    run.desktop._logging_out()
    assert run.desktop.preferences.geometry is not None
    qtbot.waitUntil(run.life.done)


def test_sigterm_ends_it(run: Run, qtbot: QtBot) -> None:
    run.begin()
    signal.raise_signal(signal.SIGTERM)
    qtbot.waitUntil(run.life.done)
    assert run.life.result() == 0


def asked(run: Run, what: str) -> list[tuple[Any, ...]]:
    return [each.args for each in run.bridge.engine.was_asked(what)]


def test_pausing_and_resuming(run: Run, qtbot: QtBot) -> None:
    desktop = run.begin()
    desktop.tray.pause_requested.emit(samples.NOW + 3600)
    qtbot.waitUntil(lambda: asked(run, "api.announcements.pause") == [(samples.NOW + 3600,)])
    desktop.window.pause_requested.emit()
    qtbot.waitUntil(lambda: len(asked(run, "api.announcements.pause")) == 2)
    desktop.store.snapshot = samples.snapshot(paused=samples.paused())
    desktop.window.pause_requested.emit()
    qtbot.waitUntil(lambda: asked(run, "api.announcements.resume") == [()])
    run.bridge.engine.api.set("announcements.resume", errors.LedgerError("The disk is full."))
    desktop.tray.wished.emit("resume")
    qtbot.waitUntil(lambda: desktop.window.toast.isVisible())
    assert "The disk is full." in desktop.window.toast.accessibleName()


def test_waking_and_the_network_reach_the_engine(run: Run, qtbot: QtBot) -> None:
    desktop = run.begin()
    desktop.power.prepare(True)
    desktop.power.prepare(False)
    desktop.network.returned.emit()
    qtbot.waitUntil(lambda: bool(asked(run, "api.connection.woke") and asked(run, "api.connection.network_returned")))
    assert len(asked(run, "api.connection.woke")) == 1
    run.bridge.state = "failed"
    desktop.power.prepare(False)
    qtbot.wait(20)
    assert len(asked(run, "api.connection.woke")) == 1


def test_a_notification_opens_its_page(run: Run) -> None:
    desktop = run.begin(hidden=True)
    desktop._open("overview")
    assert desktop.window.isVisible()
    assert desktop.window.current == "overview"
