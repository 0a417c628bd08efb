"""What is selected after a row was removed, and after that was taken back: never a row that nobody looked at."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import Saved
from itsjustintv_desktop.ui.pages.destinations import View as Destinations
from itsjustintv_desktop.ui.pages.streamers import View as Streamers
from itsjustintv_desktop.ui.store import Store
from tests.ui import cutting, samples
from tests.ui.fake import FakeBridge
from tests.ui.pages.destinations import test_destinations
from tests.ui.pages.streamers import test_streamers

NAMES = ("alpha", "bravo", "charlie", "delta")
SAVED = Saved(digest="d", state="in_force", undo="token")


def streamers(qtbot: QtBot, store: Store, bridge: FakeBridge, names: tuple[str, ...] = NAMES) -> Streamers:
    """Removing and taking back change what the engine says from then on."""
    page = test_streamers.shown(qtbot, store, bridge, streamers=tuple(map(samples.streamer, names)), live=())
    there = list(names)

    def now(wanted: list[str]) -> Saved:
        there[:] = wanted
        bridge.engine._snapshot = samples.snapshot(streamers=tuple(map(samples.streamer, there)), live=())
        return SAVED

    editing = bridge.engine.api.settings
    editing.set("streamers.remove", lambda keys: now([key for key in there if key not in keys]))
    editing.set("documents.undo", lambda _: now(list(names)))
    return page


def destinations(qtbot: QtBot, store: Store, bridge: FakeBridge) -> Destinations:
    rows = tuple(map(samples.destination, NAMES))
    bridge.engine.api.settings.set("destinations.list", tuple(map(test_destinations.info, NAMES)))
    page = test_destinations.shown(qtbot, store, bridge, destinations=())
    there = list(NAMES)

    def now(wanted: list[str]) -> Saved:
        there[:] = wanted
        bridge.engine.api.settings.set("destinations.list", tuple(map(test_destinations.info, there)))
        bridge.engine._snapshot = samples.snapshot(destinations=tuple(map(samples.destination, there)))
        return SAVED

    editing = bridge.engine.api.settings
    editing.set("destinations.delete", lambda name: now([each for each in there if each != name]))
    editing.set("documents.undo", lambda _: now(list(NAMES)))
    now(list(NAMES))
    page.refresh(samples.snapshot(destinations=rows))
    qtbot.waitUntil(lambda: page.form.title.text() == "alpha")
    return page


REMOVED = [("bravo", "charlie"), ("delta", "charlie"), ("alpha", "bravo")]


@pytest.mark.parametrize(("removed", "beside"), REMOVED)
def test_a_streamer(qtbot: QtBot, store: Store, bridge: FakeBridge, removed: str, beside: str) -> None:
    page = streamers(qtbot, store, bridge)
    page.show_streamer(removed)
    qtbot.waitUntil(lambda: page.form.shown_key == removed)
    page.form.remove.click()
    qtbot.waitUntil(lambda: page.table.all.place(removed) < 0)
    qtbot.waitUntil(lambda: page.form.shown_key == beside)
    assert page.table.keys == [beside]
    page.undo()
    qtbot.waitUntil(lambda: page.form.shown_key == removed)
    assert page.table.keys == [removed]


def test_several_streamers(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = streamers(qtbot, store, bridge)
    page.show_streamer("bravo")
    QTest.keyClick(page.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert page.table.keys == ["bravo", "charlie"]
    page.many.remove.click()
    qtbot.waitUntil(lambda: page.form.shown_key == "delta")
    assert page.table.keys == ["delta"]
    page.undo()
    qtbot.waitUntil(lambda: page.table.keys == ["bravo", "charlie"])


def test_in_a_table_that_is_sorted_and_filtered(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = streamers(qtbot, store, bridge)
    page.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    page.filter.setText("h")  # charlie, alpha
    page.show_streamer("charlie")
    qtbot.waitUntil(lambda: page.form.shown_key == "charlie")
    page.form.remove.click()
    qtbot.waitUntil(lambda: page.form.shown_key == "alpha")
    assert page.table.keys == ["alpha"]
    page.filter.setText("bravo")
    page.undo()
    qtbot.waitUntil(lambda: page.table.keys == ["charlie"])
    assert not page.filter.text(), "else the row that came back would not be seen"


def test_one_that_went_away_by_itself(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = streamers(qtbot, store, bridge)
    page.show_streamer("bravo")
    left = samples.snapshot(streamers=tuple(map(samples.streamer, ("alpha", "charlie", "delta"))), live=())
    page.refresh(left)
    assert page.table.keys == ["charlie"]


@pytest.mark.parametrize("name", ["streamers", "destinations"])
@pytest.mark.parametrize("width", [692, 1072])
def test_a_banner_moves_nothing(qtbot: QtBot, store: Store, bridge: FakeBridge, name: str, width: int) -> None:
    """A person points at something when it comes."""
    page = streamers(qtbot, store, bridge) if name == "streamers" else destinations(qtbot, store, bridge)
    page.resize(width, 700)
    qtbot.wait(100)
    parts = [part for part in page.findChildren(QWidget) if part.isVisible()]
    before = [part.mapTo(page, QPoint(0, 0)) for part in parts], [part.size() for part in parts]
    page.banner.say("It is saved, but the program goes on with the settings it had. " * 3, "alert")
    qtbot.wait(50)
    assert page.banner.isVisible()
    assert ([part.mapTo(page, QPoint(0, 0)) for part in parts], [part.size() for part in parts]) == before
    box = page.banner.geometry()
    assert page.rect().contains(box)
    seen = page.childAt(box.center())
    assert seen is not None
    assert seen is page.banner or page.banner.isAncestorOf(seen)
    assert cutting.faults(page.banner) == []
    page.resize(width + 100, 700)
    assert page.banner.width() == box.width() + 100


@pytest.mark.parametrize(("removed", "beside"), REMOVED)
def test_a_destination(qtbot: QtBot, store: Store, bridge: FakeBridge, removed: str, beside: str) -> None:
    page = destinations(qtbot, store, bridge)
    page.show_destination(removed)
    qtbot.waitUntil(lambda: page.form.title.text() == removed)
    page.remove.click()
    qtbot.waitUntil(lambda: page.table.rows.place(removed) < 0)
    qtbot.waitUntil(lambda: page.form.title.text() == beside)
    assert page.table.key == beside
    page.undo()
    qtbot.waitUntil(lambda: page.table.key == removed)
    qtbot.waitUntil(lambda: page.form.title.text() == removed)


def gone(page: Destinations, name: str) -> bool:
    rows = page.table.rows
    return rows.place(name) < 0 and (not rows.rows or page.form.title.text() == page.table.key)


def test_the_last_destination(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    """Nothing is left to be selected; what comes back is."""
    page = destinations(qtbot, store, bridge)
    for name in NAMES:
        page.remove.click()
        qtbot.waitUntil(partial(gone, page, name))
    page.undo()
    qtbot.waitUntil(lambda: page.table.key == "delta")
    qtbot.waitUntil(lambda: page.form.title.text() == "delta")


def test_the_focus_stays_with_the_table(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = streamers(qtbot, store, bridge)
    window: QWidget = page.window()
    window.activateWindow()
    page.show_streamer("bravo")
    qtbot.waitUntil(lambda: page.form.shown_key == "bravo")
    page.form.remove.click()
    qtbot.waitUntil(lambda: page.form.shown_key == "charlie")
    assert QApplication.focusWidget() is page.table
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    assert page.table.keys == ["delta"]
