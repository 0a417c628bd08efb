"""Where the focus is after something was done: never on what takes something away, and no such control is a default."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import dump

from itsjustintv_desktop.engine import DestinationUse
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import button
from itsjustintv_desktop.ui.widgets.chips import ChipField
from itsjustintv_desktop.ui.widgets.dialog import Dialog, ask
from tests.ui.fake import FakeBridge
from tests.ui.pages.destinations import test_destinations
from tests.ui.pages.streamers import test_streamers
from tests.ui.test_every_page import Look, settled, walk

__all__ = ["walk"]

LEFT_ALONE = frozenset({"&Try again", "&Quit"})


def destructive(widget: QWidget | None) -> bool:
    return widget is not None and bool(widget.property("destructive"))


def faults(window: QWidget) -> list[str]:
    """What Space or Return would take away now."""
    found = []
    at = QApplication.focusWidget()
    if destructive(at):
        assert isinstance(at, QAbstractButton)
        found.append(f"the focus is on {at.text()!r}")
    buttons = [each for each in window.findChildren(QPushButton) if destructive(each) and each.isVisible()]
    return found + [f"{each.text()!r} is the default" for each in buttons if each.isDefault()]


class Host(Dialog):
    """A window with a page in it."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.page: Any = page
        layout = QVBoxLayout(self)
        layout.addWidget(page)


def hosted(qtbot: QtBot, page: QWidget) -> Host:
    host = Host(page)
    qtbot.addWidget(host)
    page.window_of_the_test = host  # type: ignore[attr-defined]  # as long as the page
    host.resize(1000, 700)
    host.show()
    host.activateWindow()
    qtbot.waitUntil(host.isActiveWindow)
    return host


