"""Pages, dialogs, menus and the assistant by keyboard: names, the order of Tab, and letters with Alt."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import Document, Report
from itsjustintv_desktop.ui.assistant import Assistant
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages import ENTRIES
from itsjustintv_desktop.ui.pages.feed.card import FeedCard
from itsjustintv_desktop.ui.pages.feed.view import FeedView
from itsjustintv_desktop.ui.pages.settings.document import ImportDialog
from itsjustintv_desktop.ui.pages.streamers.add import AddDialog
from itsjustintv_desktop.ui.pages.streamers.paste import PasteDialog
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.tray import Tray
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from tests.ui import keyboard, samples
from tests.ui.fake import FakeBridge
from tests.ui.keyboard import clashes, menu_clashes
from tests.ui.pages.settings.test_moving import Plan
from tests.ui.test_feed import entry, filtered

STEPS = ("welcome", "register", "reach", "streamer", "destination", "test", "done")


def shown(qtbot: QtBot, dialog: QDialog) -> None:
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)


def faults(dialog: QWidget) -> list[str]:
    return keyboard.faults(dialog) + keyboard.leaps(dialog)


@pytest.fixture
def assistant(qtbot: QtBot, store: Store, preferences: Preferences, bridge: FakeBridge) -> Assistant:
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    bridge.engine.api.settings.set("connection_check.check", ())
    bridge.engine.api.set("diagnostics.doctor", Report(ok=True, checks=()))
    bridge.engine.api.settings.set("documents.document", Document(text="", digest="d", path="config.toml"))
    for what in ("form.fields", "secrets.list", "destinations.list"):
        bridge.engine.api.settings.set(what, ())
    made = Assistant(store, preferences)
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("name", STEPS)
def test_the_assistant(qtbot: QtBot, assistant: Assistant, name: str) -> None:
    shown(qtbot, assistant)
    assistant.show_step(name)
    qtbot.waitUntil(lambda: faults(assistant) == [])


def adding(parent: QWidget, bridge: FakeBridge) -> QDialog:
    return AddDialog(parent, bridge, Pictures(bridge, parent), ("friends", "website"))  # type: ignore[arg-type]


def pasting(parent: QWidget, bridge: FakeBridge) -> QDialog:
    return PasteDialog(parent, bridge, ("friends", "website"))  # type: ignore[arg-type]


def importing(parent: QWidget, bridge: FakeBridge) -> QDialog:
    return ImportDialog(parent, bridge, Plan())  # type: ignore[arg-type]


@pytest.mark.usefixtures("spoken")
@pytest.mark.parametrize("make", [adding, pasting, importing])
def test_a_dialog(qtbot: QtBot, bridge: FakeBridge, make: Callable[[QWidget, FakeBridge], QDialog]) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = make(parent, bridge)
    assert clashes(dialog) == []
    shown(qtbot, dialog)
    qtbot.waitUntil(lambda: faults(dialog) == [])


# No two controls of a window, and no two lines of a menu, have the same letter, in either language


@pytest.mark.usefixtures("spoken")
@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_a_page(qtbot: QtBot, store: Store, preferences: Preferences, bridge: FakeBridge, name: str) -> None:
    window = Window(store, preferences)
    qtbot.addWidget(window)
    window.page(name)
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    assert clashes(window) == []


@pytest.mark.usefixtures("spoken")
def test_the_letters_of_the_assistant(assistant: Assistant) -> None:
    for name in STEPS:
        assistant.show_step(name)
        assert clashes(assistant, shown=True) == [], name


@pytest.mark.usefixtures("spoken")
def test_menus(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    tray = Tray(store)
    for paused in (None, samples.paused()):
        store.snapshot = samples.snapshot(paused=paused)
        store.changed.emit()
        assert len(tray.menu.actions()) > 5
        assert menu_clashes(tray.menu) == []
    feed = FeedView(store, "Feed")
    qtbot.addWidget(feed)
    card, menu = FeedCard(), QMenu()
    qtbot.addWidget(card)
    for item in (entry(1), filtered(2)):
        card.show_item(item, None, {})
        feed._fill_menu(card, menu)
    assert len(menu.actions()) > 2
    texts = {action.text(): action for action in menu.actions()}
    once = QMenu()
    once.addActions(list(texts.values()))
    assert menu_clashes(once) == []
    tray.hide()


def test_a_clash_is_seen_but_not_of_what_is_never_there_together(qtbot: QtBot) -> None:
    window, stack = QWidget(), QStackedWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.addWidget(stack)
    stack.addWidget(QPushButton("&Save"))
    stack.addWidget(QPushButton("&Send"))
    assert clashes(window) == []
    name, field = QLabel("&Size"), QLineEdit()
    name.setBuddy(field)
    layout.addWidget(name)
    layout.addWidget(field)
    assert sorted(clashes(window)) == ["Alt+S: '&Save' and '&Size'", "Alt+S: '&Send' and '&Size'"]
