"""What the engine says comes out in German, whole or in parts, and a sentence that was reworded is noticed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.engine.monitoring.doctor.overall import judge
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.formatting import translate
from itsjustintv_desktop.ui.language import _sentences
from itsjustintv_desktop.ui.pages.overview.chain import Chain
from itsjustintv_desktop.ui.resources import resource
from itsjustintv_desktop.ui.translate_engine import Sentences
from itsjustintv_desktop.ui.widgets.states import Banner
from tests.engine.monitoring.doctor import given
from tests.ui.sentences import ENGINE, templates, texts_of

CATALOGUE = language.read(resource("translations", "engine", "de.json"))
ENGLISH = language.read(resource("translations", "engine", "en.json"))


@pytest.fixture(scope="module")
def german() -> Sentences:
    found = _sentences("de")
    assert found is not None
    return found


@pytest.mark.parametrize("catalogue", [CATALOGUE, ENGLISH], ids=["de", "en"])
def test_every_key_is_a_sentence_of_the_engine(catalogue: language.Catalogue) -> None:
    """Reworded there, it would silently be English here."""
    said_there = templates()

    def is_known(text: str) -> bool:
        noun = re.sub(r"^(\{\}|1) ", "", text)  # "3 hours" is put together by count(3, "hour")
        return bool({text, noun, noun.removesuffix("s")} & said_there)

    assert [text for text in catalogue if not is_known(text)] == []


@pytest.mark.parametrize("catalogue", [CATALOGUE, ENGLISH], ids=["de", "en"])
def test_each_fills_what_the_english_one_has(catalogue: language.Catalogue) -> None:
    wrong = []
    for text, translation in catalogue.items():
        assert isinstance(translation, str)
        numbered = [int(each) for each in re.findall(r"\{(\d+)\}", translation)]
        holes, filled = text.count("{}"), translation.count("{}") + len(numbered)
        if filled > holes or any(each >= holes for each in numbered) or (holes - filled and "attempt{}" not in text):
            wrong.append(text)
    assert wrong == []


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("The keyring is open.", "Der Schlüsselbund ist offen."),
        ("The last message of Twitch came 3 hours ago.", "Die letzte Nachricht von Twitch kam vor 3 Stunden."),
        (
            "Twitch was asked just now who is live; it is asked every 5m.",
            "Twitch wurde gerade eben gefragt, wer live ist; gefragt wird alle 5m.",
        ),
        (
            "It is valid; 6 streamers to watch. config.toml is a link.",
            "Sie ist gültig; 6 Streamer zu beobachten. config.toml is a link.",
        ),
        (
            "Given up after 1 attempt ([retry] max_age, max_attempts).",
            "Aufgegeben, Versuche: 1 (so steht es unter Einstellungen, Neue Versuche).",
        ),
        (
            "It could not be asked who is live: Free some space. It is tried again by itself.",
            "Es konnte nicht gefragt werden, wer live ist: Schaffe Platz. Es wird von selbst neu versucht.",
        ),
        (
            "Announcements are paused until you resume them. What begins meanwhile is listed in the feed, "
            "and not announced later.",
            "Ankündigungen sind pausiert, bis du sie fortsetzt. Was inzwischen beginnt, steht im Feed und wird nicht "
            "nachträglich angekündigt.",
        ),
        ("It must be a whole number, such as 8080.", "Es muss eine ganze Zahl sein, etwa 8080."),
        ("it is 70000; it must be from 0 to 65535", "es ist 70000; es muss von 0 bis 65535 sein"),
        (
            "there is no such destination; did you mean friends?",
            "ein solches Ziel gibt es nicht; meintest du friends?",
        ),
        (
            "Added streamers a, b, c, d, e and 3 more. Removed destination chat. Changed [retry] max_age.",
            "Streamer a, b, c, d, e und 3 weitere hinzugefügt. Ziel chat entfernt. Geändert: [retry] max_age.",
        ),
        ("friends: address", "friends: Adresse"),
        (
            "Still failing, the latest with: the connection was refused. The next try comes by itself.",
            "Es scheitert noch, zuletzt mit: die Verbindung wurde abgelehnt. Der nächste Versuch kommt von selbst.",
        ),
        (
            "ngrok's program cannot be started: permission was denied.",
            "Das Programm von ngrok lässt sich nicht starten: der Zugriff wurde verweigert.",
        ),
        (
            "The certificate authority could not connect to example.com on port 80: the connection was refused.",
            "Die Zertifizierungsstelle konnte example.com auf Port 80 nicht erreichen: die Verbindung wurde abgelehnt.",
        ),
        ("Some other hours", "Some other hours"),
        ("answered 503", "antwortete 503"),
        ("Nobody ever wrote this.", "Nobody ever wrote this."),
        ("", ""),
    ],
)  # fmt: skip
def test_sentences_and_what_is_in_them(german: Sentences, english: str, expected: str) -> None:
    assert german.say(english) == expected


def test_sentences_that_stand_together_are_known_alone() -> None:
    sentences = Sentences({"It broke at {}. Mend it soon.": "Kaputt bei {}. Bring es bald in Ordnung."})
    assert sentences.say("It broke at noon. Mend it soon.") == "Kaputt bei noon. Bring es bald in Ordnung."
    assert sentences.say("Who knows. It broke at noon. Mend it soon. So it is.") == (
        "Who knows. Kaputt bei noon. Bring es bald in Ordnung. So it is."
    )
    uneven = Sentences({"One. And two more.": "Beides zusammen."})
    assert uneven.say("And two more.") == "And two more."


def test_another_order() -> None:
    sentences = Sentences({"{} of {} came.": "Von {1} kamen {0}.", "{}x{}": "{}"})
    assert sentences.say("3 of 5 came.") == "Von 5 kamen 3."


@examples(st.text(max_size=200))
def test_whatever_is_said_is_never_lost(text: str) -> None:
    sentences = Sentences({"It broke: {}.": "Kaputt: {}.", "{} ago": "vor {}", "Well.": "Gut."})
    assert sentences.say(f"It broke: {text}.").startswith("Kaputt: ")
    if not any(word in text for word in ("broke", "ago", "Well")):
        assert sentences.say(text) == text


def test_a_chain_that_is_well_is_german_throughout(german: Sentences) -> None:
    report = judge(given.facts())
    assert len(report.checks) > 10
    for check in report.checks:
        assert german.say(check.name) != check.name or check.name == "token", check.name
        assert german.say(check.message) != check.message or check.message.endswith(" words."), check.message


def test_titles_of_all_errors_are_known(german: Sentences) -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.AppError)]
    assert [each.title for each in kinds if german.say(each.title) == each.title] == []


def test_the_screen_says_it(qtbot: QtBot, qapp: QApplication, german: Sentences) -> None:
    kept = language.install("de")
    try:
        chain, banner = Chain(), Banner()
        for part in (chain, banner):
            qtbot.addWidget(part)
        chain.show_report(judge(given.facts()))
        texts = {each.text() for each in chain.findChildren(QLabel)}
        assert {"Weg", "Schlüsselbund", "Der Schlüsselbund ist offen."} <= texts
        banner.show_error(errors.TwitchUnreachableError("Is this machine's network up?"))
        assert banner.accessibleName() == "Twitch ist nicht erreichbar. Ist das Netz dieses Rechners da?"
    finally:
        for each in kept:
            qapp.removeTranslator(each)
    assert translate("The keyring is open.") == "The keyring is open."


def test_a_name_that_a_person_chose_is_no_word_of_ours(german: Sentences) -> None:
    """A destination may be called like a part of the program."""
    alone = [text for text in CATALOGUE if " " not in text and "{" not in text]
    assert alone
    for name in alone:
        assert german.say(f"destination {name}").endswith(f" {name}")


SEEN = (
    "config/addresses.py", "config/build.py", "config/diff.py", "config/crosscheck.py", "config/durations.py",
    "config/endpoints.py", "config/read.py", "config/validators.py", "api/settings/channels.py",
    "api/settings/destinations.py", "api/settings/documents.py", "api/settings/fields.py", "api/settings/rename.py",
    "api/settings/secrets.py", "api/settings/connection_check.py", "ingress/acme/errors.py",
    "ingress/ngrok/messages.py", "ingress/ngrok/install.py", "storage/secrets/secret_backend.py",
    "storage/secrets/vault.py", "ingress/catch_up/decide.py", "twitch/tokens.py",
    "delivery/formats/discord.py",
    "monitoring/doctor/checks.py", "monitoring/doctor/overall.py", "monitoring/doctor/rows.py", "core/status.py",
)  # fmt: skip
"""Files whose sentences people meet on the screen."""
NO_SENTENCES = frozenset(
    {
        '[twitch] transport = "conduit"', '[tunnel] provider = "{}"', "[destinations]\n{} = {}\n",
        "vault damaged and put aside", "session closed, starting reconnect loop", "**{}** is live on Twitch",
        "limit for the month|bandwidth has been depleted", "ngrok version (3\\.\\d+\\.\\d+)",
        '{} has no valid name; use letters, digits and - (as in { "Authorization" = "Bearer ..." })',
    }
)  # fmt: skip
"""What is written into files or looked for in what others say."""


@pytest.mark.parametrize("file", SEEN)
def test_what_people_meet_on_the_screen_is_german(german: Sentences, file: str) -> None:
    """A sentence that is new there: add it to resources/translations/engine/de.json."""
    texts = [text for text in texts_of(file) if text.count(" ") > 3 and text not in NO_SENTENCES]
    assert [part for text in texts for part in _left_in_english(german, text)] == []


def _left_in_english(german: Sentences, text: str) -> list[str]:
    """Sentences of a text that stay as they are."""
    whole = text.replace("{}", "7x7")
    if german.say(whole) == whole:
        return [text]
    parts = re.split(r"(?<=[.!?]) (?=\S)", whole)
    return [part for part in parts if part.endswith(".") and part.count(" ") > 3 and german.say(part) == part]


COMMANDS = re.compile(r"`|(?<!\w)--[a-z]")
KEYS = re.compile(r"\[[a-z_.]+\]|\b(enabled|transport|store|picture) = |\b[a-z]+_[a-z_]+ is 0\b")
OF_THE_COMMAND_LINE = ("import_go/", "control/", "config/lacks.py")
"""What is said there is an answer to a command, and never seen in the window."""
UNSEEN = frozenset(
    {
        "secrets stand there in the clear ({}); `config move-secrets` moves them",
        "Object missing required field `{}`",
        "This client id has no conduit {}. See `conduit list` for those there are.",
        "The conduit {} is the one this machine uses. With --force it is deleted all the same; "
        "while the program runs by conduit it makes a new one at once.",
    }
)
"""Of the log, of a library, and of commands."""


@pytest.mark.parametrize("spoken", ["en", "de"])
def test_the_screen_names_buttons_and_no_commands(spoken: str) -> None:
    """Where there is a button. What is said of the text of config.toml names its keys, as that text does."""
    sentences = _sentences(spoken)
    assert sentences is not None
    found = []
    for path in sorted(ENGINE.rglob("*.py")):
        file = path.relative_to(ENGINE).as_posix()
        texts = [] if file.startswith(OF_THE_COMMAND_LINE) else texts_of(file)
        for text in texts:
            said = sentences.say(text.replace("{}", "7x7"))
            unwanted = COMMANDS.search(said) or (not file.startswith("config/") and KEYS.search(said))
            if text.count(" ") > 2 and unwanted and text not in UNSEEN | NO_SENTENCES:
                found.append(f"{file}: {said}")
    assert found == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Nothing was sent there yet; `test-event LOGIN` tries it. No streamer of the config uses it.",
            'Nothing was sent there yet; "Send test" under Destinations tries it. No streamer of the config uses it.',
        ),
        ("Correct it, then `test-event LOGIN`.", 'Correct it, then try it with "Send test" under Destinations.'),
        ("answered 503", "answered 503"),
    ],
)
def test_the_window_speaks_so_in_english(qapp: QApplication, text: str, said: str) -> None:
    kept = language.install("en")
    try:
        assert translate(text) == said
    finally:
        for each in kept:
            qapp.removeTranslator(each)


def test_a_button_that_is_named_is_there() -> None:
    """Named as it is called on the screen."""
    german = language.read(resource("translations", "de.json"))
    captions = {re.sub("&|…", "", text) for text in german}
    captions |= {re.sub("&|…", "", text) for text in german.values() if isinstance(text, str)}
    named = [word for text in ENGLISH.values() for word in re.findall(r'"([A-Z][^"]+)"', str(text))]
    named += [word for text in CATALOGUE.values() for word in re.findall("„([A-Z][^“]+)“", str(text))]
    assert len(named) > 40
    assert sorted({word for word in named if word not in captions}) == []