def test_saving_and_then_space_removes_nobody(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    page.form.extra.add("community")
    page.form.save.setFocus()
    QTest.keyClick(page.form.save, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not page.tasks.is_running("save"))
    assert faults(host) == []
    at = QApplication.focusWidget()
    assert at is not None
    assert page.form.isAncestorOf(at)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
        QTest.keyClick(QApplication.focusWidget() or page, key)
    qtbot.wait(50)
    assert not bridge.engine.was_asked("api.settings.streamers.remove")


def test_saving_a_destination_and_then_space(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = test_destinations.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    QTest.keyClicks(page.form.title, "2")
    page.save.setFocus()
    QTest.keyClick(page.save, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not page.tasks.is_running("save"))
    assert faults(host) == []
    QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Space)
    qtbot.wait(50)
    assert not bridge.engine.was_asked("api.settings.destinations.delete")


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_one_press_removes_one(qtbot: QtBot, store: Store, bridge: FakeBridge, key: Qt.Key) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    page.form.remove.setFocus()
    for _ in range(3):
        QTest.keyClick(QApplication.focusWidget() or page, key)
        qtbot.waitUntil(lambda: not page.tasks.is_running("remove"))
    assert faults(host) == []
    assert len(bridge.engine.was_asked("api.settings.streamers.remove")) == 1


@pytest.mark.parametrize("how", ["keys", "button"])
def test_a_removal_is_taken_back_as_long_as_the_page_is_there(
    qtbot: QtBot, store: Store, bridge: FakeBridge, how: str
) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    assert faults(host) == []
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    assert not page.undo_button.isVisible()
    QTest.mouseClick(page.form.remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.undo_button.isVisible)
    assert "pixelforge" in page.undo_button.toolTip()
    if how == "keys":
        QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    else:
        page.undo_button.click()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.documents.undo")))
    assert bridge.engine.was_asked("api.settings.documents.undo")[0].args == ("token",)
    qtbot.waitUntil(lambda: not page.undo_button.isVisible())
    QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(50)
    assert len(bridge.engine.was_asked("api.settings.documents.undo")) == 1


@pytest.mark.parametrize("keys", [Qt.Key.Key_Y, Qt.Key.Key_Z])
def test_what_was_undone_is_named_and_can_be_done_again(
    qtbot: QtBot, store: Store, bridge: FakeBridge, keys: Qt.Key
) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    hosted(qtbot, page)
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    said: list[tuple[str, str]] = []
    page.said.connect(lambda text, action, _: said.append((text, action)))
    with_control = Qt.KeyboardModifier.ControlModifier
    again = with_control | Qt.KeyboardModifier.ShiftModifier if keys is Qt.Key.Key_Z else with_control

    def press(key: Qt.Key, modifiers: Qt.KeyboardModifier, results: int) -> tuple[str, str]:
        QTest.keyClick(QApplication.focusWidget() or page, key, modifiers)
        qtbot.waitUntil(lambda: len(said) == results)
        return said[-1]

    page.redo()
    QTest.mouseClick(page.form.remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.undo_button.isVisible)
    ((removed, _),) = said
    assert press(Qt.Key.Key_Z, with_control, 2) == (f"Undone: {removed}", "Redo")
    assert press(keys, again, 3) == (removed, "Undo")
    assert press(Qt.Key.Key_Z, with_control, 4) == (f"Undone: {removed}", "Redo")
    assert len(bridge.engine.was_asked("api.settings.documents.undo")) == 3
    page.tell("Another change", "Undo", lambda: None)
    page.redo()
    qtbot.wait(50)
    assert len(bridge.engine.was_asked("api.settings.documents.undo")) == 3, "another change came after it"


def test_a_destination_is_brought_back_as_well(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = test_destinations.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    assert faults(host) == []
    QTest.mouseClick(page.remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.undo_button.isVisible)
    QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.documents.undo")))


def test_a_question_keeps_what_there_is(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = test_destinations.shown(qtbot, store, bridge)
    host = hosted(qtbot, page)
    assert faults(host) == []
    bridge.engine.api.settings.set("destinations.use", DestinationUse(waiting=3, streamers=("alice",)))
    QTest.mouseClick(page.remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(page.findChildren(QMessageBox)))
    (box,) = page.findChildren(QMessageBox)
    qtbot.waitUntil(lambda: box.isActiveWindow() and QApplication.focusWidget() in box.buttons())
    assert faults(box) == []
    QTest.keyClick(QApplication.focusWidget() or box, Qt.Key.Key_Return)
    qtbot.wait(50)
    assert not bridge.engine.was_asked("api.settings.destinations.delete")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Space])
def test_a_key_pressed_blindly_answers_no(qtbot: QtBot, key: Qt.Key) -> None:
    done: list[bool] = []
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    box = ask(parent, "Forget it?", "It cannot be brought back.", "Keep it", "Forget it", lambda: done.append(True))
    qtbot.waitUntil(box.isActiveWindow)
    assert faults(box) == []
    QTest.keyClick(QApplication.focusWidget() or box, key)
    qtbot.wait(20)
    assert done == []


@pytest.mark.parametrize("how", ["disabled", "hidden", "its part is hidden"])
def test_the_focus_of_what_goes_away_stays_with_the_fields(qtbot: QtBot, how: str) -> None:
    window, part = Dialog(), QWidget()
    qtbot.addWidget(window)
    field, save = QLineEdit(), button("Save")
    remove = button("Remove", role="danger")
    inner = QVBoxLayout(part)
    inner.addWidget(save)
    layout = QVBoxLayout(window)
    for each in (field, part, remove):
        layout.addWidget(each)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    save.setFocus()
    if how == "disabled":
        save.setEnabled(False)
    else:
        (save if how == "hidden" else part).hide()
    assert QApplication.focusWidget() is field
    QTest.keyClick(field, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is remove, "a person's own way is open"


def owner(widget: QWidget) -> str:
    (line,) = (line for line in dump(widget).splitlines() if line.startswith("parent"))
    return line


@pytest.mark.parametrize("way", ["disabled", "chips"])
def test_who_looks_for_the_focus_owns_nothing(qtbot: QtBot, way: str) -> None:
    """In PySide 6.11 the widget that is asked for its neighbour of the focus chain is the owner of that from then on,
    for Python, and what then owns itself in a ring is collected while it is on the screen."""
    window, part = Dialog(), QWidget()
    qtbot.addWidget(window)
    field = QLineEdit()
    asks = ChipField("Tags", "") if way == "chips" else button("Save")
    inner = QVBoxLayout(part)
    inner.addWidget(asks)
    layout = QVBoxLayout(window)
    layout.addWidget(field)
    layout.addWidget(part)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    field.setFocus()
    assert owner(field) == owner(part)
    if isinstance(asks, ChipField):
        asks.add("one")
    else:
        asks.setFocus()
        asks.setEnabled(False)
    qtbot.wait(20)
    assert owner(field) == owner(part)


def test_nobody_asks_for_a_neighbour_of_the_focus_chain() -> None:
    here = Path(__file__)
    asked = re.compile(r"\.(next|previous)InFocusChain\(")
    files = [*here.parents[2].joinpath("itsjustintv_desktop").rglob("*.py"), *here.parents[1].rglob("*.py")]
    assert [str(each) for each in files if asked.search(each.read_text("utf-8"))] == []


# On every page and dialog of the real program


def pressable(window: QWidget, page: QWidget) -> list[QAbstractButton]:
    """What can be pressed on a page now, in the order of the screen."""
    found = [
        each
        for each in page.findChildren(QAbstractButton)
        if each.isVisible() and each.isEnabled() and each.text() not in LEFT_ALONE and each.window() is window
    ]
    return sorted(found, key=lambda each: (each.mapTo(window, QPoint(0, 0)).y(), each.mapTo(window, QPoint(0, 0)).x()))


def what(each: QAbstractButton) -> str:
    return f"{type(each).__name__} {each.accessibleName() or each.text()!r}"


@pytest.fixture
def harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is opened outside of the window."""
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: True)
    monkeypatch.setattr(QFileDialog, "open", lambda *_: None)


async def put_away(window: QWidget) -> AsyncIterator[QWidget]:
    """Menus and dialogs that opened, each closed after it was looked at."""
    for _ in range(5):
        popup = QApplication.activePopupWidget()
        dialogs = [each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible()]
        if isinstance(popup, QWidget):
            popup.close()
        elif dialogs:
            yield dialogs[-1]
            dialogs[-1].reject()
        else:
            return
        await asyncio.sleep(0.05)


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("harmless")
@pytest.mark.slow
def test_after_every_action_on_every_page(walk: Callable[[Look], list[str]]) -> None:
    pressed: list[str] = []

    async def press_all(window: Window) -> list[str]:
        page, found, seen = window.page(window.current), list[str](), set[str]()
        while True:
            left = [each for each in pressable(window, page) if what(each) not in seen]
            if not left:
                return found
            each = left[0]
            seen.add(what(each))
            pressed.append(what(each))
            name = what(each)
            window.activateWindow()
            each.setFocus()
            QTest.keyClick(each, Qt.Key.Key_Space)
            await settled(window)
            async for dialog in put_away(window):
                found += [f"after {name}, in a dialog: {fault}" for fault in faults(dialog)]
            await asyncio.sleep(0.05)
            found += [f"after {name}: {fault}" for fault in faults(window)]

    assert [fault for fault in walk(press_all) if "after " in fault] == []
    assert len(pressed) > 60, pressed
