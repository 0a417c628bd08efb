"""A newer version from a real server, through a real engine, to the window: seen, opened, skipped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from qasync import QEventLoop

from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.engine.monitoring.updates import check, signing
from itsjustintv_desktop.ui.bridge import Bridge
from itsjustintv_desktop.ui.engine_thread import Setting
from itsjustintv_desktop.ui.notifications import Notifier
from itsjustintv_desktop.ui.pages import Entry
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from tests.support.versions import Versions, manifest, versions
from tests.ui.test_first_run import SECONDS, Screen

LEFT = Qt.MouseButton.LeftButton


async def refused(bridge: Bridge) -> None:
    async def code(engine: Any) -> str:
        return str(engine.updates.code)

    while await bridge.call(code) != "refused":
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("tampered", [False, True])
def test_it_is_seen_opened_and_skipped(
    qtbot: QtBot,
    qapp: QApplication,
    qt_loop: QEventLoop,
    preferences: Preferences,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tampered: bool,
) -> None:
    monkeypatch.setattr(check, "FIRST", 0.2)
    monkeypatch.setattr(Entry, "make", lambda self, store: Page(store, self.name))
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(QUrl(url).toString()))
    qapp.setQuitOnLastWindowClosed(False)  # as the program does
    paths = Paths(config=tmp_path / "config" / "config.toml", data=tmp_path / "data")
    paths.create()
    servers: list[Versions] = []

    @asynccontextmanager
    async def prepare() -> AsyncIterator[Setting]:
        async with versions() as server:
            server.publish(manifest("99.0.0", now=time.time()))
            if tampered:
                server.raw = server.raw.replace(b"example.org", b"example.net")
            servers.append(server)
            monkeypatch.setattr(signing, "pinned_keys", lambda: (server.key.public,))
            environ = {
                "ITSJUSTINTV_UPDATES_URL": server.url, "ITSJUSTINTV_SECRETS_STORE": "memory",
                "ITSJUSTINTV_SERVER_PORT": "0",
            }  # fmt: skip
            yield Setting(EngineOptions(paths=paths, environ={**os.environ, **environ}))

    screen, bridge = Screen(qt_loop), Bridge(prepare)
    store = Store(bridge, preferences)
    window = Window(store, preferences)
    qtbot.addWidget(window)
    told: list[str] = []
    notifier = Notifier(store, preferences, lambda title, *_: told.append(title), lambda _: None)
    window.show()
    bridge.start()
    try:
        line = window.update_line
        screen.until(lambda: bool(servers) and servers[0].count > 0, "it is asked")
        if tampered:
            screen.do(asyncio.wait_for(refused(bridge), SECONDS))
            screen.do(bridge.call(lambda engine: engine.snapshot()))
            assert servers[0].count == 2, "it was asked once more before it was not believed"
            assert line.isHidden()
            assert "Version 99.0.0 is there" not in told
            return
        screen.until(line.isVisible, "the line is shown")
        assert line.sentence.text() == "Version 99.0.0 is there"
        assert told.count("Version 99.0.0 is there") == 1
        QTest.mouseClick(line.page, LEFT)
        assert opened == ["https://example.org/releases/99.0.0"]
        QTest.mouseClick(line.skip, LEFT)
        screen.until(line.isHidden, "it is skipped")
        assert {request.path for request in servers[0].asked} == {"/latest.json", "/latest.json.sig"}
    finally:
        screen.do(bridge.stop())
        assert notifier is not None
