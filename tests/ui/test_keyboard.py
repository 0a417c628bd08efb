"""The assistant and the dialogs by keyboard: each control has a name, Tab comes to all of them in reading order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import Report
from itsjustintv_desktop.ui.assistant import Assistant
from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages.settings.document import ImportDialog
from itsjustintv_desktop.ui.pages.streamers.add import AddDialog
from itsjustintv_desktop.ui.pages.streamers.paste import PasteDialog
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.store import Store
from tests.ui import keyboard, samples
from tests.ui.fake import FakeBridge
from tests.ui.pages.settings.test_moving import Plan

STEPS = ("welcome", "register", "reach", "streamer", "destination", "test", "done")


def shown(qtbot: QtBot, dialog: QDialog) -> None:
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)


def faults(dialog: QWidget) -> list[str]:
    return keyboard.faults(dialog) + keyboard.leaps(dialog)


@pytest.mark.parametrize("name", STEPS)
def test_the_assistant(qtbot: QtBot, store: Store, preferences: Preferences, bridge: FakeBridge, name: str) -> None:
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    bridge.engine.api.settings.set("connection_check.check", ())
    bridge.engine.api.set("diagnostics.doctor", Report(ok=True, checks=()))
    for what in ("form.fields", "secrets.list", "destinations.list"):
        bridge.engine.api.settings.set(what, ())
    assistant = Assistant(store, preferences)
    qtbot.addWidget(assistant)
    shown(qtbot, assistant)
    assistant.show_step(name)
    qtbot.waitUntil(lambda: faults(assistant) == [])


def adding(parent: QWidget, bridge: FakeBridge) -> QDialog:
    return AddDialog(parent, bridge, Pictures(bridge, parent), ("friends", "website"))  # type: ignore[arg-type]


def pasting(parent: QWidget, bridge: FakeBridge) -> QDialog:
    return PasteDialog(parent, bridge, ("friends", "website"))  # type: ignore[arg-type]


def importing(parent: QWidget, bridge: FakeBridge) -> QDialog:
    return ImportDialog(parent, bridge, Plan())  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [adding, pasting, importing])
def test_a_dialog(qtbot: QtBot, bridge: FakeBridge, make: Callable[[QWidget, FakeBridge], QDialog]) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = make(parent, bridge)
    shown(qtbot, dialog)
    qtbot.waitUntil(lambda: faults(dialog) == [])
