"""German is whole: no text of the code is left out, and every translation takes what the English one takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtWidgets import QApplication, QDialogButtonBox

from itsjustintv_desktop.engine import Level
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.formatting import ago
from itsjustintv_desktop.ui.language import Catalogue, read
from itsjustintv_desktop.ui.pages import ENTRIES
from itsjustintv_desktop.ui.resources import resource
from itsjustintv_desktop.ui.status import status_of
from tests.ui import samples
from tests.ui.translations import PACKAGE, texts, update


@pytest.fixture(scope="module")
def german() -> Catalogue:
    return read(resource("translations", "de.json"))


@pytest.fixture
def in_german(qapp: QApplication) -> Iterator[None]:
    before = QLocale()
    kept = language.install("de")
    yield
    for each in kept:
        qapp.removeTranslator(each)
    QLocale.setDefault(before)


def test_no_text_is_left_out(german: Catalogue) -> None:
    assert [text for text in texts() if not german.get(text)] == [], (
        "run `make translations`, then fill in what is empty"
    )


def test_each_takes_what_the_english_one_takes(german: Catalogue) -> None:
    wrong = []
    for text, translation in german.items():
        plural = "%n" in text
        forms = [translation] if isinstance(translation, str) else translation
        same = all(form.count("{}") == text.count("{}") for form in forms)
        counted = len(forms) == (2 if plural else 1) and (not plural or "%n" in forms[-1])
        mnemonic = all(len(re.findall(r"&\w", form)) == len(re.findall(r"&\w", text)) for form in forms)
        if not (same and counted and mnemonic and all(forms)):
            wrong.append(text)
    assert wrong == []


def test_every_text_can_be_found_by_the_extraction() -> None:
    """A text put together before tr() sees it would never be translated."""
    wrong = []
    for path in [*(PACKAGE / "ui").rglob("*.py"), PACKAGE / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.JoinedStr):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in {"tr", "noop"}:
                    wrong.append(f"{path.name}:{node.lineno}")
    assert wrong == []


def test_a_new_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "de.json"
    left = update(path)
    assert left == texts()
    path.write_text(path.read_text().replace('"Overview": ""', '"Overview": "Übersicht"'))
    assert set(left) - set(update(path)) == {"Overview"}


@pytest.mark.usefixtures("in_german")
def test_it_is_used(qapp: QApplication) -> None:
    assert ENTRIES[0].shown_title == "Übersicht"
    assert ago(samples.NOW - 180, samples.NOW) == "vor 3 min"
    assert status_of(samples.snapshot(live=())).headline == "Alle 2 Streams werden angekündigt"
    assert status_of(samples.snapshot(status=samples.affected())).headline == "1 von 2 Streams wird angekündigt"
    assert QCoreApplication.translate("any", "No such text") == "No such text"
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    assert box.button(QDialogButtonBox.StandardButton.Cancel).text().replace("&", "") == "Abbrechen"
    assert QLocale().toString(1234) == "1.234"
    assert QCoreApplication.translate("any", "%n announced", None, 100_000) == "100.000 angekündigt"


@pytest.mark.parametrize(
    ("choice", "system", "expected"),
    [("", "de_AT", "de"), ("", "fr_FR", "en"), ("en", "de_DE", "en"), ("de", "en_US", "de"), ("xx", "de_DE", "en")],
)
def test_which_one(choice: str, system: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QLocale, "system", lambda: QLocale(system))
    assert language.wanted(choice) == expected


def test_english_counts_one_as_one(qapp: QApplication) -> None:
    kept = language.install("en")
    try:
        problems = 3 * samples.failing().problems
        for count, words in ((2, "1 more point needs attention."), (3, "2 more points need attention.")):
            several = samples.status(Level.FAILING, problems=problems[:count])
            assert status_of(samples.snapshot(status=several)).detail.endswith(words)
    finally:
        for translator in kept:
            qapp.removeTranslator(translator)


def test_every_text_that_counts_has_its_one_in_english() -> None:
    assert set(read(resource("translations", "en.json"))) == {text for text in texts() if "%n" in text}
