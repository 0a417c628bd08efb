"""The tray app, put together: the one file that knows engine and ui."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QDialog
from qasync import QEventLoop

from itsjustintv_desktop import __version__
from itsjustintv_desktop.desktop import APP_ID, bus
from itsjustintv_desktop.desktop.network import Network
from itsjustintv_desktop.desktop.notifications import Notifications
from itsjustintv_desktop.desktop.power import Power
from itsjustintv_desktop.desktop.single import SingleInstance
from itsjustintv_desktop.engine import ConfigRepair, EngineOptions, logs
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.assistant import Assistant
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks
from itsjustintv_desktop.ui.engine_thread import Prepare, Setting
from itsjustintv_desktop.ui.formatting import trouble
from itsjustintv_desktop.ui.gc_control import GcControl
from itsjustintv_desktop.ui.notifications import Notifier
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.tray import Tray
from itsjustintv_desktop.ui.shell.trayicons import tray_icon
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme import theme
from itsjustintv_desktop.ui.widgets.dialog import ask, message

SWITCH_SECONDS = 0.0005
"""How long a thread keeps Python's lock while another wants it. With the usual 5 ms a busy screen delays each step of
the engine by as much, and answers to Twitch by seconds; see docs/performance.md."""

_MISSED = 2
"""A panel that starts again misses one look."""

_log = structlog.get_logger(__name__)


def run(paths: Paths, *, hidden: bool = False, prepare: Prepare | None = None, demo: bool = False) -> int:
    """Open tray icon and window, and stay until a person quits. The exit code: 0, or 1 if the engine never ran.

    `demo`: it says so everywhere, sets nothing up, and ends with its window.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    bus.avoid_what_hangs()
    QGuiApplication.setDesktopFileName(APP_ID)
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    app.setApplicationName("itsjustintv-desktop")
    app.setApplicationDisplayName("itsjustintv – Demo" if demo else "itsjustintv")
    app.setApplicationVersion(__version__)
    app.setQuitOnLastWindowClosed(False)
    app.setWindowIcon(QIcon(tray_icon("well", demo=demo)))
    single = SingleInstance(paths.data)
    if not single.claim():
        return 0
    paths.create()
    logs.keep_recent()
    translators = language.install(Preferences(paths.data / "desktop.ini").language)
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    gc_control = GcControl()
    try:
        with loop:
            desktop = Desktop(app, paths, prepare or _plain(paths), hidden=hidden, demo=demo)
            single.asked.connect(desktop.window.to_front)
            desktop.bridge.state_changed.connect(lambda state: gc_control.started() if state == "running" else None)
            return int(loop.run_until_complete(desktop.live()))
    finally:
        gc_control.end()
        for each in translators:
            app.removeTranslator(each)
        single.release()


def _plain(paths: Paths) -> Prepare:
    paths = replace(paths, config_named=False)  # the assistant makes one that is missing

    @asynccontextmanager
    async def prepare() -> AsyncIterator[Setting]:
        yield Setting(EngineOptions(paths=paths, yield_port=True, log_file=True))

    return prepare


