"""Every key that the form shows has a name of its own, in German too, and so has what it chooses between."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import FieldInfo
from itsjustintv_desktop.engine.api.settings.fields import all_fields
from itsjustintv_desktop.engine.config.schema import Config
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.language import read
from itsjustintv_desktop.ui.pages.settings import controls
from itsjustintv_desktop.ui.pages.settings.controls import Choice, Line
from itsjustintv_desktop.ui.resources import resource

SHOWN = [field for field in all_fields(Config(), {}) if "*" not in field.path and not field.unused]
ALIKE = {"server.tls.challenge", "global_webhook.target_webhook_hashing"}
"""Names of standards."""


def test_every_key_and_table_has_a_name() -> None:
    """A key that is new: add it to ui/pages/settings/controls.py, and run `make translations`."""
    assert [".".join(field.path) for field in SHOWN if ".".join(field.path) not in controls._NAMES] == []
    assert {".".join(field.path[:-1]) for field in SHOWN} <= set(controls._TITLES)


def test_no_two_keys_of_a_table_are_called_alike() -> None:
    called = [(field.path[:-1], controls.name_of(field.path)) for field in SHOWN]
    assert len(set(called)) == len(called)


def test_every_word_to_choose_has_a_name() -> None:
    missing = [
        f"{'.'.join(field.path)}: {choice}"
        for field in SHOWN
        if ".".join(field.path) not in ALIKE
        for choice in field.choices
        if choice not in controls._CHOICES.get(".".join(field.path), {})
    ]
    assert missing == []


def test_german_has_all_of_it() -> None:
    german = read(resource("translations", "de.json"))
    words = [*controls._NAMES.values(), *controls._TITLES.values()]
    words += [
        name for choices in controls._CHOICES.values() for name in choices.values() if name not in {"HTTP", "gRPC"}
    ]
    assert [text for text in words if not german.get(text) and text != "ngrok"] == []


def test_german_helps_with_every_key(qapp: QApplication) -> None:
    kept = language.install("de")
    try:
        assert [".".join(field.path) for field in SHOWN if translate(field.help) == field.help] == []
    finally:
        for translator in kept:
            qapp.removeTranslator(translator)


def test_a_key_that_is_new_is_called_what_the_file_calls_it() -> None:
    assert controls.name_of(("server", "public_url_id")) == "Public URL id"
    assert controls.title_of(("server", "otlp")) == "Server: OTLP"
    assert controls.choice_of(("server", "new"), "either") == "either"


@pytest.mark.parametrize("field", [field for field in SHOWN if field.choices], ids=lambda field: ".".join(field.path))
def test_a_choice_shows_names_and_writes_what_the_file_knows(qtbot: QtBot, field: FieldInfo) -> None:
    control = Choice(field)
    qtbot.addWidget(control)
    for choice in field.choices:
        control.show_text(choice)
        assert control.text == choice
        assert control.combo.currentText() == controls.choice_of(field.path, choice)
    control.show_text("")
    assert control.text == ""
    assert controls.choice_of(field.path, field.default) in control.combo.currentText()


def test_the_key_stands_beside_its_name(qtbot: QtBot) -> None:
    """What is read in the file, or in a help text, is found in the form."""
    control = Line(next(field for field in SHOWN if field.path == ("retry", "max_age")))
    qtbot.addWidget(control)
    texts = [each.text() for each in control.findChildren(QLabel)]
    assert {"Give up after", "max_age"} <= set(texts)
