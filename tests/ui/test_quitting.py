"""Quitting asks about all that was typed and is not saved: on pages, in open dialogs, half a word of it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.engine import Document, FieldInfo, ImportPlan, Needed, errors
from itsjustintv_desktop.engine.api.settings.secrets import SecretView
from itsjustintv_desktop.ui.pages.destinations.assign import AssignDialog
from itsjustintv_desktop.ui.pages.settings import View as Settings
from itsjustintv_desktop.ui.pages.settings.document import ImportDialog
from itsjustintv_desktop.ui.pages.streamers.add import AddDialog
from itsjustintv_desktop.ui.pages.streamers.paste import PasteDialog
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.dialog import Dialog
from tests.ui import samples, test_connection
from tests.ui.fake import FakeBridge
from tests.ui.pages.streamers import test_streamers
from tests.ui.test_app import Run, run, tray_host

__all__ = ["run", "tray_host"]


def asked_about(desktop: Desktop) -> str:
    """What quitting asks about; the question is answered with going back."""
    desktop.tray.wished.emit("quit")
    boxes = [each for each in desktop.window.findChildren(QMessageBox) if each.isVisible()]
    text = boxes[0].informativeText() if boxes else ""
    for box in boxes:
        box.close()
    return text


def test_quitting_asks_about_the_form_of_the_connection(run: Run, qtbot: QtBot) -> None:
    desktop = run.begin()
    editing = run.bridge.engine.api.settings
    editing.set("form.fields", (FieldInfo(path=("twitch", "client_id"), kind="text", help="", value="abc"),))
    editing.set("secrets.list", ())
    desktop.window.show_page("connection")
    page: Any = desktop.window.page("connection")
    page.change.click()
    form = page.switch.form
    qtbot.waitUntil(lambda: form.client_id.text() == "abc")
    assert page.unsaved == (), "nothing was typed yet"
    QTest.keyClicks(form.secret, "geheim")
    desktop.window.show_page("overview")
    assert asked_about(desktop) == "Not saved yet: the connection"
    desktop.window.show_page("connection")
    form.secret.clear()
    assert page.unsaved == ()
    form.choices["own"].click()
    assert page.unsaved == ("the connection",)
    page.switch.cancel.click()
    assert page.unsaved == (), "it was put away"
    desktop.window.quit_requested.emit()
    qtbot.waitUntil(run.life.done)


def test_what_of_the_connection_was_saved_is_not_asked_about(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = test_connection.shown(qtbot, store, bridge)
    page.change.click()
    qtbot.waitUntil(lambda: page.switch._loaded is not None)
    QTest.keyClicks(page.switch.form.client_id, "abc")
    QTest.keyClicks(page.switch.form.secret, "geheim")
    assert page.unsaved
    page.switch.check.click()
    qtbot.waitUntil(page.switch.save.isEnabled)
    page.switch.save.click()
    qtbot.waitUntil(lambda: page.unsaved == ())


def answer_pages(run: Run) -> None:
    editing = run.bridge.engine.api.settings
    for name in ("form.fields", "secrets.list", "destinations.list", "channels.look_up", "streamers.suggest_tags"):
        editing.set(name, ())
    editing.set("documents.document", Document(text="", digest="d", path="config.toml"))
    editing.set("streamers.draft", test_streamers.draft)
    editing.set("preview.render", test_streamers.PREVIEW)


Opened = Callable[[Run, QtBot], Any]


def _only(desktop: Desktop, kind: type[Dialog]) -> Any:
    (dialog,) = [each for each in desktop.window.findChildren(kind) if each.isVisible()]
    return dialog


def _adding(run: Run, qtbot: QtBot) -> Any:
    run.desktop.window.show_page("streamers", "add")
    return _only(run.desktop, AddDialog)


def _typed_name(run: Run, qtbot: QtBot) -> Any:
    dialog: Any = _adding(run, qtbot)
    QTest.keyClicks(dialog.name, "moon")
    return dialog


def _typed_tag(run: Run, qtbot: QtBot) -> Any:
    dialog: Any = _adding(run, qtbot)
    QTest.keyClicks(dialog.tags.edit, "Chess")
    QTest.keyClick(dialog.tags.edit, Qt.Key.Key_Return)
    return dialog


def _half_a_tag(run: Run, qtbot: QtBot) -> Any:
    dialog: Any = _adding(run, qtbot)
    QTest.keyClicks(dialog.tags.edit, "Che")
    return dialog


def _pasting(run: Run, qtbot: QtBot) -> Any:
    page: Any = run.desktop.window.page("streamers")
    page.open_paste()
    dialog = _only(run.desktop, PasteDialog)
    dialog.text.setPlainText("moon\nsun")
    return dialog


def _assigning(run: Run, qtbot: QtBot) -> Any:
    page: Any = run.desktop.window.page("destinations")
    page._ask_who("a destination that is new")
    dialog = _only(run.desktop, AssignDialog)
    dialog.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    return dialog


def _importing(run: Run, qtbot: QtBot) -> Any:
    needed = Needed(name="client_secret", title="Client secret", have=False)
    plan = ImportPlan(text="", digest="", streamers=1, destinations=0, needed=(needed,))
    dialog = ImportDialog(run.desktop.window, run.bridge, plan)  # type: ignore[arg-type]
    dialog.open()
    QTest.keyClicks(dialog.fields["client_secret"], "geheim")
    return dialog


def _setting_up(run: Run, qtbot: QtBot) -> Any:
    run.desktop.window.assistant_requested.emit()
    dialog = run.desktop.assistant
    assert dialog is not None
    dialog.show_step("register")
    step: Any = dialog.current
    QTest.keyClicks(step.client_id, "abc")
    return dialog


OPENED = [_typed_name, _typed_tag, _half_a_tag, _pasting, _assigning, _importing, _setting_up]


@pytest.mark.parametrize("opened", OPENED)
def test_quitting_asks_about_what_stands_in_a_dialog(run: Run, qtbot: QtBot, opened: Opened) -> None:
    desktop = run.begin()
    answer_pages(run)
    dialog = opened(run, qtbot)
    assert asked_about(desktop) == f"Not saved yet: {dialog.windowTitle()}"
    assert dialog.isVisible()
    dialog.close()
    assert not desktop.window.unsaved


def test_a_dialog_with_nothing_in_it_is_not_asked_about(run: Run, qtbot: QtBot) -> None:
    desktop = run.begin()
    answer_pages(run)
    field = FieldInfo(path=("twitch", "client_id"), kind="text", help="", value="abc")
    run.bridge.engine.api.settings.set("form.fields", (field,))
    _adding(run, qtbot).close()
    desktop.window.assistant_requested.emit()
    assert desktop.assistant is not None
    desktop.assistant.show_step("register")
    step: Any = desktop.assistant.current
    qtbot.waitUntil(lambda: step.client_id.text() == "abc")
    desktop.tray.wished.emit("quit")
    qtbot.waitUntil(run.life.done)


def test_what_a_step_of_the_assistant_saved_is_not_asked_about(run: Run, qtbot: QtBot) -> None:
    desktop = run.begin()
    editing = run.bridge.engine.api.settings
    editing.set("form.fields", ())
    editing.set("documents.document", Document(text="", digest="d", path="config.toml"))
    editing.set("secrets.list", ())
    editing.set("connection_check.check", ())
    dialog: Any = _setting_up(run, qtbot)
    QTest.keyClicks(dialog.current.secret, "geheim")
    assert desktop.window.unsaved == (dialog.windowTitle(),)
    dialog.next.click()
    qtbot.waitUntil(lambda: dialog.current.name != "register")
    assert not desktop.window.unsaved


def test_half_a_tag_of_a_streamer_is_asked_about(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page: Any = test_streamers.shown(qtbot, store, bridge)
    QTest.keyClicks(page.form.tags.edit, "Che")
    assert page.unsaved == ("pixelforge",)
    page.form.tags.edit.clear()
    assert page.unsaved == ()


def test_a_secret_that_is_not_kept_yet_is_asked_about(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    view = SecretView(name="client_secret", title="Client secret", where="absent", sentence="There is none.")
    for name in ("form.fields", "documents.document", "form.written"):
        bridge.engine.api.settings.set(name, errors.UsageError("not now"))
    bridge.engine.api.settings.set("secrets.list", (view,))
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    page: Any = Settings(store, "Settings")
    qtbot.addWidget(page)
    page.show()
    page.activate("secrets")
    qtbot.waitUntil(lambda: bool(page.secrets.rows))
    row = page.secrets.rows["client_secret"]
    row.replace.click()
    assert page.unsaved == ()
    QTest.keyClicks(row.typed, "geheim")
    assert page.unsaved == ("Client secret",)
    row.replace.click()
    assert page.unsaved == (), "it was put away"
