"""Streamers: what is shown of them, what is asked of the engine, and that nothing typed is lost."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import (
    FoundChannel,
    Level,
    Preview,
    Saved,
    StreamerDraft,
    StreamerLists,
    StreamerStatus,
    errors,
)
from itsjustintv_desktop.engine.delivery.formats.base import Summary
from itsjustintv_desktop.ui.pages.streamers import View
from itsjustintv_desktop.ui.pages.streamers.add import AddDialog
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge

SAVED = Saved(digest="d", state="in_force", undo="token")
PREVIEW = Preview(
    format="json", host="example.org", headers=(("X-Hub-Signature-256", "sha256=••••••"),), body="{}",
    summary=Summary(title="Soup", lines=("Pixelforge is live on Twitch",)), sample=False,
)  # fmt: skip


def draft(key: str) -> StreamerDraft:
    return StreamerDraft(key=key, login=key, destinations=("community",), tag_filter=("Deutsch",))


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, **snapshot: Any) -> View:
    bridge.engine._snapshot = store.snapshot = samples.snapshot(**snapshot)
    editing = bridge.engine.api.settings
    editing.set("streamers.draft", draft)
    editing.set("streamers.suggest_tags", ("Cozy", "Chess"))
    editing.set("preview.render", PREVIEW)
    for what in (
        "streamers.update",
        "streamers.remove",
        "streamers.set_enabled",
        "streamers.add",
        "streamers.change_many",
        "documents.undo",
    ):
        editing.set(what, SAVED)
    page = View(store, "Streamers")
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.activate()
    if store.snapshot.streamers:
        first = store.snapshot.streamers[0].key
        qtbot.waitUntil(lambda: page.form.shown_key == first)
    return page


@pytest.fixture
def page(qtbot: QtBot, store: Store, bridge: FakeBridge) -> View:
    return shown(qtbot, store, bridge)


def test_the_first_is_chosen_and_its_settings_are_shown(page: View) -> None:
    assert page.form.tags.values == ("Deutsch",)
    assert not page.form.save.isEnabled()
    row = page.table.shown.index(0, 0)
    assert row.data(Qt.ItemDataRole.AccessibleTextRole) == "Pixelforge, Live · 86"


def test_what_was_typed_is_saved(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    QTest.keyClicks(page.form.tags.edit, "Chess")
    QTest.keyClick(page.form.tags.edit, Qt.Key.Key_Return)
    assert page.form.save.isEnabled()
    assert not page.form.test.isEnabled()  # it would test what is saved
    with qtbot.waitSignal(page.said) as said:
        page.form.save.click()
    (asked,) = bridge.engine.was_asked("api.settings.streamers.update")
    before = draft("pixelforge")
    assert asked.args == ("pixelforge", msgspec.structs.replace(before, tag_filter=("Deutsch", "Chess")), before)
    assert said.args is not None
    assert said.args[0] == "Saved pixelforge."
    assert not page.form.is_changed


def test_what_is_not_saved_waits_while_another_is_looked_at(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    page.form.extra.add("community")
    page.show_streamer("aurora_plays")
    qtbot.waitUntil(lambda: page.form.shown_key == "aurora_plays")
    assert not page.form.extra.values
    page.show_streamer("pixelforge")
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    assert list(page.form.extra.values) == ["community"]
    asked = len(bridge.engine.was_asked("api.settings.streamers.draft"))
    page.refresh(samples.snapshot(live=()))  # a new snapshot takes nothing away
    qtbot.waitUntil(
        lambda: (
            len(bridge.engine.was_asked("api.settings.streamers.draft")) > asked and not page.tasks.is_running("draft")
        )
    )
    assert list(page.form.extra.values) == ["community"]
    page.form.discard.click()
    qtbot.waitUntil(lambda: not page.form.extra.values)


def test_a_save_that_fails_keeps_what_was_typed(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    bridge.engine.api.settings.set("streamers.update", errors.ConfigChangedError("Somebody was faster."))
    page.form.extra.add("community")
    page.form.save.click()
    qtbot.waitUntil(page.banner.isVisible)
    assert list(page.form.extra.values) == ["community"]
    assert page.form.save.isEnabled()


def test_remove_can_be_undone(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    with qtbot.waitSignal(page.said) as said:
        page.form.remove.click()
    assert said.args is not None
    text, action, undo = said.args
    assert (text, action) == ("Removed pixelforge.", "Undo")
    undo()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.documents.undo")))
    assert bridge.engine.was_asked("api.settings.documents.undo")[0].args == ("token",)


def test_many_are_switched_at_once(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    page.table.selectAll()
    assert page.many.isVisible()
    page.many.disable.click()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.streamers.set_enabled")))
    assert bridge.engine.was_asked("api.settings.streamers.set_enabled")[0].args == (
        ["pixelforge", "aurora_plays"],
        False,
    )


def test_destinations_and_tags_of_many_are_set_at_once(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    streamers = (
        samples.streamer("pixelforge", destinations=("community", "chat"), tag_filter=("Deutsch",)),
        samples.streamer("aurora_plays", destinations=("community",), tag_filter=("Deutsch", "Chess")),
    )
    page = shown(qtbot, store, bridge, streamers=streamers)
    page.table.selectAll()
    many = page.many
    assert [*many.destinations.values, *many.tags.values] == ["community", "Deutsch"], "what all have"
    assert many.destinations.offered == ("chat",)
    assert not many.save.isEnabled()
    many.destinations.add("chat")
    many.tags.remove("Deutsch")
    many.extra.add("Cozy")
    assert list(page.unsaved) == ["several streamers"]
    page.show_streamer("pixelforge")
    page.table.selectAll()
    assert list(many.destinations.values) == ["community", "chat"], "kept while another is looked at"
    page.refresh(samples.snapshot(streamers=streamers))
    assert not many.tags.values
    with qtbot.waitSignal(page.said) as told:
        many.save.click()
    (asked,) = bridge.engine.was_asked("api.settings.streamers.change_many")
    assert asked.args == (
        ["pixelforge", "aurora_plays"],
        StreamerLists(destinations=("chat",), additional_tags=("Cozy",)),
        StreamerLists(tag_filter=("Deutsch",)),
    )
    assert told.args is not None
    assert told.args[:2] == ["Saved 2 streamers.", "Undo"]
    assert not page.unsaved
    assert not many.save.isEnabled()


def test_somebody_elses_change_for_all_is_not_taken_back(page: View) -> None:
    page.table.selectAll()
    page.many.tags.add("Chess")
    both = tuple(samples.streamer(each, tag_filter=("English",)) for each in ("pixelforge", "aurora_plays"))
    page.refresh(samples.snapshot(streamers=both))
    assert list(page.many.tags.values) == ["English", "Chess"]
    assert page.many.removed == StreamerLists()
    page.many.discard.click()
    assert list(page.many.tags.values) == ["English"]
    page.many.tags.add("Chess")
    page.refresh(samples.snapshot(streamers=both[:1]))
    assert not page.unsaved, "of whoever is gone nothing is kept"


def test_what_was_typed_for_several_stays_when_one_of_them_is_removed_by_hand(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    three = tuple(samples.streamer(each) for each in ("pixelforge", "aurora_plays", "kaffeekasse"))
    page = shown(qtbot, store, bridge, streamers=three)
    page.table.selectAll()
    page.many.tags.add("Chess")
    QTest.keyClicks(page.many.extra.edit, "Coz")
    page.refresh(samples.snapshot(streamers=three[:2]))
    assert page.many.isVisible()
    assert list(page.many.tags.values) == ["Chess"]
    assert page.many.extra.edit.text() == "Coz" or "Coz" in page.many.extra.values
    assert page.unsaved
    with qtbot.waitSignal(page.said):
        page.many.save.click()
    (asked,) = bridge.engine.was_asked("api.settings.streamers.change_many")
    assert asked.args[0] == ["pixelforge", "aurora_plays"]
    assert asked.args[1].tag_filter == ("Chess",)


def test_there_and_back_at_once_shows_the_name_that_belongs_to_the_form(page: View, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    page.activate("aurora_plays")
    page.activate("pixelforge")
    qtbot.waitUntil(lambda: not page.tasks.is_running("draft"))
    assert page.form.shown_key == "pixelforge"
    assert page.form.name.text() == "Pixelforge"


def test_a_duplicate_takes_all_settings_in_one_save(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    model = StreamerDraft(key="", tag_filter=("Deutsch",), additional_tags=("community",), enabled=False)
    channel = FoundChannel(name="moon", login="moon", user_id="7", display_name="Moon")
    bridge.engine.api.settings.set("streamers.duplicate", model)
    bridge.engine.api.settings.set("channels.look_up", [channel])
    page.form.duplicate.click()
    qtbot.waitUntil(lambda: bool(page.findChildren(AddDialog)))
    (dialog,) = page.findChildren(AddDialog)
    dialog.name.setText("moon")
    qtbot.waitUntil(dialog.add.isEnabled)
    with qtbot.waitSignal(dialog.added):
        dialog.add.click()
    (asked,) = bridge.engine.was_asked("api.settings.streamers.add")
    assert asked.args == ([channel], (), ("Deutsch",), model)
    qtbot.wait(50)
    assert not bridge.engine.was_asked("api.settings.streamers.update")


def test_the_filter_looks_in_names_tags_and_states(page: View) -> None:
    for text, count in (("auro", 1), ("live", 1), ("community", 2), ("nobody", 0), ("", 2)):
        page.filter.setText(text)
        assert page.table.shown.rowCount() == count, text


SAME = "It is the same channel as two: so far. Keep one of them, and list all destinations there."


@pytest.mark.parametrize(
    ("level", "word", "reason", "fix"),
    [
        (Level.FAILING, "Not subscribed", "Twitch refused it.", "Try again later."),
        (Level.ATTENTION, "Listed twice", SAME, ""),
    ],
)
def test_a_streamer_that_is_in_trouble_says_why(
    qtbot: QtBot, store: Store, bridge: FakeBridge, level: Level, word: str, reason: str, fix: str
) -> None:
    state = StreamerStatus(level=level, word=word, reason=reason, fix=fix)
    page = shown(qtbot, store, bridge, streamers=(samples.streamer("alice", status=state),), live=())
    qtbot.waitUntil(lambda: page.form.problem.isVisible())
    assert page.form.problem.text() == f"{reason} {fix}".strip()
    assert page.table.shown.index(0, 1).data() == word


def test_nobody_yet(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, streamers=(), live=())
    assert page._empty.isVisible()
    assert page._empty.action.text() == "Add streamer"
    said = [each.text().replace("&", "") for each in page.findChildren(QPushButton) if each.isVisible()]
    assert sorted(said) == ["Add streamer", "Paste many"], "each of them once"
    assert not page.paste.isVisible()
    assert page.paste_first.isVisible()


def test_it_opens_at_a_streamer_or_a_check_of_one(page: View) -> None:
    page.activate("streamer aurora_plays")
    assert page.table.keys == ["aurora_plays"]
    page.filter.setText("aurora")
    page.activate("pixelforge")
    assert page.table.keys == ["pixelforge"]


def test_the_exact_request_is_shown_for_a_destination(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.preview.render")))
    qtbot.waitUntil(lambda: "example.org" in page.form.preview.request.toPlainText())
    assert page.form.preview.card.accessibleName().startswith("Pixelforge is live on Twitch")
    assert bridge.engine.was_asked("api.settings.preview.render")[-1].args[1] == "community"


def test_a_thousand_streamers_change_without_losing_the_place(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    many = tuple(samples.streamer(f"channel{number:04}") for number in range(1000))
    page = shown(qtbot, store, bridge, streamers=many, live=())
    page.show_streamer("channel0700")
    top = page.table.verticalScrollBar().value()
    assert top > 0
    page.refresh(samples.snapshot(streamers=(*many[:3], samples.streamer("new"), *many[4:]), live=()))
    assert page.table.keys == ["channel0700"]
    assert page.table.verticalScrollBar().value() == top
