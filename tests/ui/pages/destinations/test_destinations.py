"""Destinations: what is stored is never shown unless it is asked for; what waits is asked about."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import (
    DestinationDraft,
    DestinationInfo,
    DestinationUse,
    Level,
    RowStatus,
    Saved,
    StreamerLists,
    TestResult,
    errors,
)
from itsjustintv_desktop.engine.delivery import formats
from itsjustintv_desktop.engine.delivery.destination_queues import ONLY_A_LINK
from itsjustintv_desktop.ui.pages.destinations import View
from itsjustintv_desktop.ui.pages.destinations.assign import AssignDialog
from itsjustintv_desktop.ui.pages.destinations.form import DestinationForm
from itsjustintv_desktop.ui.pages.destinations.table import state_of
from itsjustintv_desktop.ui.store import Store
from tests.engine.delivery.test_format_seam import Pigeon
from tests.ui import samples
from tests.ui.fake import FakeBridge

SAVED = Saved(digest="d", state="in_force", undo="token")
SECRET_URL = "https://discord.example/api/webhooks/1/very-secret"


class Revealed:
    url = SECRET_URL
    secret = "sign-with-this"


def info(name: str, **details: Any) -> DestinationInfo:
    given: dict[str, Any] = {
        "draft": DestinationDraft(name=name), "kind": "named", "address": "vault", "host": "discord.example",
        "format": "discord", "signed": True, "header_names": ("Authorization",), "state": "closed", "reason": "",
        "streamers": ("alice",),
    }  # fmt: skip
    return DestinationInfo(**{**given, **details})


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, **snapshot: Any) -> View:
    bridge.engine._snapshot = store.snapshot = samples.snapshot(**snapshot)
    editing = bridge.engine.api.settings
    editing.set("destinations.list", (info("community"), info("chat")))
    editing.set("secrets.reveal_destination", Revealed())
    editing.set("preview.render", errors.UsageError("Not now."))
    editing.set("preview.test", TestResult(ok=True, status=204, sentence="It arrived.", duration=0.02))
    editing.set("destinations.use", DestinationUse(waiting=0, streamers=("alice",)))
    for what in (
        "destinations.save",
        "rename.destination",
        "destinations.delete",
        "streamers.change_many",
        "documents.undo",
    ):
        editing.set(what, SAVED)
    bridge.engine.api.set("deliveries.list", [])
    page = View(store, "Destinations")
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.activate()
    if bridge.engine._snapshot.destinations:
        qtbot.waitUntil(lambda: page.form.title.text() == "community")
    return page


@pytest.fixture
def page(qtbot: QtBot, store: Store, bridge: FakeBridge) -> View:
    return shown(qtbot, store, bridge)


def texts(page: QWidget) -> str:
    """Everything that a screen reader could say."""
    found: list[str] = []
    for each in page.findChildren(QWidget):
        found += [each.accessibleName(), each.accessibleDescription(), each.toolTip()]
        for name in ("displayText" if isinstance(each, QLineEdit) else "text", "toPlainText", "placeholderText"):
            given = getattr(each, name, None)
            if callable(given):
                found.append(str(given()))
    return "\n".join(found)


def test_only_the_host_of_an_address_is_shown(page: View) -> None:
    assert "discord.example" in page.form.url_field.note.text()
    assert "very-secret" not in texts(page)
    assert not page.save.isEnabled()
    assert "Authorization" in page.form.headers.kept.text()


def test_an_address_is_revealed_on_purpose_and_goes_again(page: View, qtbot: QtBot) -> None:
    page.form.url.show_button.setChecked(True)
    qtbot.waitUntil(lambda: page.form.url.text() == SECRET_URL)
    assert not page.form.is_changed  # nothing was typed
    page.form.url._timer.timeout.emit()
    assert page.form.url.text() == ""
    assert not page.form.url.is_revealed()


def test_only_what_was_typed_is_saved(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    QTest.keyClicks(page.form.url, "https://example.org/hook")
    assert page.save.isEnabled()
    with qtbot.waitSignal(page.said):
        page.save.click()
    (asked,) = bridge.engine.was_asked("api.settings.destinations.save")
    name, draft, base = asked.args
    assert name == "community"
    assert base == info("community").draft
    assert (draft.url, draft.secret, draft.headers) == ("https://example.org/hook", None, None)
    assert "example.org/hook" not in texts(page)


def test_another_name_renames_first(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    page.form.title.clear()
    QTest.keyClicks(page.form.title, "team")
    with qtbot.waitSignal(page.said):
        page.save.click()
    assert bridge.engine.was_asked("api.settings.rename.destination")[0].args == ("community", "team")
    assert bridge.engine.was_asked("api.settings.destinations.save")[0].args[0] == "team"


def test_a_test_shows_the_answer(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    page.test.click()
    qtbot.waitUntil(lambda: "It arrived." in page.result.text())
    assert page.test.isEnabled()
    assert bridge.engine.was_asked("api.settings.preview.test")[0].args == ("community",)
    bridge.engine.api.settings.set("preview.test", errors.UsageError("It has no address."))
    page.test.click()
    qtbot.waitUntil(page.banner.isVisible)
    assert page.test.isEnabled()
    assert page.result.isHidden()


def test_a_new_one_can_be_tried_before_it_is_saved(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    page.open_new()
    assert not page.test.isEnabled()
    QTest.keyClicks(page.form.title, "team")
    assert not page.save.isEnabled()
    QTest.keyClicks(page.form.url, "https://example.org/hook")
    page.test.click()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.preview.test")))
    assert bridge.engine.was_asked("api.settings.preview.test")[0].args[0].url == "https://example.org/hook"
    qtbot.waitUntil(page.save.isEnabled)
    with qtbot.waitSignal(page.said):
        page.save.click()
    assert bridge.engine.was_asked("api.settings.destinations.save")[0].args[0] == ""


@pytest.mark.parametrize("sure", [True, False])
def test_removing_asks_where_deliveries_wait(page: View, qtbot: QtBot, bridge: FakeBridge, sure: bool) -> None:
    bridge.engine.api.settings.set("destinations.use", DestinationUse(waiting=3, streamers=()))
    page.remove.click()
    qtbot.waitUntil(lambda: bool(page.findChildren(QMessageBox)))
    box = page.findChildren(QMessageBox)[0]
    assert "3" in box.text()
    label = "Remove it" if sure else "Keep it"
    next(each for each in box.findChildren(QPushButton) if each.text() == label).click()
    qtbot.waitUntil(lambda: not page.findChildren(QMessageBox) and not page.tasks.is_running("remove now"))
    assert bool(bridge.engine.was_asked("api.settings.destinations.delete")) is sure


def test_a_paused_one_says_why_and_can_be_resumed(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    broken = RowStatus(level=Level.FAILING, word="Not delivering", reason="It is paused: It answered 404.")
    paused = samples.destination("community", state="paused", status=broken)
    page = shown(qtbot, store, bridge, destinations=(paused, samples.destination("chat")))
    assert "It answered 404." in page.state.text()
    page.resume.click()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.destinations.resume")))
    assert bridge.engine.was_asked("api.destinations.resume")[0].args == ("community",)


def test_send_test_from_elsewhere(page: View) -> None:
    page.activate("test")
    assert page.table.key == "community"
    assert page.window().focusWidget() is page.test


def test_none_yet(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, destinations=())
    bridge.engine.api.settings.set("destinations.list", ())
    assert page._stack.currentIndex() == 1
    page.activate("add")
    assert page.form.isVisible()


def test_headers_are_checked_as_they_are_typed(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    bridge.engine.api.settings.set("form.check_value", "Line 1 has no colon.")
    page.form.more.click()
    page.form.headers.replace.click()
    page.form.headers.text.setPlainText("Authorization")
    qtbot.waitUntil(lambda: page.form.headers_field.problem == "Line 1 has no colon.")
    qtbot.waitUntil(lambda: not page.save.isEnabled())
    bridge.engine.api.settings.set("form.check_value", None)
    page.form.headers.text.setPlainText("Authorization: Bearer x")
    qtbot.waitUntil(page.save.isEnabled)
    assert page.form.draft.headers == {"Authorization": "Bearer x"}


def test_how_much_of_the_picture_goes_along_is_chosen(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    assert page.form.draft.picture == "data"
    page.form.picture.setCurrentIndex(1)
    page.form.picture.activated.emit(1)
    page.save.click()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.destinations.save")))
    assert bridge.engine.was_asked("api.settings.destinations.save")[0].args[1].picture == "link"


def test_one_that_refuses_the_picture_says_so_and_can_be_tried_again(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    status = RowStatus(level=Level.ATTENTION, word="No picture", reason=ONLY_A_LINK)
    reduced = samples.destination("community", is_reduced=True, status=status)
    page = shown(qtbot, store, bridge, destinations=(reduced,))
    assert ONLY_A_LINK in page.state.text()
    assert page.resume.isVisible()


def test_a_secret_is_made_shown_and_saved(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    page.form.no_secret.click()
    page.form.new_secret.click()
    made = page.form.secret.text()
    assert made.startswith("whsec_")
    assert page.form.secret.is_revealed()
    assert "Copy it into the receiver" in texts(page)
    with qtbot.waitSignal(page.said):
        page.save.click()
    draft = bridge.engine.was_asked("api.settings.destinations.save")[0].args[1]
    assert (draft.secret, draft.signature) == (made, "standard-webhooks")


def test_blanks_around_a_secret_that_is_typed_are_no_part_of_it(page: View) -> None:
    QTest.keyClicks(page.form.secret, "  ")
    assert page.form.draft.secret is None
    QTest.keyClicks(page.form.secret, "a secret ")
    assert page.form.draft.secret == "a secret"


def saved_anew(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    """Add a destination called new; no streamer uses it."""
    page.open_new()
    page.form.title.setText("new")
    page.form.url.setText(SECRET_URL)
    page.form.edited.emit()
    bridge.engine.api.settings.set("destinations.list", (info("community"), info("chat"), info("new", streamers=())))
    page.save.click()


def test_who_uses_a_new_destination_is_asked(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    saved_anew(qtbot, page, bridge)
    qtbot.waitUntil(lambda: bool(page.findChildren(AssignDialog)))
    (dialog,) = page.findChildren(AssignDialog)
    assert "new" in dialog.question.text()
    assert dialog.keys == ["pixelforge", "aurora_plays"], "all are chosen at first"
    assert dialog.take.text() == "Use it for 2 streamers"
    dialog.list.item(1).setCheckState(Qt.CheckState.Unchecked)
    with qtbot.waitSignal(page.said):
        dialog.take.click()
    (asked,) = bridge.engine.was_asked("api.settings.streamers.change_many")
    assert asked.args == (["pixelforge"], StreamerLists(destinations=("new",)))


def test_whoever_wants_nobody_chooses_nobody(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    saved_anew(qtbot, page, bridge)
    qtbot.waitUntil(lambda: bool(page.findChildren(AssignDialog)))
    (dialog,) = page.findChildren(AssignDialog)
    dialog.none.click()
    assert not dialog.take.isEnabled()
    dialog.all.click()
    assert dialog.take.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert not bridge.engine.was_asked("api.settings.streamers.change_many")


def test_a_changed_destination_asks_nothing(page: View, qtbot: QtBot) -> None:
    page.form.url.setText(SECRET_URL)
    page.form.edited.emit()
    with qtbot.waitSignal(page.said):
        page.save.click()
    qtbot.wait(50)
    assert not page.findChildren(AssignDialog)


def test_a_destination_that_no_streamer_uses_is_amber(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    status = RowStatus(level=Level.ATTENTION, word="Not used", reason="No streamer of the config uses it.")
    unused = samples.destination("community", users=0, status=status)
    page = shown(qtbot, store, bridge, destinations=(unused,))
    assert state_of(unused) == ("attention", "Not used")
    assert "No streamer" in page.state.text()
    assert "since" not in page.state.text(), "that time is of something else"
    bridge.engine.api.settings.set("destinations.list", (info("community", streamers=()),))
    page.assign.click()
    (dialog,) = page.findChildren(AssignDialog)
    dialog.reject()
    page.refresh(samples.snapshot(destinations=(samples.destination("community", users=1),)))
    assert page.assign.isHidden()
    store.snapshot = samples.snapshot(destinations=(unused,), streamers=())
    page.refresh(store.snapshot)
    assert page.assign.isHidden(), "there is nobody to choose"


def test_the_last_answer_is_the_last_when_the_page_is_seen_again(page: View, qtbot: QtBot, bridge: FakeBridge) -> None:
    qtbot.waitUntil(lambda: not page.tasks.is_running("answer"))
    page.hide()
    asked = len(bridge.engine.was_asked("api.deliveries.list"))
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: len(bridge.engine.was_asked("api.deliveries.list")) > asked)


def test_the_form_shows_what_the_format_uses(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_FORMATS", {**formats._FORMATS, "pigeon": Pigeon()})
    form = DestinationForm()
    qtbot.addWidget(form)
    assert form.format.itemText(form.format.findData("pigeon")) == "Pigeon"
    assert not form.secret_field.isHidden()
    form.format.setCurrentIndex(form.format.findData("pigeon"))
    form.format.activated.emit(form.format.currentIndex())
    assert form.secret_field.isHidden()
    assert form.draft.format == "pigeon"


def test_a_secret_that_cannot_be_read_is_not_taken_for_none(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge)
    locked = info("community", secret_problem="The keyring is locked.")
    for known, words in (
        (info("community"), "••••••••"),
        (locked, "cannot be read at the moment"),
        (info("community", address="", problem="No address of this name is in the vault."), "••••••••"),
        (info("community", signed=False), "none"),
    ):
        page.form.show_destination(known)
        assert page.form.secret.placeholderText() == words
