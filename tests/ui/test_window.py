"""The window around the pages: where the focus begins."""

from __future__ import annotations

from typing import Literal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.ui.pages import Entry
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.sidebar import NavButton
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme import theme
from tests.ui import samples
from tests.ui.fake import FakeBridge


class _Plain(Page):
    def __init__(self, store: Store, title: str) -> None:
        super().__init__(store, title)
        self.field = QLineEdit()
        self.body.addWidget(self.field)


@pytest.fixture
def window(
    qtbot: QtBot, store: Store, bridge: FakeBridge, preferences: Preferences, monkeypatch: pytest.MonkeyPatch
) -> Window:
    monkeypatch.setattr(Entry, "make", lambda self, store: _Plain(store, self.name))
    made = Window(store, preferences)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    store.snapshot = samples.snapshot()
    store.changed.emit()
    return made


def quits(window: Window) -> list[str]:
    """The visible buttons that end the program."""
    texts = [each.text().replace("&", "") for each in window.findChildren(QPushButton) if each.isVisible()]
    return [text for text in texts if text in {"Quit", "End the demo"}]


def plain(window: Window, name: str) -> _Plain:
    page = window.page(name)
    assert isinstance(page, _Plain)
    return page


def test_the_focus_begins_on_the_page_where_no_key_does_anything(qtbot: QtBot, window: Window) -> None:
    page = plain(window, "overview")
    assert window.focusWidget() is page
    with qtbot.assertNotEmitted(window.pause_requested):
        QTest.keyClick(page, Qt.Key.Key_Space)
        QTest.keyClick(page, Qt.Key.Key_Return)
    QTest.keyClick(page, Qt.Key.Key_Tab)
    assert window.focusWidget() is page.field


def test_it_goes_along_to_another_page(window: Window) -> None:
    plain(window, "overview").field.setFocus()
    window.show_page("streamers")
    assert window.focusWidget() is plain(window, "streamers")
    plain(window, "streamers").field.setFocus()
    window.show_page("streamers")
    assert window.focusWidget() is plain(window, "streamers").field


def test_who_walks_through_the_sidebar_stays_there(window: Window) -> None:
    buttons = window.sidebar.findChildren(NavButton)
    buttons[2].setFocus()
    QTest.keyClick(buttons[2], Qt.Key.Key_Space)
    assert window.current == "streamers"
    assert window.focusWidget() is buttons[2]


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_sidebar_is_told_from_the_page(window: Window, name: Literal["dark", "light"]) -> None:
    """A style sheet's background is not painted by every widget."""
    before = theme().choice
    theme().choose(name)
    try:
        seen = window.grab().toImage()
        palette = theme().palette
        assert seen.pixelColor(3, window.height() // 2).name() == palette.sidebar
        assert seen.pixelColor(window.sidebar.width() + 4, window.height() // 2).name() == palette.window
    finally:
        theme().choose(before)


def test_a_long_number_does_not_lie_over_the_name_of_its_page(window: Window) -> None:
    button = window.sidebar.findChildren(NavButton)[4]
    for number, shown in ((0, ""), (999, "999"), (100_000, "999+")):
        button.count(number)
        assert button._count.isVisible() == bool(shown)
        assert not shown or button._count.text() == shown
    assert button.accessibleName().endswith(", 100000")


def test_a_window_that_comes_back_from_the_tray_shows_how_it_is_now(window: Window, store: Store) -> None:
    page = plain(window, "overview")
    seen: list[object] = []
    page.refresh = seen.append  # type: ignore[assignment, method-assign]
    window.hide()
    store.snapshot = samples.snapshot(live=())
    store.changed.emit()
    assert not seen
    window.show()
    assert seen == [store.snapshot]


def undo(window: Window) -> QPushButton:
    (found,) = [each for each in window.toast.findChildren(QPushButton) if each.text() == "Undo"]
    return found


def test_a_word_about_a_page_goes_with_it_and_its_way_back_stays(window: Window) -> None:
    undone: list[str] = []
    page = plain(window, "streamers")
    window.show_page("streamers")
    page.tell("Removed alice.", "Undo", lambda: undone.append("alice"))
    assert window.toast.isVisible()
    window.show_page("streamers")
    assert undo(window).isVisible(), "the page is still in front"
    window.show_page("overview")
    assert not window.toast.isVisible()
    window.show_page("streamers")
    assert page.undo_button.isVisible()
    page.undo()
    assert undone == ["alice"]


def test_a_word_of_a_page_behind_is_read_and_stays_on_the_way_to_it(window: Window) -> None:
    behind = plain(window, "streamers")
    window.show_page("overview")
    undone: list[str] = []
    behind.tell("Removed alice.", "Undo", lambda: undone.append("alice"))
    assert window.toast.isVisible(), "what was under way is over: it is said wherever one is"
    window.show_page("streamers")
    assert window.toast.isVisible()
    undo(window).click()
    assert undone == ["alice"]
    behind.tell("Removed bob.")
    window.show_page("overview")
    assert not window.toast.isVisible()


def test_a_word_about_the_program_stays_on_every_page(window: Window) -> None:
    window.toast.say("The disk is full.")
    window.show_page("streamers")
    assert window.toast.isVisible()


def test_an_engine_that_fails_takes_the_word_of_the_page_along(
    window: Window, bridge: FakeBridge, store: Store
) -> None:
    plain(window, "overview").tell("Removed alice.", "Undo", lambda: None)
    bridge.state, bridge.error = "failed", errors.AlreadyRunningError("Another one runs here.")
    bridge.state_changed.emit("failed")
    assert not window.toast.isVisible(), "nothing can be taken back while no engine runs"


@pytest.mark.parametrize("tray", [True, False])
def test_the_way_out_is_there_once(window: Window, bridge: FakeBridge, tray: bool) -> None:
    window.offer_quit(not tray)
    assert quits(window) == ([] if tray else ["Quit"])
    bridge.state, bridge.error = "failed", errors.AlreadyRunningError("Another one runs here.")
    bridge.state_changed.emit("failed")
    assert quits(window) == ["Quit"]
    window.offer_quit(not tray)  # as the tray says it again and again
    assert quits(window) == ["Quit"]
    bridge.again()
    window._store.changed.emit()
    assert window.current
    assert quits(window) == ([] if tray else ["Quit"])