class Desktop:
    """Window, tray and engine of one run. `live` returns the exit code once all of it ended."""

    def __init__(self, app: QApplication, paths: Paths, prepare: Prepare, *, hidden: bool, demo: bool = False) -> None:
        self._app = app
        self.preferences = Preferences(paths.data / "desktop.ini")
        theme().choose(self.preferences.theme)
        self.bridge = Bridge(prepare)
        self.store = Store(self.bridge, self.preferences, demo=demo)
        self.window = Window(self.store, self.preferences)
        if not demo:
            self.window.failed.offer(ConfigRepair(paths.config, dict(os.environ)), paths)
        self._notifications = Notifications()
        self.tray = Tray(self.store, self._notifications)
        self.notifier = Notifier(self.store, self.preferences, self.tray.say, self._open)
        self._tasks = PageTasks(self.window, lambda error: self.window.toast.say(trouble(error)))
        self._over = asyncio.Event()
        self._hidden = hidden
        self.assistant: Assistant | None = None
        self._offered = False
        self._lacks_named_config = paths.config_named and not paths.config.exists()
        self._question: QDialog | None = None
        self.store.changed.connect(self._offer_assistant)
        self.window.assistant_requested.connect(self._assist)
        self.window.closing = self._closing
        self.window.quit_requested.connect(self._quit_requested)
        self.window.pause_requested.connect(self._toggle_pause)
        self.tray.wished.connect(self._requested)
        self.tray.pause_requested.connect(self._pause)
        self._missed = 0
        """How often in a row no host showed the tray icon."""
        self._minimized_for_tray = False
        self.tray.seen.connect(self._tray_seen)
        self.window.offer_quit(not (self.tray.is_there or demo))
        app.commitDataRequest.connect(self._logging_out)
        self.power, self.network = Power(parent=self.window), Network(self.window)
        self.power.woke.connect(self._woke)
        self.network.returned.connect(self._network_returned)

    async def live(self) -> int:
        """From the start of the engine to the end of everything."""
        self._listen_to_signals()
        self.bridge.start()
        if not (self._hidden and self.tray.is_there):
            self.window.to_front()
        for each in (self.power, self.network):  # they ask the system, which may take its time
            each.start()
        try:
            await self._over.wait()
        finally:
            failed = self.bridge.state == "failed"
            self.window.remember()
            self.window.hide()
            self.tray.hide()
            await self._notifications.close()
            stopped = await self.bridge.stop()
            self.preferences.sync()
        if not stopped:
            _log.error("the engine did not end in time")
        return 1 if failed else 0

    def quit(self) -> None:
        """End the program: what is not sent yet waits on disk for the next start."""
        self._over.set()

    def _quit_requested(self) -> None:
        """As a person asks for it: what was typed and is not saved yet would be lost."""
        unsaved = self.window.unsaved
        if not unsaved or self.store.demo:
            self.quit()
            return
        self.window.to_front()
        if self._question is None:
            tr = self.window.tr
            more = tr("Not saved yet: {}").format(", ".join(unsaved))
            go_on, leave = tr("Go back"), tr("Quit without saving")
            self._question = ask(self.window, tr("Quit without saving?"), more, go_on, leave, self.quit)
            self._question.finished.connect(self._answered)

    def _answered(self) -> None:
        self._question = None

    def _open(self, page: str = "") -> None:
        self.window.to_front()
        self._offer_assistant()
        if page:
            self.window.show_page(page)

    def _offer_assistant(self) -> None:
        """Once a run, where nobody is watched yet and the window is seen.

        Shown again to someone who completed it if the named config does not exist: it creates that one.
        """
        snapshot = self.store.snapshot
        if self._offered or snapshot is None or not self.window.isVisible():
            return
        self._offered = True
        if not snapshot.streamers and (self._lacks_named_config or not self.preferences.assistant_done):
            self._assist()

    def _assist(self) -> None:
        if self.store.demo:
            return  # nothing is set up there
        if self.assistant is not None:
            if self.assistant.isVisible():
                self.assistant.raise_()
                return
            self.assistant.deleteLater()
        self.assistant = Assistant(self.store, self.preferences, self.window)
        self.assistant.resume()
        self.assistant.open()

    def _closing(self) -> bool:
        """The window was closed: the program keeps running in the tray, and says so once. A demo ends."""
        if self.store.demo:
            self.quit()
            return True
        if not self.tray.is_there:
            self._minimize()
            return False
        if self.preferences.first_time("closed"):
            self._explain_closing()
            return False
        return True

    def _tray_seen(self, seen: bool) -> None:
        """Panels end and come back: a window that is only in the tray must stay within reach meanwhile."""
        self.window.offer_quit(not (seen or self.store.demo))
        self._missed = 0 if seen else self._missed + 1
        self._minimized_for_tray = self._minimized_for_tray and self.window.isMinimized()
        if self._missed >= _MISSED and not self.window.isVisible():
            self._minimized_for_tray = True
            self.window.showMinimized()
        elif seen and self._minimized_for_tray:
            self._minimized_for_tray = False
            self.window.hide()

    def _minimize(self) -> None:
        """Without a tray nothing else would lead back to the window. Said once."""
        if not self.preferences.first_time("minimized"):
            self.window.showMinimized()
            return
        text = self.window.tr(
            "itsjustintv goes on working, so that no stream is missed. There is no tray for its icon, so the window is "
            "only minimized.\n\nTo end it, choose Quit at the foot of the window."
        )
        message(self.window, text).finished.connect(self.window.showMinimized)

    def _explain_closing(self) -> None:
        """Once. The window goes when that was read; nothing is held up meanwhile."""
        text = self.window.tr(
            "itsjustintv goes on working in the tray, so that no stream is missed.\n\n"
            "To end it, choose Quit in the menu of its icon."
        )
        message(self.window, text).finished.connect(self.window.hide)

    def _requested(self, what: str) -> None:
        if what == "quit":
            self._quit_requested()
        elif what == "open":
            self._open()
        elif what == "settings":
            self._open("settings")
        elif what == "resume":
            self._tasks.start("resume", self.bridge.call(lambda engine: engine.api.announcements.resume()))
        elif what == "test":
            self._open("destinations")

    def _toggle_pause(self) -> None:
        snapshot = self.store.snapshot
        if snapshot is not None and snapshot.paused:
            self._requested("resume")
        else:
            self._pause(None)

    def _pause(self, until: float | None) -> None:
        self._tasks.start("pause", self.bridge.call(lambda engine: engine.api.announcements.pause(until)))

    def _woke(self) -> None:
        if self.bridge.state == "running":
            self._tasks.start("wake", self.bridge.call(lambda engine: engine.api.connection.woke()))

    def _network_returned(self) -> None:
        if self.bridge.state == "running":
            self._tasks.start("network", self.bridge.call(lambda engine: engine.api.connection.network_returned()))

    def _logging_out(self) -> None:
        """The session ends, and no clean-up would be waited for: what is on disk is valid at any moment."""
        self.window.remember()
        self.quit()

    def _listen_to_signals(self) -> None:
        """Ctrl-C and SIGTERM end it cleanly. Python handles a signal only between bytecodes, so a timer runs some."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.quit())
        beat = QTimer(self.window, interval=250)
        beat.timeout.connect(lambda: None)
        beat.start()
