"""Export and import: no secret goes out, and those to enter again are asked for."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import Saved, errors
from itsjustintv_desktop.engine.config.load import Remark
from itsjustintv_desktop.ui.pages.settings.document import ImportDialog
from tests.ui.fake import FakeBridge, FakeEngine

SAVED = Saved(digest="d", state="in_force")


class Needed:
    def __init__(self, name: str, title: str, have: bool) -> None:
        self.name, self.title, self.have = name, title, have


class Plan:
    text = "[retry]"
    digest = "d"
    problems: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    needed: tuple[Needed, ...] = (
        Needed("twitch.client_secret", "Twitch client secret", True),
        Needed("destinations.a.url", "a: address", False),
    )
    streamers = 2
    destinations = 1
    changes = "Changed [retry] max_age."


class BadPlan(Plan):
    problems = (Remark(line=4, key="retry.max_age", sentence="it must be a time"),)
    needed = ()


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


def test_secrets_are_asked_for_and_go_along(
    qtbot: QtBot, bridge: FakeBridge, engine: FakeEngine, parent: QWidget
) -> None:
    engine.api.settings.set("transfer.apply", SAVED)
    dialog = ImportDialog(parent, bridge, Plan())  # type: ignore[arg-type]
    dialog.open()
    field = dialog.fields["destinations.a.url"]
    QTest.keyClicks(field, "https://example.org/hook")
    assert "example.org" not in field.displayText()
    with qtbot.waitSignal(dialog.taken):
        dialog.take.click()
    asked = engine.was_asked("api.settings.transfer.apply")[0].args
    assert asked[1] == {"destinations.a.url": "https://example.org/hook"}


def test_what_fails_is_said_and_can_be_tried_again(
    qtbot: QtBot, bridge: FakeBridge, engine: FakeEngine, parent: QWidget
) -> None:
    engine.api.settings.set("transfer.apply", errors.SecretsLockedError("Unlock the keyring."))
    dialog = ImportDialog(parent, bridge, Plan())  # type: ignore[arg-type]
    dialog.open()
    dialog.take.click()
    qtbot.waitUntil(dialog.problem.isVisible)
    assert "Unlock the keyring." in dialog.problem.text()
    assert dialog.take.isEnabled()


def test_a_file_that_cannot_be_used_cannot_be_taken(bridge: FakeBridge, parent: QWidget) -> None:
    dialog = ImportDialog(parent, bridge, BadPlan())  # type: ignore[arg-type]
    assert not dialog.take.isEnabled()
