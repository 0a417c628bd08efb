"""The assistant over a bridge that answers what the test says: what it asks, keeps and remembers."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.desktop import launching
from itsjustintv_desktop.engine import Check, Document, FoundChannel, Saved, Set, StreamerDraft, StreamerLists, errors
from itsjustintv_desktop.engine.api.announcements import EventReport
from itsjustintv_desktop.engine.monitoring.doctor.report import CheckState
from itsjustintv_desktop.ui.assistant import Assistant
from itsjustintv_desktop.ui.assistant.connection import SendTestStep
from itsjustintv_desktop.ui.assistant.first import FirstDestination, FirstStreamer
from itsjustintv_desktop.ui.assistant.steps import Register, Welcome
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import CopyLine
from tests.ui import samples
from tests.ui.fake import FakeBridge

LEFT = Qt.MouseButton.LeftButton
SECRET = "a-client-secret-nobody-sees"


@pytest.fixture
def assistant(qtbot: QtBot, store: Store, bridge: FakeBridge, preferences: Preferences) -> Assistant:
    bridge.engine._snapshot = store.snapshot = samples.snapshot(streamers=(), destinations=(), live=())
    editing = bridge.engine.api.settings
    editing.set("form.fields", ())
    editing.set("secrets.list", ())
    editing.set("documents.document", Document(text="", digest="seen", path="config.toml"))
    editing.set("documents.edit", Saved(digest="d", state="in_force"))
    editing.set("connection_check.check", (Check(name="token", state=CheckState("green"), message="Well.", fix=""),))
    made = Assistant(store, preferences)
    qtbot.addWidget(made)
    made.open()
    return made


def at(qtbot: QtBot, assistant: Assistant, name: str) -> Any:
    qtbot.waitUntil(lambda: assistant.current.name == name)
    return assistant.current


def said(widget: QWidget) -> str:
    return "\n".join(each.text() for each in widget.findChildren(QLabel))


def test_every_step_can_be_skipped_and_gone_back_to(qtbot: QtBot, assistant: Assistant) -> None:
    QTest.mouseClick(assistant.next, LEFT)
    for name in ("register", "reach", "streamer", "destination", "test"):
        at(qtbot, assistant, name)
        QTest.mouseClick(assistant.skip, LEFT)
    at(qtbot, assistant, "done")
    for name in ("test", "destination", "streamer", "reach", "register", "welcome"):
        QTest.mouseClick(assistant.back, LEFT)
        assert assistant.current.name == name


def test_it_goes_on_where_it_was_put_away(
    qtbot: QtBot, assistant: Assistant, store: Store, preferences: Preferences
) -> None:
    assistant.show_step("streamer")
    with qtbot.waitSignal(assistant.ended):
        QTest.mouseClick(assistant.later, LEFT)
    assert not preferences.assistant_done
    again = Assistant(store, preferences)
    qtbot.addWidget(again)
    again.resume()
    assert again.current.name == "streamer"


def test_finishing_it_is_remembered(qtbot: QtBot, assistant: Assistant, preferences: Preferences) -> None:
    assistant.show_step("done")
    with qtbot.waitSignal(assistant.ended):
        QTest.mouseClick(assistant.next, LEFT)
    assert preferences.assistant_done


def test_by_hand_means_never_again(qtbot: QtBot, assistant: Assistant, preferences: Preferences) -> None:
    welcome = assistant.current
    assert isinstance(welcome, Welcome)
    with qtbot.waitSignal(assistant.ended):
        QTest.mouseClick(welcome.hand, LEFT)
    assert preferences.assistant_done


def test_the_demo_is_a_program_of_its_own(qtbot: QtBot, assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    from itsjustintv_desktop.ui.assistant import steps

    monkeypatch.setattr(sys, "argv", ["itsjustintv-desktop", "--data-dir", "/elsewhere"])
    started: list[list[str]] = []

    class Process:
        @staticmethod
        def startDetached(program: str, arguments: list[str]) -> tuple[bool, int]:  # noqa: N802 - Qt's name
            started.append([program, *arguments])
            return True, 1

    monkeypatch.setattr(steps, "QProcess", Process)
    step = assistant.current
    assert isinstance(step, Welcome)
    QTest.mouseClick(step.demo, LEFT)
    assert started == [[*launching.command(sys.argv[:1]), "demo"]]


def test_credentials_are_checked_and_the_secret_goes_to_the_keyring(
    qtbot: QtBot, assistant: Assistant, bridge: FakeBridge
) -> None:
    QTest.mouseClick(assistant.next, LEFT)
    step: Register = at(qtbot, assistant, "register")
    assert not assistant.next.isEnabled()
    (redirect,) = [each for each in step.findChildren(CopyLine) if each.text == "http://localhost"]
    QTest.mouseClick(redirect.copy, LEFT)
    assert QGuiApplication.clipboard().text() == "http://localhost"
    QTest.keyClicks(step.client_id, "my-client-id")
    QTest.keyClicks(step.secret, SECRET)
    assert SECRET not in said(assistant)
    QTest.keyClick(step.secret, Qt.Key.Key_Return)
    at(qtbot, assistant, "reach")
    (asked,) = bridge.engine.was_asked("api.settings.secrets.keep_with")
    changes = [Set(("twitch", "client_id"), "my-client-id")]
    assert asked.args == ({"twitch.client_secret": SECRET}, changes, "seen")
    assert step.secret.text() == ""


def test_a_file_that_somebody_changed_meanwhile_is_not_overwritten_without_a_word(
    qtbot: QtBot, assistant: Assistant, bridge: FakeBridge
) -> None:
    editing = bridge.engine.api.settings
    assistant.show_step("register")
    step: Register = at(qtbot, assistant, "register")
    QTest.keyClicks(step.client_id, "mine")
    QTest.keyClicks(step.secret, SECRET)
    qtbot.waitUntil(lambda: step._digest == "seen")
    editing.set("secrets.keep_with", errors.ConfigChangedError("The config was changed by someone else."))
    editing.set("documents.document", Document(text="", digest="changed", path="config.toml"))
    QTest.mouseClick(assistant.next, LEFT)
    qtbot.waitUntil(lambda: "changed by someone else" in said(assistant.banner))
    assert (step.client_id.text(), step.secret.text()) == ("mine", SECRET), "nothing that was typed is lost"
    qtbot.waitUntil(lambda: step._digest == "changed")
    editing.set("secrets.keep_with", Saved(digest="d", state="in_force"))
    qtbot.waitUntil(assistant.next.isEnabled)
    QTest.mouseClick(assistant.next, LEFT)
    at(qtbot, assistant, "reach")
    assert [each.args[2] for each in bridge.engine.was_asked("api.settings.secrets.keep_with")] == ["seen", "changed"]


def test_what_twitch_refuses_is_not_saved_without_insisting(
    qtbot: QtBot, assistant: Assistant, bridge: FakeBridge
) -> None:
    red = (Check(name="token", state=CheckState("red"), message="Twitch knows no such id.", fix="Copy it."),)
    bridge.engine.api.settings.set("connection_check.check", red)
    assistant.show_step("register")
    step: Register = at(qtbot, assistant, "register")
    QTest.keyClicks(step.client_id, "wrong")
    QTest.keyClicks(step.secret, SECRET)
    QTest.mouseClick(assistant.next, LEFT)
    qtbot.waitUntil(lambda: "Twitch knows no such id." in said(step.checks))
    assert not bridge.engine.was_asked("api.settings.secrets.keep_with")
    qtbot.waitUntil(lambda: assistant.next.isEnabled() and assistant.next.text() == "&Save it nevertheless")
    QTest.mouseClick(assistant.next, LEFT)
    at(qtbot, assistant, "reach")


@pytest.mark.parametrize("name", ["register", "reach"])
def test_going_on_against_a_check_is_neither_accented_nor_in_the_way(
    qtbot: QtBot, assistant: Assistant, bridge: FakeBridge, name: str
) -> None:
    red = (Check(name="token", state=CheckState("red"), message="Twitch knows no such id.", fix="Copy it."),)
    bridge.engine.api.settings.set("connection_check.check", red)
    assistant.show_step(name)
    step = at(qtbot, assistant, name)
    qtbot.waitUntil(assistant.isActiveWindow)
    if isinstance(step, Register):
        QTest.keyClicks(step.client_id, "wrong")
        QTest.keyClicks(step.secret, SECRET)
        assistant.next.setFocus()
        QTest.keyClick(assistant.next, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: assistant.next.isEnabled() and "nevertheless" in assistant.next.text())
    assert assistant.next.property("role") == ""
    at_now = QApplication.focusWidget()
    assert at_now is not None
    assert at_now not in assistant.trail.steps
    assert at_now is not assistant.next
    asked = len(bridge.engine.was_asked("api.settings.connection_check.check"))
    if isinstance(step, Register):
        assert step.isAncestorOf(at_now)
        QTest.keyClick(step.secret, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: len(bridge.engine.was_asked("api.settings.connection_check.check")) > asked)
        qtbot.waitUntil(assistant.next.isEnabled)
    assert not bridge.engine.was_asked("api.settings.secrets.keep_with")
    assert not bridge.engine.was_asked("api.settings.documents.edit")
    assert assistant.current is step, "Return in a field looks again, and does not insist"
    bridge.engine.api.settings.set("connection_check.check", ())
    step.again()
    QTest.mouseClick(assistant.next, LEFT)
    qtbot.waitUntil(lambda: assistant.next.property("role") == "primary")


def test_the_conduit_is_looked_at_by_itself_and_saved_when_seen(
    qtbot: QtBot, assistant: Assistant, bridge: FakeBridge
) -> None:
    assistant.show_step("reach")
    qtbot.waitUntil(lambda: assistant.next.text() == "&Use this way")
    assert not bridge.engine.was_asked("api.settings.documents.edit")
    QTest.mouseClick(assistant.next, LEFT)
    at(qtbot, assistant, "streamer")
    assert Set(("twitch", "transport"), "conduit") in bridge.engine.was_asked("api.settings.documents.edit")[0].args[0]


def test_a_channel_is_seen_before_it_is_saved(qtbot: QtBot, assistant: Assistant, bridge: FakeBridge) -> None:
    found = FoundChannel(name="alice", login="alice", user_id="7", display_name="Alice <b>", followers=12)
    bridge.engine.api.settings.set("channels.look_up", [found])
    bridge.engine.api.settings.set("streamers.add", Saved(digest="d", state="in_force"))
    assistant.show_step("streamer")
    step: FirstStreamer = at(qtbot, assistant, "streamer")
    QTest.keyClicks(step.channel, "alice")
    QTest.keyClick(step.channel, Qt.Key.Key_Return)
    qtbot.waitUntil(step.card.isVisible)
    assert "Alice <b>" in said(step.card)
    bridge.engine._snapshot = samples.snapshot(streamers=(samples.streamer("alice"),), live=())
    QTest.keyClick(step.channel, Qt.Key.Key_Return)  # a second time goes on with it
    at(qtbot, assistant, "destination")
    assert bridge.engine.was_asked("api.settings.streamers.add")[0].args == ([found],)
    assert assistant.course.streamer == "alice"


@pytest.mark.parametrize("answer", [[FoundChannel(name="x", unknown=True)], errors.TwitchError("It is away.")])
def test_a_channel_that_is_not_found_is_not_saved(
    qtbot: QtBot, assistant: Assistant, bridge: FakeBridge, answer: Any
) -> None:
    bridge.engine.api.settings.set("channels.look_up", answer)
    assistant.show_step("streamer")
    step: FirstStreamer = at(qtbot, assistant, "streamer")
    QTest.keyClicks(step.channel, "nobody")
    QTest.mouseClick(assistant.next, LEFT)
    qtbot.waitUntil(lambda: bool(step.field.problem))
    assert step.name == assistant.current.name
    assert not bridge.engine.was_asked("api.settings.streamers.add")


def test_a_destination_is_saved_and_the_streamer_announces_there(
    qtbot: QtBot, assistant: Assistant, bridge: FakeBridge
) -> None:
    address = "https://discord.com/api/webhooks/1/very-secret-part"
    bridge.engine._snapshot = samples.snapshot(streamers=(samples.streamer("alice", destinations=()),), live=())
    bridge.engine.api.settings.set("streamers.draft", StreamerDraft(key="alice", login="alice"))
    bridge.engine.api.settings.set("preview.render", errors.UsageError("not looked at here"))
    assistant.course.streamer = assistant.course.login = "alice"
    assistant.show_step("destination")
    step: FirstDestination = at(qtbot, assistant, "destination")
    QTest.keyClicks(step.address, address)
    assert step.called.text() == "discord"
    assert "very-secret-part" not in said(assistant)
    QTest.keyClick(step.address, Qt.Key.Key_Return)
    at(qtbot, assistant, "test")
    name, draft = bridge.engine.was_asked("api.settings.destinations.save")[0].args
    assert (name, draft.name, draft.url) == ("", "discord", address)
    keys, added = bridge.engine.was_asked("api.settings.streamers.change_many")[0].args
    assert (keys, added) == (("alice",), StreamerLists(destinations=("discord",)))


def test_a_test_that_is_not_announced_says_why(qtbot: QtBot, assistant: Assistant, bridge: FakeBridge) -> None:
    report = EventReport(id=5, state="suppressed", reason="x", explanation="The streamer is off.", deliveries=())
    bridge.engine.api.set("announcements.test_event", 5)
    bridge.engine.api.set("announcements.event_report", report)
    assistant.course.login = "alice"
    assistant.show_step("test")
    step: SendTestStep = at(qtbot, assistant, "test")
    QTest.mouseClick(step.send, LEFT)
    qtbot.waitUntil(lambda: "The streamer is off." in said(step.card))
    assert not step.arrived
    assert step.send.isEnabled()


def test_an_error_is_shown_and_the_step_stays(qtbot: QtBot, assistant: Assistant, bridge: FakeBridge) -> None:
    bridge.engine.api.settings.set("secrets.keep_with", errors.SecretsError("The keyring is locked."))
    assistant.show_step("register")
    step: Register = at(qtbot, assistant, "register")
    QTest.keyClicks(step.client_id, "id")
    QTest.keyClicks(step.secret, SECRET)
    QTest.mouseClick(assistant.next, LEFT)
    qtbot.waitUntil(assistant.banner.isVisible)
    assert "The keyring is locked." in assistant.banner.accessibleName()
    assert assistant.current is step


def test_the_window_asks_for_it(qtbot: QtBot, store: Store, bridge: FakeBridge, preferences: Preferences) -> None:
    window = Window(store, preferences)
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.assistant_requested):
        window.show_page("assistant")
