"""The file was changed while the page shows it: reload it or overwrite it."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import (
    Document,
    Saved,
    ValidationResult,
    errors,
    events,
)
from itsjustintv_desktop.engine.api.settings.repair import LastGood
from itsjustintv_desktop.engine.config.load import Remark
from itsjustintv_desktop.ui.pages.settings import View
from itsjustintv_desktop.ui.pages.settings.view import FORM, RAW
from itsjustintv_desktop.ui.theme import theme
from tests.ui import samples
from tests.ui.fake import FakeBridge
from tests.ui.pages.settings.test_settings import line, page, type_in

TEXT = '# mine\n[retry]\nmax_attempts = 3\n\n[twitch]\nclient_secret = "very-secret"\n'
SAVED = Saved(digest="d2", state="in_force", undo="token")
CHANGED = events.ConfigChanged(state="ok", text="")

__all__ = ["page"]


def theirs(page: View, bridge: FakeBridge, text: str = "[output]\nmax_lines = 5\n") -> Document:
    document = Document(text=text, digest="d9", path="/home/me/config.toml")
    bridge.engine.api.settings.set("documents.document", document)
    bridge.happen(CHANGED)
    return document


def test_another_file_is_taken_up_while_nothing_is_unsaved(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    document = theirs(page, bridge)
    qtbot.waitUntil(lambda: page.document.text == document.text)
    assert page.document.digest == "d9"
    assert not page.conflict.isVisible()


def broken(page: View, bridge: FakeBridge, good: LastGood | None) -> None:
    editing = bridge.engine.api.settings
    problem = Remark(line=2, key="", sentence="That is no TOML.")
    editing.set("documents.check", ValidationResult(problems=(problem,), changes=""))
    editing.set("repair.last_good", good)
    theirs(page, bridge, "[retry]\nmax_attempts\n")


def test_a_file_that_breaks_while_the_page_is_open_can_be_mended_from_there(
    qtbot: QtBot, page: View, bridge: FakeBridge
) -> None:
    good = LastGood(text="[retry]\n", since=samples.NOW)
    broken(page, bridge, good)
    form = page.form
    qtbot.waitUntil(lambda: form.edit_text.isVisible() and form.back.isVisible())
    assert "config.toml.broken" in form.back.toolTip()
    qtbot.waitUntil(lambda: page.raw.problems.count() == 1)
    form.edit_text.click()
    assert page.tabs.currentIndex() == RAW
    assert page.raw.editor.textCursor().blockNumber() == 1
    page.tabs.setCurrentIndex(FORM)
    with qtbot.waitSignal(page.go) as gone:
        form.log.click()
    assert gone.args == ["log", None]
    bridge.engine.api.settings.set("repair.go_back", good)
    bridge.engine.api.settings.set("documents.document", Document(text=good.text, digest="g", path="config.toml"))
    with qtbot.waitSignal(page.said) as said:
        form.back.click()
    assert "is in use again" in said.args[0]
    qtbot.waitUntil(lambda: not form.edit_text.isVisible() and page.document.text == good.text)


def test_without_a_last_good_version_none_is_offered(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    broken(page, bridge, None)
    qtbot.waitUntil(page.form.edit_text.isVisible)
    assert not page.form.back.isVisible()


@pytest.mark.parametrize("choice", ["reload", "overwrite"])
def test_a_file_that_changed_is_reloaded_or_overwritten(
    qtbot: QtBot, page: View, bridge: FakeBridge, choice: str
) -> None:
    mine = TEXT.replace("= 3", "= 4")
    page.document.edit(mine)
    document = theirs(page, bridge)
    qtbot.waitUntil(page.conflict.isVisible)
    assert page.document.text == mine
    qtbot.waitUntil(lambda: bool(page.conflict.differences.text()))
    said = page.conflict.differences.text().splitlines()
    assert said[0].endswith("(output.max_lines): 5 in the file, not set here")
    assert said[1].endswith("(retry.max_attempts): not set in the file, 4 here")
    assert "very-secret" not in page.conflict.differences.text()
    page.save()
    assert not bridge.engine.was_asked("api.settings.documents.save_text")  # nothing is written before the choice
    {"reload": page.conflict.reload, "overwrite": page.conflict.overwrite}[choice].click()
    qtbot.waitUntil(lambda: not page.conflict.isVisible() and not page.document.is_changed)
    asked = [each.args for each in bridge.engine.was_asked("api.settings.documents.save_text")]
    assert asked == ([(mine, "d9")] if choice == "overwrite" else [])
    assert page.document.text == (mine if choice == "overwrite" else document.text)


def test_values_of_the_form_overwrite_nothing_but_their_keys(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    type_in(qtbot, line(page, "retry", "max_attempts"), "7")
    qtbot.waitUntil(lambda: "max_attempts = 7" in page.document.text)
    theirs(page, bridge, "# theirs\n[retry]\nmax_attempts = 5 # why\nunknown_key = 1\n\n[new_table]\nx = 2\n")
    qtbot.waitUntil(page.conflict.isVisible)
    assert "leaves the rest of the file" in page.conflict.sentence.text()
    theme().choose("light")  # other colours are no other text
    theme().choose("dark")
    page.conflict.overwrite.click()
    qtbot.waitUntil(lambda: bool(bridge.engine.was_asked("api.settings.documents.save_text")))
    (asked,) = bridge.engine.was_asked("api.settings.documents.save_text")
    assert asked.args == (
        "# theirs\n[retry]\nmax_attempts = 7 # why\nunknown_key = 1\n\n[new_table]\nx = 2\n",
        "d9",
    )


@pytest.mark.parametrize("edited", ["before the question", "after it"])
def test_an_edited_text_replaces_the_whole_file(qtbot: QtBot, page: View, bridge: FakeBridge, edited: str) -> None:
    type_in(qtbot, line(page, "retry", "max_attempts"), "7")
    qtbot.waitUntil(lambda: "max_attempts = 7" in page.document.text)
    if edited == "after it":
        theirs(page, bridge)
        qtbot.waitUntil(page.conflict.isVisible)
    page.tabs.setCurrentIndex(RAW)
    page.raw.editor.setPlainText(page.raw.editor.toPlainText() + "# and this\n")
    if edited == "before the question":
        theirs(page, bridge)
        qtbot.waitUntil(page.conflict.isVisible)
    assert "whole file" in page.conflict.sentence.text()


def test_a_value_that_cannot_be_is_not_left_out_of_an_overwrite(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    type_in(qtbot, line(page, "retry", "max_attempts"), "7")
    qtbot.waitUntil(lambda: "max_attempts = 7" in page.document.text)
    control = line(page, "retry", "max_age")
    type_in(qtbot, control, "soon")
    qtbot.waitUntil(lambda: bool(control.problem))
    theirs(page, bridge)
    qtbot.waitUntil(page.conflict.isVisible)
    page.conflict.overwrite.click()
    qtbot.waitUntil(lambda: not page.conflict.isVisible())
    assert page.document.is_changed
    assert not page.bar.can_save
    assert not bridge.engine.was_asked("api.settings.documents.save_text")


def test_a_change_that_is_noticed_only_when_saving(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    mine = TEXT.replace("= 3", "= 4")
    page.document.edit(mine)
    qtbot.waitUntil(lambda: page.bar.can_save)
    bridge.engine.api.settings.set("documents.document", Document(text=TEXT + "# more\n", digest="d9", path="x"))
    bridge.engine.api.settings.set("documents.save_text", errors.ConfigChangedError("It was changed."))
    page.save()
    qtbot.waitUntil(page.conflict.isVisible)
    assert not page.bar.can_save
    bridge.engine.api.settings.set("documents.save_text", SAVED)
    page.conflict.overwrite.click()
    qtbot.waitUntil(lambda: not page.document.is_changed)
    assert bridge.engine.was_asked("api.settings.documents.save_text")[-1].args == (mine, "d9")


def test_a_change_that_is_taken_back_leaves_no_question(qtbot: QtBot, page: View, bridge: FakeBridge) -> None:
    page.document.edit(TEXT.replace("= 3", "= 4"))
    theirs(page, bridge)
    qtbot.waitUntil(page.conflict.isVisible)
    bridge.engine.api.settings.set("documents.document", Document(text=TEXT, digest="d1", path="x"))
    bridge.happen(CHANGED)
    qtbot.waitUntil(lambda: not page.conflict.isVisible())
    qtbot.waitUntil(lambda: page.bar.can_save)
