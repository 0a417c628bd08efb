"""Widgets without a screen: Qt draws in memory, an event loop of qasync turns with Qt's own."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

pytest.importorskip(
    "PySide6.QtWidgets", reason="Qt's libraries are not on this machine (make system-deps)", exc_type=ImportError
)

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from qasync import QEventLoop
from shiboken6 import isValid

from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme import theme
from tests.ui.fake import FakeBridge, FakeEngine


@pytest.fixture(autouse=True)
def _garbage_on_this_thread() -> Iterator[None]:
    """As in the program (ui/gc_control.py): an engine's thread that collects would delete widgets, and crash."""
    gc.disable()
    yield
    gc.collect()
    gc.freeze()
    gc.enable()


_timers: WeakSet[QTimer] = WeakSet()


def _stop_timers() -> None:
    """A window that something still holds is deleted some time after its test, and its timers must not run on."""
    _timers.update(each for each in gc.get_objects() if type(each) is QTimer)  # of this test: all else is frozen
    for timer in list(_timers):
        if isValid(timer):
            timer.stop()


@pytest.fixture(autouse=True)
def qt_loop(qapp: QApplication) -> Iterator[QEventLoop]:
    """Tasks started by a slot run whenever Qt's events are handled (qtbot.waitUntil)."""
    loop = QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    theme().choose("dark")
    yield loop
    _stop_timers()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    for _ in range(3):
        qapp.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # else windows pile up
    _stop_timers()
    asyncio._set_running_loop(None)
    asyncio.set_event_loop(None)
    loop.close()


class PatientBot(QtBot):
    """Waits as long as everything else here: five seconds are not enough on a machine that does four things at once."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = 30_000) -> None:  # noqa: N802
        super().waitUntil(callback, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


@pytest.fixture
def bridge() -> Iterator[FakeBridge]:
    made = FakeBridge()
    yield made
    made.end()


@pytest.fixture
def engine(bridge: FakeBridge) -> FakeEngine:
    return bridge.engine


@pytest.fixture
def store(bridge: Any, preferences: Preferences) -> Store:
    return Store(bridge, preferences)


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    return Preferences(tmp_path / "desktop.ini")


@pytest.fixture(params=["de", "en"])
def spoken(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[str]:
    """The language of the window."""
    before = QLocale()
    kept = language.install(request.param)
    yield request.param
    for each in kept:
        qapp.removeTranslator(each)
    QLocale.setDefault(before)
