"""The person's language. Texts in the code are English; resources/translations/<language>.json has the others, and
en.json what English says of one.

A catalogue maps each English text to one in its language, or to a pair [one, many] where it counts something (`%n`).
Catalogues are plain files that are read as they are: `make translations` brings them up to date, and a test says what
is missing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from itsjustintv_desktop.engine import files
from itsjustintv_desktop.ui.resources import resource
from itsjustintv_desktop.ui.translate_engine import Sentences

ENGINE = "engine"
"""The context of texts that the engine made (ui/translate_engine.py)."""
LANGUAGES = ("en", "de")
Catalogue = dict[str, str | list[str]]


def read(path: Path) -> Catalogue:
    return msgspec.json.decode(files.read(path, follow=True), type=Catalogue)


class Translator(QTranslator):
    """Looks a text up whatever its context, but for what the engine says. What has no translation stays English."""

    def __init__(self, catalogue: Catalogue, sentences: Sentences | None = None) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._sentences = sentences

    def isEmpty(self) -> bool:  # noqa: N802 - Qt's name
        return not self._catalogue

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        if context == ENGINE:
            return text if self._sentences is None else self._sentences.say(text)
        found = self._catalogue.get(text) or text  # nothing at all would be taken for a translation to nothing
        form = found if isinstance(found, str) else found[0 if n == 1 else 1]
        return form.replace("%n", "%Ln") if n >= 0 else form  # Qt's own: with the language's separators


def wanted(choice: str = "") -> str:
    """The language for a choice ("" follows the system), English where there is none such."""
    language = choice or QLocale.system().name()
    return language[:2] if language[:2] in LANGUAGES else "en"


def install(choice: str = "") -> list[QTranslator]:
    """Use the language from now on; before any widget is made. The caller keeps what is returned."""
    language = wanted(choice)
    QLocale.setDefault(QLocale.system() if QLocale.system().name()[:2] == language else QLocale(language))
    ours = Translator(read(resource("translations", f"{language}.json")), _sentences(language))
    qts = QTranslator()
    QCoreApplication.installTranslator(ours)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if language != "en" and qts.load(f"qtbase_{language}", folder):
        QCoreApplication.installTranslator(qts)  # the last one is asked first, and knows Qt's own texts only
    return [ours, qts]


def _sentences(language: str) -> Sentences | None:
    """resources/translations/engine/<language>.json. That of English has the sentences that name a command or a key of
    config.toml: on the screen they name the button in its place."""
    path = resource("translations", "engine", f"{language}.json")
    return Sentences(msgspec.json.decode(files.read(path, follow=True), type=dict[str, str])) if path.exists() else None
