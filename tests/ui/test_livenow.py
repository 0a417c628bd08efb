"""Who is live now, however many go live at once."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QBuffer, QObject, QUrl
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.ui.images import Pictures
from itsjustintv_desktop.ui.pages.overview import cards
from itsjustintv_desktop.ui.pages.overview.cards import AT_ONCE, MOST, LiveNow
from tests.ui import samples
from tests.ui.fake import FakeBridge


@pytest.fixture
def card(qtbot: QtBot, bridge: FakeBridge) -> LiveNow:
    made = LiveNow(Pictures(bridge, bridge))  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(400, 600)
    made.show()
    return made


def words(card: LiveNow) -> list[str]:
    """What is in sight, in the order of the screen."""
    found = [each for each in card.findChildren(QLabel) if each.isVisible() and each.text()]
    return [each.text() for each in sorted(found, key=lambda each: each.mapTo(card, each.rect().topLeft()).y())]


def rows(card: LiveNow) -> list[cards._Row]:
    return [each for each in card.findChildren(cards._Row) if each.isVisible()]


def test_nobody(card: LiveNow) -> None:
    card.show_streams(())
    assert any(text.startswith("Nobody") for text in words(card))
    card.show_streams((), known=False)
    assert "Twitch has not been reached yet." in words(card)
    assert not any(text.startswith("Nobody") for text in words(card))


def test_rows_are_made_a_few_in_a_turn(card: LiveNow, qtbot: QtBot) -> None:
    """A thousand go live: no turn of the screen makes them all."""
    many = tuple(samples.stream(f"channel{n}") for n in range(1000))
    card.show_streams(many)
    assert len(rows(card)) == AT_ONCE
    qtbot.waitUntil(lambda: len(rows(card)) == MOST)
    assert "and 992 more" in words(card)


def test_rows_are_kept_and_say_something_else(card: LiveNow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    card.show_streams(tuple(samples.stream(f"channel{n}", category=f"Game {n}") for n in range(MOST)))
    qtbot.waitUntil(lambda: len(rows(card)) == MOST)
    before = rows(card)
    made: list[QObject] = []
    monkeypatch.setattr(cards, "Avatar", made.append)
    for turn in range(20):
        card.show_streams(tuple(samples.stream(f"other{turn}_{n}", category="Chess") for n in range(3)))
    assert rows(card) == before[:3]
    assert made == []
    assert words(card).count("Chess") == 3
    assert not any("Game" in text for text in words(card))
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    before[2]._open.click()
    assert opened == [QUrl("https://twitch.tv/other19_2")]
    assert before[2]._open.accessibleName() == "Open the channel of Other19_2"
    card.show_streams(())
    assert rows(card) == []
    assert any(text.startswith("Nobody") for text in words(card))


def test_the_pictures_that_are_known_are_shown(card: LiveNow, qtbot: QtBot, bridge: FakeBridge) -> None:
    red = QImage(8, 8, QImage.Format.Format_RGB32)
    red.fill(0xFFFF0000)
    content = QBuffer()
    content.open(QBuffer.OpenModeFlag.WriteOnly)
    red.save(content, "PNG")  # type: ignore[call-overload]
    bridge.engine.api.set("feed.picture", bytes(content.data().data()))
    stream = samples.stream("pixelforge")
    card.show_streams((stream,), {stream.broadcaster_id: "a-hash"})
    (row,) = rows(card)

    def middle() -> str:
        return row._avatar.grab().toImage().pixelColor(16, 16).name()

    qtbot.waitUntil(lambda: middle() == "#ff0000")
    card.show_streams((samples.stream("somebody_else"),), {stream.broadcaster_id: "a-hash"})
    assert middle() != "#ff0000"


def test_what_is_wrong_with_one_is_said_as_well(card: LiveNow) -> None:
    stream = samples.stream("pixelforge")
    card.show_streams((stream,), problems={stream.broadcaster_id: "Delivery problem"})
    assert "Delivery problem · Food & Drink" in words(card)
    card.show_streams((stream,))
    assert "Food & Drink" in words(card)
