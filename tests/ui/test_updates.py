"""A newer version is told quietly: a line at the foot of the sidebar, an entry in the tray, one notification."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import UpdateView, errors, events
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.notifications import Notifier
from itsjustintv_desktop.ui.pages import Entry
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.sidebar import NavButton, UpdateLine
from itsjustintv_desktop.ui.shell.tray import Tray
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge, FakeEngine
from tests.ui.keyboard import clashes, menu_clashes

UPDATE = UpdateView(
    version="1.3.0", released=samples.NOW, download_url="https://example.org/get/1.3.0?a=b", notes_url="https://e.org/n"
)
ENTRY = "&Version 1.3.0 is there: download page"


def show(store: Store, update: UpdateView | None = UPDATE) -> None:
    store.snapshot = samples.snapshot(update=update)
    store.changed.emit()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser was sent to."""
    found: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: found.append(QUrl(url).toString()))
    return found


@pytest.fixture
def line(qtbot: QtBot, store: Store) -> UpdateLine:
    made = UpdateLine(store)
    qtbot.addWidget(made)
    return made


def test_it_is_there_only_with_a_newer_version(line: UpdateLine, store: Store, bridge: FakeBridge) -> None:
    assert line.isHidden()
    show(store, None)
    assert line.isHidden()
    show(store)
    assert not line.isHidden()
    assert line.sentence.text() == "Version 1.3.0 is there"
    assert line.page.accessibleName() == "Download page of version 1.3.0"
    assert line.skip.accessibleName() == "Skip this version"
    show(store, None)
    assert line.isHidden(), "it was skipped, or switched off"
    show(store)
    bridge.state = "stopped"
    bridge.state_changed.emit("stopped")
    assert line.isHidden()


def test_its_button_opens_the_page_and_does_nothing_else(
    line: UpdateLine, store: Store, engine: FakeEngine, opened: list[str]
) -> None:
    show(store)
    line.page.click()
    assert opened == [UPDATE.download_url]
    assert engine.asked == []


def test_skipping_is_asked_of_the_engine(qtbot: QtBot, line: UpdateLine, store: Store, engine: FakeEngine) -> None:
    show(store)
    line.skip.click()
    qtbot.waitUntil(lambda: bool(engine.asked))
    assert [(each.what, each.args) for each in engine.asked] == [("api.updates.skip", ("1.3.0",))]


def test_a_skip_that_cannot_be_kept_leaves_it_there(
    qtbot: QtBot, line: UpdateLine, store: Store, engine: FakeEngine
) -> None:
    engine.api.set("updates.skip", errors.LedgerUnavailableError("The disk is full."))
    show(store)
    line.skip.click()
    qtbot.waitUntil(lambda: bool(engine.asked) and not line._tasks.is_running("skip"))
    assert not line.isHidden()


def test_tab_reaches_it_between_the_pages_and_pause(
    qtbot: QtBot, store: Store, preferences: Preferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Entry, "make", lambda self, store: Page(store, self.name))
    window = Window(store, preferences)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    show(store)
    assert window.update_line.isVisible()
    assert clashes(window) == []
    way: list[QWidget] = [window.sidebar.findChildren(NavButton)[-1], window.update_line.page, window.update_line.skip]
    way[0].setFocus()
    for before, after in pairwise([*way, window.sidebar._pause]):
        QTest.keyClick(before, Qt.Key.Key_Tab)
        assert window.focusWidget() is after


def test_the_tray_has_an_entry_that_opens_the_page(store: Store, opened: list[str]) -> None:
    tray = Tray(store)
    try:
        show(store, None)
        assert ENTRY not in [action.text() for action in tray.menu.actions()]
        show(store)
        (entry,) = [action for action in tray.menu.actions() if action.text() == ENTRY]
        assert menu_clashes(tray.menu) == []
        entry.trigger()
        assert opened == [UPDATE.download_url]
        show(store, None)
        assert ENTRY not in [action.text() for action in tray.menu.actions()]
    finally:
        tray.hide()


def test_it_is_notified_once_a_version_and_only_if_wanted(
    store: Store, preferences: Preferences, bridge: FakeBridge
) -> None:
    told: list[tuple[str, str]] = []
    notifier = Notifier(store, preferences, lambda title, text, _: told.append((title, text)), lambda _: None)
    new, again = (events.UpdateChanged(version="1.3.0", is_new=is_new) for is_new in (True, False))
    bridge.happen(new)
    bridge.happen(again, events.UpdateChanged(version="", is_new=False))
    assert told == [("Version 1.3.0 is there", "Nothing is installed by itself.")]
    preferences.set_notify("update", False)
    bridge.happen(new)
    assert len(told) == 1
    assert notifier is not None


@pytest.fixture
def in_german(qapp: QApplication) -> Iterator[None]:
    kept = language.install("de")
    yield
    for each in kept:
        qapp.removeTranslator(each)


@pytest.mark.usefixtures("in_german")
def test_in_german(line: UpdateLine, store: Store) -> None:
    show(store)
    assert line.sentence.text() == "Version 1.3.0 ist da"
    assert line.page.text() == "Download-Seite"
    assert (
        translate("Version 1.3.0 is there; this is 0.1.0. See https://example.org/get/1.3.0")
        == "Version 1.3.0 ist da; dies ist 0.1.0. Siehe https://example.org/get/1.3.0"
    )
    tray = Tray(store)
    try:
        assert "&Version 1.3.0 ist da: zur Download-Seite" in [action.text() for action in tray.menu.actions()]
        assert menu_clashes(tray.menu) == []
    finally:
        tray.hide()
