"""Adding streamers: one that is looked up while it is typed, many out of a list, and a test of one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import EventReport, FoundChannel, Saved, errors
from itsjustintv_desktop.engine.api.settings.channels import Ignored, Parsed, parse_channels
from itsjustintv_desktop.engine.core.models import DeliveryState, DeliveryView
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages.streamers.add import AddDialog
from itsjustintv_desktop.ui.pages.streamers.paste import PasteDialog
from itsjustintv_desktop.ui.pages.streamers.preview import SendTestCard
from tests.ui.fake import FakeBridge, FakeEngine

SAVED = Saved(digest="d", state="in_force", undo="token")


def found(login: str, **more: Any) -> FoundChannel:
    given: dict[str, Any] = {"name": login, "login": login, "user_id": f"id-{login}", "display_name": login.title()}
    return FoundChannel(**{**given, **more})


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def add(qtbot: QtBot, bridge: FakeBridge, engine: FakeEngine, parent: QWidget) -> AddDialog:
    engine.api.settings.set("streamers.add", SAVED)
    pictures = Pictures(bridge, parent)  # type: ignore[arg-type]
    dialog = AddDialog(parent, bridge, pictures, ("community", "chat"))  # type: ignore[arg-type]
    dialog.open()
    return dialog


def test_a_channel_is_looked_up_once_the_typing_rests(qtbot: QtBot, engine: FakeEngine, add: AddDialog) -> None:
    engine.api.settings.set("channels.look_up", [found("moon", followers=1200, live=True)])
    QTest.keyClicks(add.name, "moon")
    assert not add.add.isEnabled()
    qtbot.waitUntil(add.add.isEnabled)
    assert len(engine.was_asked("api.settings.channels.look_up")) == 1
    assert add.title.accessibleName() == "Moon"
    assert "live now" in add.about.accessibleName()
    add.destinations.add("chat")
    with qtbot.waitSignal(add.added):
        QTest.keyClick(add.name, Qt.Key.Key_Return)
    (asked,) = engine.was_asked("api.settings.streamers.add")
    assert asked.args == ([found("moon", followers=1200, live=True)], ("chat",), (), None)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            [found("moon", user_id="", unknown=True, problem="Twitch knows no channel of this name.")],
            "knows no channel",
        ),
        ([found("moon", watched_as="luna")], "watched already, as luna"),
        ([], "names no channel"),
        (errors.TwitchUnreachableError("No answer."), "No answer."),
    ],
)
def test_what_cannot_be_added_says_why(
    qtbot: QtBot, engine: FakeEngine, add: AddDialog, answer: object, said: str
) -> None:
    engine.api.settings.set("channels.look_up", answer)
    add.name.setText("moon")
    qtbot.waitUntil(lambda: said in add.verdict.text())
    assert not add.add.isEnabled()


@pytest.fixture
def paste(bridge: FakeBridge, engine: FakeEngine, parent: QWidget) -> PasteDialog:
    engine.api.settings.set("streamers.add", SAVED)
    dialog = PasteDialog(parent, bridge, ("community",))  # type: ignore[arg-type]
    dialog.open()
    return dialog


def test_many_are_found_ticked_and_added(qtbot: QtBot, engine: FakeEngine, paste: PasteDialog) -> None:
    ignored = (Ignored(text="example.org/...", reason="it is no address of a channel at twitch.tv"),)
    engine.api.settings.set("channels.parse", Parsed(names=("alice", "bob", "luna", "nobody"), ignored=ignored))
    engine.api.settings.set(
        "channels.look_up",
        [
            found("alice"),
            found("bob"),
            found("luna", watched_as="luna"),
            found("nobody", user_id="", unknown=True, problem="No such."),
        ],
    )
    paste.text.setPlainText("alice bob luna nobody https://example.org/x")
    paste.look.click()
    qtbot.waitUntil(lambda: paste.add.isEnabled())
    assert [paste.model.index(row, 1).data() for row in range(5)] == [
        "twitch.tv/alice", "twitch.tv/bob", "Watched already, as luna", "No such.",
        "it is no address of a channel at twitch.tv",
    ]  # fmt: skip
    paste.model.setData(paste.model.index(1, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert not paste.model.index(2, 0).flags() & Qt.ItemFlag.ItemIsUserCheckable
    with qtbot.waitSignal(paste.added) as added:
        paste.add.click()
    assert added.args == [SAVED, 1]
    assert engine.was_asked("api.settings.streamers.add")[0].args == ([found("alice")], ("community",), ())


def test_looking_up_can_be_stopped_and_what_was_found_stays(
    qtbot: QtBot, engine: FakeEngine, paste: PasteDialog
) -> None:
    names = tuple(f"channel{number}" for number in range(150))
    engine.api.settings.set("channels.parse", Parsed(names=names))
    calls: list[int] = []

    async def look_up(part: list[str]) -> list[FoundChannel]:
        calls.append(len(part))
        if len(calls) > 1:
            await asyncio.get_event_loop().create_future()
        return [found(name) for name in part]

    engine.api.settings.set("channels.look_up", look_up)
    paste.text.setPlainText("x")
    paste.start()
    qtbot.waitUntil(lambda: len(calls) == 2)
    assert paste.bar.isVisible()
    assert not paste.add.isEnabled()
    paste.stop.click()
    qtbot.waitUntil(lambda: paste.bar.isHidden())
    assert calls == [100, 50]
    assert len(paste.model.taken) == 100
    assert paste.model.index(149, 1).data() == "Not looked up"
    assert paste.add.isEnabled()


def test_a_file_is_read_and_searched(qtbot: QtBot, engine: FakeEngine, paste: PasteDialog, tmp_path: Path) -> None:
    file = tmp_path / "follows.txt"
    file.write_bytes(b"\xef\xbb\xbfalice\n")
    engine.api.settings.set("channels.parse", Parsed(names=("alice",)))
    engine.api.settings.set("channels.look_up", [found("alice")])
    paste.take_file(str(file))
    qtbot.waitUntil(lambda: len(paste.model.taken) == 1)
    assert engine.was_asked("api.settings.channels.parse")[0].args == ("alice\n",)
    paste.take_file(str(tmp_path / "gone.txt"))
    qtbot.waitUntil(paste.problem.isVisible)


def test_a_table_says_what_can_be_pasted(qtbot: QtBot, engine: FakeEngine, paste: PasteDialog) -> None:
    engine.api.settings.set("channels.parse", parse_channels)
    paste.text.setPlainText("name,followed_at\nalice,2020-01-01\n")
    paste.start()
    qtbot.waitUntil(paste.problem.isVisible)
    assert paste.problem.text().startswith("JSON and tables (CSV) cannot be read; paste names or links")
    assert paste.text.isVisible()
    assert not engine.was_asked("api.settings.channels.look_up")


class _Page(QWidget):
    def __init__(self, bridge: FakeBridge) -> None:
        from itsjustintv_desktop.ui.bridge import PageTasks

        super().__init__()
        self.bridge = bridge
        self.failed: list[errors.AppError] = []
        self.do = PageTasks(self, self.failed.append).start


def delivery(destination: str, state: DeliveryState, **more: Any) -> DeliveryView:
    given: dict[str, Any] = {
        "id": 1, "webhook_id": "w", "event_id": 7, "streamer": "alice", "destination": destination, "state": state,
        "attempts": 1, "next_at": None, "last_status": None, "last_error": None, "created_at": 0.0,
    }  # fmt: skip
    return DeliveryView(**{**given, **more})


def test_a_test_is_followed_to_its_end(qtbot: QtBot, bridge: FakeBridge, engine: FakeEngine) -> None:
    page = _Page(bridge)
    qtbot.addWidget(page)
    card = SendTestCard(page)  # type: ignore[arg-type]
    card.setParent(page)
    page.show()
    waiting = EventReport(id=7, state="accepted", reason=None, explanation=None, deliveries=())
    done = EventReport(
        id=7, state="announced", reason=None, explanation=None,
        deliveries=(
            delivery("chat", DeliveryState.DELIVERED, last_status=204),
            delivery("site", DeliveryState.DEAD, last_status=404, last_error="answered 404 Not Found"),
        ),
    )  # fmt: skip
    reports = [waiting, done]
    engine.api.set("announcements.test_event", 7)
    engine.api.set("announcements.event_report", lambda _: reports.pop(0) if len(reports) > 1 else reports[0])
    card.send("alice", "Alice")
    qtbot.waitUntil(lambda: card.accessibleName() == "The test for Alice did not arrive everywhere.")
    assert not card._timer.isActive()


def test_a_test_that_cannot_be_sent_says_so(qtbot: QtBot, bridge: FakeBridge, engine: FakeEngine) -> None:
    page = _Page(bridge)
    qtbot.addWidget(page)
    card = SendTestCard(page)  # type: ignore[arg-type]
    card.setParent(page)
    engine.api.set("announcements.test_event", errors.NotFoundError("Twitch knows no such channel."))
    card.send("alice", "Alice")
    qtbot.waitUntil(lambda: bool(page.failed))
    assert card.isHidden()
