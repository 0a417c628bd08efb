"""The file is changed by hand while a form has something unsaved: nothing is lost, and nothing lands in another row."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import DestinationDraft
from itsjustintv_desktop.ui.drafts import Drafts
from itsjustintv_desktop.ui.pages.destinations.table import state_of
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge
from tests.ui.pages.destinations import test_destinations
from tests.ui.pages.destinations.test_destinations import info
from tests.ui.pages.streamers import test_streamers

STORED = {"url": "1", "secret": "2", "headers": "3"}
BASE = DestinationDraft(name="a", fingerprints=STORED)


@pytest.mark.parametrize("field", ["url", "secret", "headers"])
@pytest.mark.parametrize("now", ["another", None])
def test_what_is_stored_and_what_was_typed_for_it_are_a_conflict(field: str, now: str | None) -> None:
    drafts = Drafts[DestinationDraft]()
    mine = msgspec.structs.replace(BASE, **{field: {"A": "b"} if field == "headers" else "mine"})
    drafts.keep("a", BASE, mine)
    prints = {name: value for name, value in STORED.items() if name != field} | ({field: now} if now else {})
    theirs = msgspec.structs.replace(BASE, fingerprints=prints)
    assert not drafts.meet("a", theirs)
    drafts.insist("a", theirs)
    assert drafts.get("a") == msgspec.structs.replace(mine, fingerprints=prints)
    assert drafts.meet("a", theirs)


@pytest.mark.parametrize("before", ["1", ""])
@pytest.mark.parametrize("after", ["1", ""])
def test_a_store_that_is_locked_or_opened_is_no_conflict(before: str, after: str) -> None:
    drafts = Drafts[DestinationDraft]()
    base = msgspec.structs.replace(BASE, fingerprints={**STORED, "url": before})
    drafts.keep("a", base, msgspec.structs.replace(base, url="mine"))
    assert drafts.meet("a", msgspec.structs.replace(base, fingerprints={**STORED, "url": after}))


def test_another_stored_one_than_was_typed_is_taken_without_a_question() -> None:
    drafts = Drafts[DestinationDraft]()
    drafts.keep("a", BASE, msgspec.structs.replace(BASE, timeout=7.0))
    theirs = msgspec.structs.replace(BASE, fingerprints={**STORED, "url": "another"})
    assert drafts.meet("a", theirs)
    assert drafts.get("a") == msgspec.structs.replace(theirs, timeout=7.0)


@pytest.mark.fault("an address changed in two places: fault", seen="A conflict, and the choice between the two.")
@pytest.mark.parametrize("keep", ["mine", "theirs"])
@pytest.mark.parametrize("field", ["url", "secret", "headers"])
def test_an_address_or_secret_that_was_changed_by_hand_is_not_overwritten(
    qtbot: QtBot, store: Store, bridge: FakeBridge, field: str, keep: str
) -> None:
    page: Any = test_destinations.shown(qtbot, store, bridge)
    base = DestinationDraft(name="community", fingerprints=STORED)
    give(qtbot, page, bridge, base)
    if field == "headers":
        page.form.headers.replace.click()
        QTest.keyClicks(page.form.headers.text, "A: mine")
    else:
        QTest.keyClicks(getattr(page.form, field), "mine")
    mine = page.form.draft
    theirs = msgspec.structs.replace(base, fingerprints={**STORED, field: "by hand"})
    give(qtbot, page, bridge, theirs)
    assert page.theirs.isVisible()
    assert page.form.draft == mine
    assert not page.save.isEnabled()
    (page.theirs.mine if keep == "mine" else page.theirs.other).click()
    qtbot.waitUntil(lambda: not page.theirs.isVisible())
    if keep == "mine":
        with qtbot.waitSignal(page.said):
            page.save.click()
        asked = bridge.engine.was_asked("api.settings.destinations.save")[0].args
        assert asked == ("community", msgspec.structs.replace(mine, fingerprints=theirs.fingerprints), theirs)
    else:
        assert page.form.draft == theirs
        assert not page.unsaved


def give(qtbot: QtBot, page: Any, bridge: FakeBridge, *drafts: DestinationDraft) -> None:
    """That is what the engine says from now on, besides the other one."""
    infos = [info(each.name, draft=each) for each in drafts]
    bridge.engine.api.settings.set("destinations.list", (*infos, info("chat")))
    names = {each.name for each in drafts} | {"chat"}
    now = samples.snapshot()
    now = msgspec.structs.replace(now, destinations=tuple(one for one in now.destinations if one.name in names))
    bridge.engine._snapshot = page.store.snapshot = now
    page.refresh(now)
    qtbot.waitUntil(lambda: not page.tasks.is_running("list"))


def fewer_streamers(page: Any, bridge: FakeBridge, *gone: str) -> None:
    now = samples.snapshot()
    now = msgspec.structs.replace(now, streamers=tuple(one for one in now.streamers if one.key not in gone))
    bridge.engine._snapshot = page.store.snapshot = now
    page.refresh(now)


def focus(window: QWidget) -> Any:
    QApplication.processEvents()
    return window.focusWidget()


@pytest.mark.fault("a row removed in the file: fault", seen="It stays with what was typed, and asks what to do.")
@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_destination_that_is_removed_by_hand_keeps_what_was_typed(
    qtbot: QtBot, store: Store, bridge: FakeBridge, keep: str
) -> None:
    page: Any = test_destinations.shown(qtbot, store, bridge)
    base = DestinationDraft(name="community", fingerprints={"url": "1"})
    give(qtbot, page, bridge, base)
    page.form.secret.setFocus()
    QTest.keyClicks(page.form.secret, "sign")
    give(qtbot, page, bridge)
    assert page.theirs.isVisible()
    assert "community was removed in config.toml" in page.theirs.sentence.text()
    assert page.table.key == "community"
    assert state_of(page.table.rows.rows[0])[1] == "removed"
    assert focus(page) is page.form.secret
    QTest.keyClicks(page.form.secret, " this")
    assert page.unsaved == ("community",)
    assert not page.save.isEnabled()
    assert not page.remove.isVisible()
    page.show_destination("chat")
    qtbot.waitUntil(lambda: page.form.title.text() == "chat")
    assert not page.theirs.isVisible()
    assert page.form.secret.text() == ""
    page.show_destination("community")
    qtbot.waitUntil(page.theirs.isVisible)
    assert page.form.draft == msgspec.structs.replace(base, secret="sign this")
    if keep == "mine":
        with qtbot.waitSignal(page.said):
            page.theirs.mine.click()
        name, draft = bridge.engine.was_asked("api.settings.destinations.save")[0].args[:2]
        assert (name, draft.name, draft.secret, draft.fingerprints) == ("", "community", "sign this", {"url": "1"})
    else:
        page.theirs.other.click()
        assert page.table.rows.place("community") < 0
        qtbot.waitUntil(lambda: page.form.title.text() == "chat")
        assert focus(page) is page.table
    assert not page.unsaved
    assert not page.theirs.isVisible()


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_streamer_that_is_removed_by_hand_keeps_what_was_typed(
    qtbot: QtBot, store: Store, bridge: FakeBridge, keep: str
) -> None:
    page: Any = test_streamers.shown(qtbot, store, bridge)
    page.form.description.setFocus()
    QTest.keyClicks(page.form.description, "mi")
    fewer_streamers(page, bridge, "pixelforge")
    qtbot.waitUntil(page.theirs.isVisible)
    assert "pixelforge was removed in config.toml" in page.theirs.sentence.text()
    assert page.table.keys == ["pixelforge"]
    assert focus(page) is page.form.description
    QTest.keyClicks(page.form.description, "ne")
    assert page.unsaved == ("pixelforge",)
    assert not page.form.save.isEnabled()
    assert not page.form.remove.isEnabled()
    mine = msgspec.structs.replace(test_streamers.draft("pixelforge"), description="mine")
    assert page.form.draft == mine
    if keep == "mine":
        with qtbot.waitSignal(page.said):
            page.theirs.mine.click()
        assert bridge.engine.was_asked("api.settings.streamers.update")[0].args[:2] == ("", mine)
    else:
        page.theirs.other.click()
        assert page.table.all.place("pixelforge") < 0
        qtbot.waitUntil(lambda: page.form.shown_key not in {"", "pixelforge"})
        assert page.form.description.text() == ""
        assert focus(page) is page.table
    assert not page.unsaved
    assert not page.theirs.isVisible()


def test_a_word_half_typed_is_not_lost_with_its_streamer(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page: Any = test_streamers.shown(qtbot, store, bridge)
    page.form.tags.edit.setFocus()
    QTest.keyClicks(page.form.tags.edit, "Chess")
    fewer_streamers(page, bridge, "pixelforge")
    qtbot.waitUntil(page.theirs.isVisible)
    assert page.form.draft.tag_filter == ("Deutsch", "Chess")
    assert page.unsaved == ("pixelforge",)


@pytest.mark.parametrize("which", ["streamers", "destinations"])
def test_what_is_typed_next_does_not_go_into_another_row(
    qtbot: QtBot, store: Store, bridge: FakeBridge, which: str
) -> None:
    page: Any
    if which == "streamers":
        page = test_streamers.shown(qtbot, store, bridge)
        page.form.description.setFocus()
        fewer_streamers(page, bridge, "pixelforge")
        qtbot.waitUntil(lambda: page.form.shown_key not in {"", "pixelforge"})
    else:
        page = test_destinations.shown(qtbot, store, bridge)
        page.form.secret.setFocus()
        give(qtbot, page, bridge)
        qtbot.waitUntil(lambda: page.form.title.text() == "chat")
    at = focus(page)
    assert at is page.table
    QTest.keyClick(at, Qt.Key.Key_X)
    assert not page.unsaved


@pytest.mark.parametrize("which", ["streamers", "destinations"])
def test_what_is_removed_here_goes_without_a_question(
    qtbot: QtBot, store: Store, bridge: FakeBridge, which: str
) -> None:
    page: Any
    if which == "streamers":
        page = test_streamers.shown(qtbot, store, bridge)
        page.form.extra.add("community")
        with qtbot.waitSignal(page.said):
            page.form.remove.click()
        fewer_streamers(page, bridge, "pixelforge")
        qtbot.waitUntil(lambda: page.form.shown_key not in {"", "pixelforge"})
        assert page.table.all.place("pixelforge") < 0
    else:
        page = test_destinations.shown(qtbot, store, bridge)
        page.form.timeout.setValue(30.0)
        with qtbot.waitSignal(page.said):
            page.remove.click()
        give(qtbot, page, bridge)
        qtbot.waitUntil(lambda: page.form.title.text() == "chat")
        assert page.table.rows.place("community") < 0
    assert not page.unsaved
    assert not page.theirs.isVisible()


def test_what_comes_back_into_the_file_is_a_row_as_before(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page: Any = test_streamers.shown(qtbot, store, bridge)
    page.form.extra.add("community")
    fewer_streamers(page, bridge, "pixelforge")
    qtbot.waitUntil(page.theirs.isVisible)
    fewer_streamers(page, bridge)
    qtbot.waitUntil(lambda: not page.theirs.isVisible())
    assert page.unsaved == ("pixelforge",)
    assert page.form.save.isEnabled()
    assert page.form.remove.isEnabled()
