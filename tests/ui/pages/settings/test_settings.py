"""Settings: one document behind form and text, nothing of anybody's is written over, secrets are dots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import (
    Document,
    FieldInfo,
    Saved,
    SecretsState,
    ValidationResult,
    errors,
    events,
)
from itsjustintv_desktop.engine.api.settings.drafts import with_values, written
from itsjustintv_desktop.engine.api.settings.fields import all_fields, problem_of
from itsjustintv_desktop.engine.config.load import Remark
from itsjustintv_desktop.ui.pages.settings import View
from itsjustintv_desktop.ui.pages.settings.controls import Hidden, Line
from itsjustintv_desktop.ui.pages.settings.view import APP, FORM, RAW, SECRETS
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme import theme
from tests.ui import samples
from tests.ui.fake import FakeBridge, FakeEngine

TEXT = '# mine\n[retry]\nmax_attempts = 3\n\n[twitch]\nclient_secret = "very-secret"\n'
SAVED = Saved(digest="d2", state="in_force", undo="token")
CHANGED = events.ConfigChanged(state="ok", text="")


class StoredSecret:
    def __init__(self, name: str, title: str, where: str, mark: str = "before") -> None:
        self.name, self.title, self.where, self.sentence = name, title, where, "About it."
        self.fingerprints = {"store": mark}


def fields() -> tuple[FieldInfo, ...]:
    from itsjustintv_desktop.engine.config.schema import Config

    return all_fields(Config(), {})


def prepare(store: Store, bridge: FakeBridge, tmp_path: Path) -> None:
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    editing = bridge.engine.api.settings
    editing.set("form.fields", fields())
    editing.set("documents.document", Document(text=TEXT, digest="d1", path="/home/me/config.toml"))
    editing.set("documents.check", ValidationResult(changes=""))
    editing.set("form.written", written)
    editing.set("form.check_value", problem_of)
    editing.set("form.with_values", lambda text, typed: with_values(text, typed, tmp_path / "config.toml", {}))
    editing.set("secrets.list", (StoredSecret("twitch.client_secret", "Twitch client secret", "keyring"),))
    editing.set("documents.save_text", SAVED)


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, tmp_path: Path) -> View:
    prepare(store, bridge, tmp_path)
    page = View(store, "Settings")
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.document.loaded and bool(page.secrets.rows))
    return page


@pytest.fixture
def page(qtbot: QtBot, store: Store, bridge: FakeBridge, tmp_path: Path) -> View:
    return shown(qtbot, store, bridge, tmp_path)


def line(page: View, *path: str) -> Line:
    page.form.open_section(tuple(path[:-1]))
    control = page.form.controls[path]
    assert isinstance(control, Line)
    return control


def type_in(qtbot: QtBot, control: Line, text: str) -> None:
    control.edit.clear()
    QTest.keyClicks(control.edit, text)


def test_the_form_shows_what_the_text_says(qtbot: QtBot, page: View) -> None:
    control = line(page, "retry", "max_attempts")
    qtbot.waitUntil(lambda: control.text == "3")
    other = line(page, "retry", "max_age")
    assert (other.text, other.edit.placeholderText()) == ("", "24h")
    assert other.edit.accessibleName() == "Give up after"
    assert other.edit.accessibleDescription()


def test_no_default_is_shown_before_the_file_was_read(
    qtbot: QtBot, store: Store, bridge: FakeBridge, tmp_path: Path
) -> None:
    prepare(store, bridge, tmp_path)
    page, asked = View(store, "Settings"), list[str]()

    async def read(text: str) -> dict[tuple[str, ...], str]:
        asked.append(text)
        if len(asked) == 1:
            assert not page.form.controls
            assert not page.bar.isVisible(), "nothing is saved that was not read"
        return written(text)

    bridge.engine.api.settings.set("form.written", read)
    qtbot.addWidget(page)
    page.show()
    page.activate()
    page.tabs.setCurrentIndex(RAW)
    page.tabs.setCurrentIndex(FORM)
    assert not page.bar.isVisible()
    qtbot.waitUntil(page.bar.isVisible)
    assert asked[0] == TEXT
    assert line(page, "retry", "max_attempts").text == "3", "from the first moment"


def test_form_and_text_are_one_document(qtbot: QtBot, page: View, engine: FakeEngine) -> None:
    type_in(qtbot, line(page, "retry", "max_attempts"), "7")
    qtbot.waitUntil(lambda: "max_attempts = 7" in page.document.text)
    page.tabs.setCurrentIndex(RAW)
    shown = page.raw.editor.toPlainText()
    assert "max_attempts = 7" in shown
    assert "# mine" in shown
    page.raw.editor.setPlainText(shown.replace("= 7", "= 9"))
    page.tabs.setCurrentIndex(FORM)
    qtbot.waitUntil(lambda: line(page, "retry", "max_attempts").text == "9")
    with qtbot.waitSignal(page.said):
        page.save()
    (asked,) = engine.was_asked("api.settings.documents.save_text")
    assert asked.args == (TEXT.replace("= 3", "= 9"), "d1")  # with the secret, which the screen had as dots
    assert not page.document.is_changed


def test_what_cannot_be_is_said_as_it_is_typed_and_not_saved(qtbot: QtBot, page: View, engine: FakeEngine) -> None:
    control = line(page, "retry", "max_attempts")
    type_in(qtbot, control, "many")
    qtbot.waitUntil(lambda: "whole number" in control.problem)
    assert not page.bar.save.isEnabled()
    page.save()
    assert not engine.was_asked("api.settings.documents.save_text")
    page.bar.discard.click()
    qtbot.waitUntil(lambda: control.text == "3")
    assert not control.problem


def test_problems_are_marked_at_their_lines(qtbot: QtBot, page: View, engine: FakeEngine) -> None:
    remark = Remark(line=3, key="retry.max_attempts", sentence="it must be a whole number")
    engine.api.settings.set("documents.check", ValidationResult(problems=(remark,)))
    page.raw.editor.setPlainText(page.raw.editor.toPlainText().replace("= 3", '= "x"'))
    page.tabs.setCurrentIndex(RAW)
    qtbot.waitUntil(page.raw.problems.isVisible)
    assert page.raw.problems.item(0).text() == "Line 3: retry.max_attempts: it must be a whole number"
    assert len(page.raw.editor.extraSelections()) == 1
    page.raw.problems.itemActivated.emit(page.raw.problems.item(0))
    assert page.raw.editor.textCursor().blockNumber() == 2
    assert not page.bar.save.isEnabled()


def test_a_text_that_is_no_toml_closes_the_form(qtbot: QtBot, page: View, engine: FakeEngine) -> None:
    page.raw.editor.setPlainText("[retry")
    qtbot.waitUntil(lambda: page.form._stack.currentIndex() == 1)
    page.discard()
    qtbot.waitUntil(lambda: page.form._stack.currentIndex() == 0)


def test_secrets_in_the_text_are_dots_until_asked_for(qtbot: QtBot, page: View) -> None:
    page.tabs.setCurrentIndex(RAW)
    assert "very-secret" not in page.raw.editor.toPlainText()
    page.raw.reveal.click()
    assert "very-secret" in page.raw.editor.toPlainText()
    assert not page.document.is_changed
    page.raw._hide_again.timeout.emit()
    assert "very-secret" not in page.raw.editor.toPlainText()
    page.raw.reveal.click()
    page.tabs.setCurrentIndex(FORM)
    assert "very-secret" not in page.raw.editor.toPlainText()
    assert not page.document.is_changed


def test_a_save_that_fails_keeps_everything(qtbot: QtBot, page: View, engine: FakeEngine) -> None:
    page.document.edit(TEXT.replace("= 3", "= 4"))
    qtbot.waitUntil(lambda: page.bar.can_save)
    engine.api.settings.set("documents.save_text", errors.ConfigSaveError("The disk is full."))
    page.save()
    qtbot.waitUntil(page.banner.isVisible)
    assert page.document.is_changed
    assert page.bar.can_save


def test_an_address_is_typed_without_being_shown(qtbot: QtBot, page: View) -> None:
    page.form.open_section(("twitch",))
    control = page.form.controls["twitch", "incoming_webhook_url"]
    assert isinstance(control, Hidden)
    assert control.edit.displayText() == ""
    QTest.keyClicks(control.edit, "https://example.org/twitch")
    qtbot.waitUntil(lambda: 'incoming_webhook_url = "https://example.org/twitch"' in page.document.text)
    assert "example.org" not in control.edit.displayText()
    assert "example.org" not in page.raw.editor.toPlainText()


def test_a_secret_is_shown_on_purpose_and_goes_again(qtbot: QtBot, page: View, engine: FakeEngine) -> None:
    page.tabs.setCurrentIndex(SECRETS)
    row = page.secrets.rows["twitch.client_secret"]
    engine.api.settings.set("secrets.reveal", "very-secret")
    row.reveal.click()
    qtbot.waitUntil(row.value.isVisible)
    assert row.value.text() == "very-secret"
    row._hide_again.timeout.emit()
    assert row.value.text() == ""
    assert row.value.isHidden()
    row.reveal.click()
    qtbot.waitUntil(row.value.isVisible)
    page.hide()  # also when another page comes to the front
    assert row.value.text() == ""


def test_a_secret_is_replaced(qtbot: QtBot, page: View, engine: FakeEngine) -> None:
    page.tabs.setCurrentIndex(SECRETS)
    row = page.secrets.rows["twitch.client_secret"]
    engine.api.settings.set("secrets.keep", StoredSecret("twitch.client_secret", "Twitch client secret", "keyring"))
    row.replace.click()
    QTest.keyClicks(row.typed, "another-one")
    assert "another-one" not in row.typed.displayText()
    with qtbot.waitSignal(page.said):
        row.keep.click()
    assert engine.was_asked("api.settings.secrets.keep")[0].args[:2] == ("twitch.client_secret", "another-one")
    assert row.typed.text() == ""
    assert row.typed.isHidden()


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_secret_that_is_changed_meanwhile_is_not_replaced(
    qtbot: QtBot, page: View, bridge: FakeBridge, keep: str
) -> None:
    page.tabs.setCurrentIndex(SECRETS)
    row = page.secrets.rows["twitch.client_secret"]
    row.replace.click()
    QTest.keyClicks(row.typed, "mine")
    theirs = StoredSecret("twitch.client_secret", "Twitch client secret", "keyring", "by hand")
    bridge.engine.api.settings.set("secrets.list", (theirs,))
    bridge.engine.api.settings.set("secrets.keep", theirs)
    bridge.happen(events.ConfigChanged(state="ok", text=""))
    qtbot.waitUntil(row.theirs.isVisible)
    assert not row.keep.isEnabled()
    (row.theirs.mine if keep == "mine" else row.theirs.other).click()
    assert not row.theirs.isVisible()
    if keep == "mine":
        with qtbot.waitSignal(page.said):
            row.keep.click()
        assert bridge.engine.was_asked("api.settings.secrets.keep")[0].args == ("twitch.client_secret", "mine", theirs)
    else:
        assert row.typed.isHidden()
        assert not page.unsaved


def test_a_vault_with_a_passphrase_is_unlocked(qtbot: QtBot, page: View, store: Store, engine: FakeEngine) -> None:
    page.tabs.setCurrentIndex(SECRETS)
    assert not page.secrets.lock.isVisible()
    locked = SecretsState(status="locked", message="It is about a passphrase.", since=0.0)
    page.refresh(samples.snapshot(secrets=locked))
    assert page.secrets.lock.isVisible()
    assert not page.secrets.lock.field.isVisible(), "whatever the sentence says"
    page.refresh(samples.snapshot(secrets=structs.replace(locked, message="Locked.", takes_passphrase=True)))
    assert page.secrets.lock.field.isVisible()
    engine.api.settings.set("secrets.unlock", samples.snapshot().secrets)
    QTest.keyClicks(page.secrets.lock.phrase, "open it")
    page.secrets.lock.unlock.click()
    qtbot.waitUntil(lambda: not page.secrets.lock.isVisible())
    assert engine.was_asked("api.settings.secrets.unlock")[0].args == ("open it",)
    assert page.secrets.lock.phrase.text() == ""


def choose(combo: Any, value: str) -> None:
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


def test_this_program(qtbot: QtBot, page: View, store: Store) -> None:
    app = page.app
    choose(app.theme, "light")
    assert theme().palette.name == "light"
    assert store.preferences.theme == "light"
    assert not app.quiet.isEnabled()
    QTest.keyClicks(app.own, "https://twitch.tv/Moon")
    app.own.editingFinished.emit()
    assert store.preferences.own_login == "moon"
    assert app.quiet.isEnabled()
    app.kinds["live"].click()
    assert store.preferences.notify("live") is False
    choose(app.language, "de")
    assert store.preferences.language == "de"


def test_it_opens_where_a_check_points(page: View) -> None:
    page.activate("secrets")
    assert page.tabs.currentIndex() == SECRETS
    page.activate("config")
    assert page.tabs.currentIndex() == RAW


@pytest.mark.parametrize("width", [640, 692, 1000])
def test_nothing_lies_over_something_else(qtbot: QtBot, page: View, width: int) -> None:
    """A sentence that needs two lines pushes down what is below it."""
    page.resize(width, 500)
    page.tabs.setCurrentIndex(APP)
    note = next(each for each in page.app.findChildren(QLabel) if each.text().startswith("Your login"))
    # Two lines in the card, one in all of the page.
    note.setText("Dein Login bei Twitch: Benachrichtigungen können ruhen, während du auf Sendung bist.")
    qtbot.waitUntil(lambda: note.height() >= note.heightForWidth(note.width()))
    field = page.app.own
    qtbot.waitUntil(lambda: field.height() >= field.minimumSizeHint().height())
    assert note.mapTo(page, QPoint(0, 0)).y() >= field.mapTo(page, QPoint(0, field.height())).y()
