"""After saving, by button or by Ctrl+S, the focus is in the field that a person typed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QCheckBox, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.pages.settings.view import RAW
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples, test_connection
from tests.ui.fake import FakeBridge
from tests.ui.pages.destinations import test_destinations
from tests.ui.pages.settings import test_settings
from tests.ui.pages.streamers import test_streamers
from tests.ui.test_focus import Host, hosted

WAYS = ("mouse", "Space", "Ctrl+S")


def focused() -> QWidget | None:
    return QApplication.focusWidget()


def type_and_save(
    qtbot: QtBot, host: Host, field: QWidget, save: QAbstractButton, way: str, done: Callable[[], bool]
) -> None:
    field.setFocus()
    if isinstance(field, QAbstractSpinBox):
        field.selectAll()
    QTest.keyClicks(field, " " if isinstance(field, QCheckBox) else "7")
    qtbot.waitUntil(save.isEnabled)
    if way == "Ctrl+S":
        QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.Save))
    elif way == "mouse":
        save.setFocus(Qt.FocusReason.MouseFocusReason)
        QTest.mouseClick(save, Qt.MouseButton.LeftButton)
    else:
        save.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(save, Qt.Key.Key_Space)
    qtbot.waitUntil(done)
    qtbot.waitUntil(lambda: is_calm(host.page))
    assert focused() is field, f"{focused()!r} of {host!r}"


def is_calm(page: Page) -> bool:
    """The snapshot that follows has come, and all that the page asked for after it."""
    soon = [timer for timer in page.findChildren(QTimer) if timer.isSingleShot() and timer.interval() < 1000]
    waiting = [timer for timer in (*soon, page.store._soon) if timer.isActive()]
    return not (waiting or page.tasks._tasks or page.store._tasks._tasks)


def is_saved(page: Page, bridge: FakeBridge, what: str) -> Callable[[], bool]:
    return lambda: bool(bridge.engine.was_asked(f"api.settings.{what}")) and not page.tasks.is_running("save")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["description", "key", "tags", "extra", "enabled"])
def test_a_streamer(qtbot: QtBot, store: Store, bridge: FakeBridge, name: str, way: str) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge" and page.form.preview.isVisible())
    field = getattr(page.form, name)
    if name == "key":
        renamed = (samples.streamer("pixelforge", key="pixelforge7", live=True), samples.streamer("aurora_plays"))
        bridge.engine.api.settings.set("streamers.update", lambda *_: _renamed(bridge, streamers=renamed))
    done = is_saved(page, bridge, "streamers.update")
    type_and_save(qtbot, host, getattr(field, "edit", field), page.form.save, way, done)
    if name == "tags":
        assert bridge.engine.was_asked("api.settings.streamers.update")[0].args[1].tag_filter == ("Deutsch", "7")


def _renamed(bridge: FakeBridge, **snapshot: object) -> object:
    bridge.engine._snapshot = samples.snapshot(**snapshot)
    return test_streamers.SAVED


@pytest.mark.parametrize("way", WAYS)
def test_several_streamers(qtbot: QtBot, store: Store, bridge: FakeBridge, way: str) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    page.table.selectAll()
    qtbot.waitUntil(page.many.isVisible)
    done = is_saved(page, bridge, "streamers.change_many")
    type_and_save(qtbot, host, page.many.tags.edit, page.many.save, way, done)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["title", "url", "secret", "timeout"])
def test_a_destination(qtbot: QtBot, store: Store, bridge: FakeBridge, name: str, way: str) -> None:
    page = test_destinations.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    page.form.more.click()

    def renamed(*_: object) -> object:
        infos = (test_destinations.info("community7"), test_destinations.info("chat"))
        bridge.engine.api.settings.set("destinations.list", infos)
        rows = (samples.destination("community7"), samples.destination("chat", format="discord"))
        bridge.engine._snapshot = samples.snapshot(destinations=rows)
        return test_destinations.SAVED

    if name == "title":
        bridge.engine.api.settings.set("rename.destination", renamed)
    field = getattr(page.form, name)
    type_and_save(qtbot, host, field, page.save, way, is_saved(page, bridge, "destinations.save"))
    assert page.form.title.text() == ("community7" if name == "title" else "community")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tab", ["form", "raw"])
def test_the_settings(qtbot: QtBot, store: Store, bridge: FakeBridge, tmp_path: Path, tab: str, way: str) -> None:
    page = test_settings.shown(qtbot, store, bridge, tmp_path)
    host = hosted(qtbot, page)
    field: QWidget = test_settings.line(page, "retry", "max_attempts").edit
    if tab == "raw":
        page.tabs.setCurrentIndex(RAW)
        field = page.raw.editor
    else:
        qtbot.waitUntil(field.isVisible)
    field.setFocus()
    QTest.keyClicks(field, "#" if tab == "raw" else "1")
    qtbot.waitUntil(page.bar.save.isEnabled)
    type_and_save(qtbot, host, field, page.bar.save, way, is_saved(page, bridge, "documents.save_text"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["client_id", "domain"])
def test_the_connection(qtbot: QtBot, store: Store, bridge: FakeBridge, name: str, way: str) -> None:
    page = test_connection.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    test_connection.opened(qtbot, page, bridge)
    page.switch.form.choose("ngrok")
    field: QWidget = getattr(page.switch.form, name)
    field.setFocus()
    QTest.keyClicks(field, "1")
    page.switch.check.setFocus()
    QTest.keyClick(page.switch.check, Qt.Key.Key_Space)
    qtbot.waitUntil(page.switch.save.isEnabled)
    assert focused() is field, "after the check"
    if way == "Ctrl+S":
        QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.Save))
    else:
        page.switch.save.setFocus()
        QTest.keyClick(page.switch.save, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.documents.edit")))
    qtbot.waitUntil(lambda: not page.tasks.is_running("save way"))
    assert focused() is field, f"{focused()!r} of {host!r}"


def test_ctrl_s_checks_a_connection_before_it_saves_it(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = test_connection.shown(qtbot, store, bridge)
    hosted(qtbot, page)
    QTest.keySequence(page, QKeySequence(QKeySequence.StandardKey.Save))
    test_connection.opened(qtbot, page, bridge)
    QTest.keyClicks(page.switch.form.client_id, "1")
    QTest.keySequence(page.switch.form.client_id, QKeySequence(QKeySequence.StandardKey.Save))
    qtbot.waitUntil(page.switch.save.isEnabled)
    assert bridge.engine.was_asked("api.settings.connection_check.check")
    assert not bridge.engine.was_asked("api.settings.documents.edit")
