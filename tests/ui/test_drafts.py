"""What was typed and is not saved yet: kept, marked, asked about at the end, and never written over somebody else's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import DestinationDraft, StreamerDraft
from itsjustintv_desktop.ui.drafts import Drafts
from itsjustintv_desktop.ui.pages.differences import of_drafts, sentence_of
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.table import DRAFT_ROLE
from tests.ui import samples
from tests.ui.fake import FakeBridge
from tests.ui.pages.destinations import test_destinations
from tests.ui.pages.destinations.test_destinations import info
from tests.ui.pages.streamers import test_streamers
from tests.ui.test_app import Run, run, tray_host
from tests.ui.test_focus import hosted

__all__ = ["run", "tray_host"]

BASE = StreamerDraft(key="a", tag_filter=("Cozy",))
MINE = msgspec.structs.replace(BASE, tag_filter=("Cozy", "Chess"))


def test_what_is_typed_goes_on_from_what_is_saved_now() -> None:
    drafts = Drafts[StreamerDraft]()
    drafts.keep("a", BASE, MINE)
    theirs = msgspec.structs.replace(BASE, description="by hand")
    assert drafts.meet("a", theirs)
    assert drafts.get("a") == msgspec.structs.replace(MINE, description="by hand")
    assert drafts.base("a") == theirs


def test_a_draft_that_says_what_is_saved_is_none() -> None:
    drafts = Drafts[StreamerDraft]()
    drafts.keep("a", BASE, MINE)
    assert drafts.meet("a", MINE), "somebody else wrote the same"
    assert not drafts.names
    drafts.keep("a", BASE, BASE)
    assert not drafts.names


def test_where_both_changed_the_same_a_person_chooses() -> None:
    drafts = Drafts[StreamerDraft]()
    drafts.keep("a", BASE, MINE)
    theirs = msgspec.structs.replace(BASE, tag_filter=(), description="by hand")
    assert not drafts.meet("a", theirs)
    assert drafts.get("a") == MINE, "nothing of it is lost meanwhile"
    assert not drafts.meet("a", theirs)
    drafts.insist("a", theirs)
    assert drafts.meet("a", theirs)
    assert drafts.get("a") == msgspec.structs.replace(theirs, tag_filter=MINE.tag_filter)


def test_a_destination_keeps_what_was_typed_while_another_is_looked_at(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    page: Any = test_destinations.shown(qtbot, store, bridge)
    QTest.keyClicks(page.form.url, "https://example.org/hook")
    QTest.keyClicks(page.form.secret, "sign with this")
    page.form.headers.replace.click()
    QTest.keyClicks(page.form.headers.text, "A: b")
    before = page.form.draft
    page.show_destination("chat")
    qtbot.waitUntil(lambda: page.form.title.text() == "chat")
    assert page.form.url.text() == ""
    assert not page.save.isEnabled()
    page.refresh(samples.snapshot())
    qtbot.waitUntil(lambda: not page.tasks.is_running("list"))
    page.show_destination("community")
    qtbot.waitUntil(lambda: page.form.title.text() == "community")
    assert page.form.draft == before
    assert page.save.isEnabled()
    page.refresh(samples.snapshot())
    qtbot.waitUntil(lambda: not page.tasks.is_running("list"))
    assert page.form.draft == before
    assert page.unsaved == ("community",)
    page.discard.click()
    qtbot.waitUntil(lambda: page.form.url.text() == "" and page.unsaved == ())


def test_a_new_destination_is_kept_as_well(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page: Any = test_destinations.shown(qtbot, store, bridge)
    page.add.click()
    QTest.keyClicks(page.form.title, "team")
    page.show_destination("chat")
    qtbot.waitUntil(lambda: page.form.title.text() == "chat")
    assert page.unsaved == ("a new destination",)
    page.add.click()
    assert page.form.title.text() == "team"
    page.discard.click()
    assert not page.unsaved
    page.add.click()
    assert page.form.title.text() == ""


@pytest.mark.parametrize("which", ["streamers", "destinations"])
def test_rows_with_something_unsaved_are_marked(qtbot: QtBot, store: Store, bridge: FakeBridge, which: str) -> None:
    page: Any
    if which == "streamers":
        page = test_streamers.shown(qtbot, store, bridge)
        page.form.extra.add("community")
        model = page.table.shown
    else:
        page = test_destinations.shown(qtbot, store, bridge)
        QTest.keyClicks(page.form.title, "2")
        model = page.table.rows
    marked = [bool(model.index(row, 0).data(DRAFT_ROLE)) for row in range(2)]
    assert marked == [True, False]
    role = Qt.ItemDataRole.AccessibleTextRole
    assert [str(model.index(row, 0).data(role)).endswith("not saved yet") for row in range(2)] == [True, False]
    page.grab()
    (page.form if which == "streamers" else page).discard.click()
    qtbot.waitUntil(lambda: not page.unsaved)
    assert not model.index(0, 0).data(DRAFT_ROLE)


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_streamer_changed_by_hand_meanwhile(qtbot: QtBot, store: Store, bridge: FakeBridge, keep: str) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    page.form.tags.add("Chess")
    QTest.keyClicks(page.form.description, "mine")
    before = test_streamers.draft("pixelforge")
    theirs = msgspec.structs.replace(before, tag_filter=("Speedrun",), description="theirs")
    bridge.engine.api.settings.set("streamers.draft", theirs)
    page.refresh(samples.snapshot())
    qtbot.waitUntil(page.theirs.isVisible)
    assert "Description in the payload: theirs in the file, mine here" in page.theirs.sentence.text()
    assert page.form.tags.values == ("Deutsch", "Chess"), "what was typed stays in sight"
    assert not page.form.save.isEnabled()
    (page.theirs.mine if keep == "mine" else page.theirs.other).click()
    qtbot.waitUntil(lambda: not page.theirs.isVisible())
    if keep == "theirs":
        qtbot.waitUntil(lambda: page.form.tags.values == ("Speedrun",))
        assert not page.unsaved
        return
    with qtbot.waitSignal(page.said):
        page.form.save.click()
    _, saved, base = bridge.engine.was_asked("api.settings.streamers.update")[0].args
    assert (saved.tag_filter, saved.description, base) == (("Deutsch", "Chess"), "mine", theirs)


@pytest.mark.parametrize("how", ["mouse", "keys"])
def test_after_a_choice_the_focus_is_where_a_person_typed(
    qtbot: QtBot, store: Store, bridge: FakeBridge, how: str
) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    hosted(qtbot, page)
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    page.form.description.setFocus()
    QTest.keyClicks(page.form.description, "mine")
    theirs = msgspec.structs.replace(test_streamers.draft("pixelforge"), description="theirs")
    bridge.engine.api.settings.set("streamers.draft", theirs)
    page.refresh(samples.snapshot())
    qtbot.waitUntil(page.theirs.isVisible)
    if how == "mouse":
        page.theirs.mine.setFocus(Qt.FocusReason.MouseFocusReason)
        QTest.mouseClick(page.theirs.mine, Qt.MouseButton.LeftButton)
    else:
        page.theirs.mine.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(page.theirs.mine, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not page.theirs.isVisible())
    qtbot.wait(50)
    assert QApplication.focusWidget() is page.form.description


def test_the_last_destination_that_is_chosen_leaves_the_focus_there(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    page = test_streamers.shown(qtbot, store, bridge)
    hosted(qtbot, page)
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    chips = page.form.destinations
    chips.plus.setFocus()
    for name in chips.offered:
        chips.add(name)
    qtbot.wait(50)
    assert QApplication.focusWidget() is chips.plus


def test_a_destination_changed_by_hand_meanwhile(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = test_destinations.shown(qtbot, store, bridge)
    page.form.timeout.setValue(30.0)
    theirs = DestinationDraft(name="community", timeout=7.0)
    bridge.engine.api.settings.set("destinations.list", (info("community", draft=theirs), info("chat")))
    page.refresh(samples.snapshot())
    qtbot.waitUntil(page.theirs.isVisible)
    assert page.form.timeout.value() == 30.0
    assert not page.save.isEnabled()
    page.theirs.mine.click()
    qtbot.waitUntil(lambda: not page.theirs.isVisible())
    with qtbot.waitSignal(page.said):
        page.save.click()
    assert bridge.engine.was_asked("api.settings.destinations.save")[0].args[1:] == (
        msgspec.structs.replace(theirs, timeout=30.0),
        theirs,
    )


def test_what_only_the_other_changed_is_taken_without_a_question(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    page = test_destinations.shown(qtbot, store, bridge)
    page.form.timeout.setValue(30.0)
    theirs = DestinationDraft(name="community", enabled=False)
    bridge.engine.api.settings.set("destinations.list", (info("community", draft=theirs), info("chat")))
    page.refresh(samples.snapshot())
    qtbot.waitUntil(lambda: not page.form.enabled.isChecked())
    assert page.form.timeout.value() == 30.0
    assert not page.theirs.isVisible()
    assert page.save.isEnabled()


@pytest.mark.parametrize("answer", ["Go back", "Quit without saving"])
def test_quitting_asks_about_what_is_not_saved(run: Run, qtbot: QtBot, answer: str) -> None:
    desktop = run.begin()
    editing = run.bridge.engine.api.settings
    editing.set("streamers.draft", test_streamers.draft)
    editing.set("streamers.suggest_tags", ())
    editing.set("preview.render", test_streamers.PREVIEW)
    desktop.window.show_page("streamers")
    page: Any = desktop.window.page("streamers")
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    page.form.extra.add("community")
    for _ in range(2):
        desktop.tray.wished.emit("quit")
    (box,) = [each for each in desktop.window.findChildren(QMessageBox) if each.isVisible()]
    assert "pixelforge" in box.informativeText()
    (chosen,) = [each for each in box.buttons() if each.text() == answer]
    chosen.click()
    if answer == "Go back":
        qtbot.wait(50)
        assert not run.life.done()
        assert list(page.form.extra.values) == ["community"]
        page.form.discard.click()
        qtbot.waitUntil(lambda: not page.unsaved)
        desktop.window.quit_requested.emit()
    qtbot.waitUntil(run.life.done)


def test_what_differs_is_named_with_both_values() -> None:
    """At most a few, and nothing secret."""
    old = DestinationDraft(name="chat")
    mine = msgspec.structs.replace(old, url="https://example.org/mine", enabled=False, format="slack", timeout=5.0)
    other = msgspec.structs.replace(old, url="https://example.org/other", format="discord", timeout=7.0, picture="link")
    drafts = Drafts[DestinationDraft]()
    drafts.keep("chat", old, mine)
    assert drafts.disputed("chat", other) == ["url", "format", "timeout"]
    said = sentence_of(of_drafts([*drafts.disputed("chat", other), "enabled", "picture"], other, mine)).splitlines()
    assert said == [
        "Address: •••••• in the file, •••••• here",
        "Format: discord in the file, slack here",
        "One attempt may take: 7.0 in the file, 5.0 here",
        "and 2 more",
    ]
