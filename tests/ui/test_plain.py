"""Text of others is never markup, a shortcut, a program or a file to Qt."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QUrl
from PySide6.QtGui import QAction, QDesktopServices, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QMenu,
    QMessageBox,
    QSystemTrayIcon,
    QTextEdit,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import FeedDelivery, Level, Report, RowStatus, Statistics, StreamerStatus, errors
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.pages.feed.card import FeedCard
from itsjustintv_desktop.ui.pages.feed.view import FeedView
from itsjustintv_desktop.ui.plain import (
    HINT,
    channel_address,
    for_menu,
    open_address,
    open_folder,
    plain,
    readable,
)
from itsjustintv_desktop.ui.preferences import Preferences
from itsjustintv_desktop.ui.shell import tray as tray_module
from itsjustintv_desktop.ui.shell.tray import Tray
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.widgets.basic import Elided, label
from itsjustintv_desktop.ui.widgets.dialog import ask, message
from itsjustintv_desktop.ui.widgets.states import Toast
from tests.ui import samples
from tests.ui.fake import FakeBridge
from tests.ui.test_feed import entry

NASTY = (
    '<img src="/dev/zero">',
    "<b>bold</b>",
    "  \n <p>a paragraph",
    "&lt;b&gt; &amp; &",
    "R&D <a href='file:///etc/passwd'>here</a>",
    '<img src="\\\\host\\share\\a.png">',
    "\\\\host\\share",
    "\u202egnp.exe\u202c \u2066isolated\u2069",
    "a\x00b\x07c\x1b[31md",
    "<?xml version='1.0'?><html>",
    "<!DOCTYPE html>",
    "<b>" + "x" * 100_000,
    "half a character \ud83d",
)
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x07\x1b\ud83d")


@given(st.text())
def test_no_text_is_markup_to_qt(text: str) -> None:
    made = plain(text)
    assert not Qt.mightBeRichText(made)
    assert made.replace("\u200b", "") == readable(text, HINT).replace("\u200b", "")


@pytest.mark.parametrize("text", NASTY)
def test_what_is_shown_is_what_was_said(text: str) -> None:
    for made in (readable(text), plain(text), for_menu(text)):
        assert not TURNING & set(made)
        assert len(made) <= 10_000
    assert not Qt.mightBeRichText(plain(text))
    assert len(plain(text)) <= HINT + 20
    assert "&" not in for_menu(text).replace("&&", "")
    assert "\n" not in for_menu(text)


def test_text_that_is_harmless_stays_as_it_is() -> None:
    for text in ("Onion soup & a ghost story", "1 < 2", "שלום 👩\u200d🚀", "two\nlines", ""):
        assert readable(text) == plain(text) == text
    assert readable("one\r\ntwo\u2028three") == "one\ntwo\nthree"


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    def note(url: QUrl) -> bool:
        found.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", note)
    return found


def test_only_pages_are_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = opened(monkeypatch)
    for address in (
        "file:///etc/passwd", "smb://host/share", "\\\\host\\share", "//host/share", "javascript:alert(1)",
        "ms-msdt:/id", "https://", "https:///etc", "", "C:\\Windows\\System32\\calc.exe", "twitch.tv/alice", "http:a",
    ):  # fmt: skip
        assert not open_address(address), address
    assert found == []
    assert open_address("https://twitch.tv/alice")
    assert open_address(channel_address("../\\@evil.example?x#y"))
    assert QUrl(found[1]).host() == "twitch.tv"
    assert not open_folder(str(tmp_path / "none"))
    assert open_folder(str(tmp_path))
    assert len(found) == 3


# On the screen


def texts_of(widget: QWidget) -> Iterator[tuple[str, str]]:
    """What Qt would show as markup or with a shortcut of others, and where."""
    for each in (widget, *widget.findChildren(QWidget)):
        for kind, text in (("tooltip", each.toolTip()), ("status tip", each.statusTip()), ("help", each.whatsThis())):
            if Qt.mightBeRichText(text):
                yield type(each).__name__, f"{kind} {text[:60]!r}"
        for kind, text in (("name", each.accessibleName()), ("description", each.accessibleDescription())):
            if TURNING & set(text):
                yield type(each).__name__, f"{kind} {text[:60]!r}"
        if isinstance(each, QLabel) and each.text():
            if each.textFormat() is not Qt.TextFormat.PlainText:
                yield type(each).__name__, f"label {each.text()[:60]!r}"
            if TURNING & set(each.text()):
                yield type(each).__name__, f"direction {each.text()[:60]!r}"
        if isinstance(each, QAbstractButton):
            yield from shortcuts(type(each).__name__, each.text())
        if isinstance(each, QComboBox):
            yield from cells(each.model())
        if isinstance(each, QAbstractItemView) and each.model() is not None:
            yield from cells(each.model())
        if isinstance(each, QTextEdit):
            yield type(each).__name__, "takes markup"


def cells(model: QAbstractItemModel) -> Iterator[tuple[str, str]]:
    for row in range(model.rowCount()):
        for column in range(model.columnCount()):
            index = model.index(row, column)
            hint = index.data(Qt.ItemDataRole.ToolTipRole)
            if hint and Qt.mightBeRichText(str(hint)):
                yield type(model).__name__, f"tooltip {str(hint)[:60]!r}"
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
                if TURNING & set(str(index.data(role) or "")):
                    yield type(model).__name__, f"cell {index.data(role)[:60]!r}"


def shortcuts(what: str, text: str) -> Iterator[tuple[str, str]]:
    """ "&" before a letter of others: in what was said, each is doubled."""
    if "R&D" in text.replace("&&", "") or "&lt;" in text.replace("&&", "") or "&amp;" in text.replace("&&", ""):
        yield what, f"shortcut {text[:60]!r}"
    if TURNING & set(text):
        yield what, f"direction {text[:60]!r}"


def in_menu(menu: QMenu) -> Iterator[tuple[str, str]]:
    for action in menu.actions():
        yield from shortcuts("menu", action.text())


def hostile(text: str) -> Any:
    """A snapshot in which everything that others can say says that."""
    failing = samples.way(state="failing", message=text, fix=text)
    return samples.snapshot(
        way=failing,
        live=(samples.stream("pixelforge", name=text, title=text, category=text),),
        streamers=(
            samples.streamer("pixelforge", live=True, display_name=text, tag_filter=(text,), destinations=(text,)),
            samples.streamer("aurora_plays", status=StreamerStatus(level=Level.FAILING, word=text, reason=text)),
        ),
        destinations=(
            samples.destination(
                text, state="open", status=RowStatus(level=Level.ATTENTION, word=text, reason=text), address=text
            ),
            samples.destination("chat", state="paused", status=RowStatus(level=Level.FAILING, word=text, reason=text)),
        ),
        status=samples.failing(text),
    )


@pytest.mark.parametrize("page", ["overview", "streamers", "destinations", "feed", "deliveries", "connection"])
@pytest.mark.parametrize("text", NASTY)
def test_every_page(
    qtbot: QtBot, store: Store, preferences: Preferences, bridge: FakeBridge, page: str, text: str
) -> None:
    window = Window(store, preferences)
    qtbot.addWidget(window)
    bridge.engine._snapshot = store.snapshot = hostile(text)
    bridge.engine.api.settings.set("destinations.list", ())
    bridge.engine.api.settings.set("streamers.draft", errors.NotFoundError(text))
    bridge.engine.api.settings.set("streamers.suggest_tags", ())
    bridge.engine.api.set("diagnostics.doctor", Report(ok=True, checks=()))
    bridge.engine.api.set("statistics.days", Statistics(days=()))
    store.changed.emit()
    shown_page = window.page(page)
    shown_page.refresh(store.snapshot)
    shown_page.banner.show_error(errors.AppError(text))
    assert list(texts_of(window)) == []


@pytest.mark.parametrize("text", NASTY)
def test_menus_cards_and_questions(qtbot: QtBot, store: Store, text: str) -> None:
    tray = Tray(store)
    store.snapshot = hostile(text)
    store.changed.emit()
    assert list(in_menu(tray.menu)) == []
    assert not Qt.mightBeRichText(tray._icon.toolTip())
    tray.hide()
    feed = FeedView(store, "Feed")
    qtbot.addWidget(feed)
    card, menu = FeedCard(), QMenu()
    qtbot.addWidget(card)
    item = entry(1, name=text, title=text, category=text, explanation=text, deliveries=(delivery(text),))
    card.show_item(item, None, {})
    feed._fill_menu(card, menu)
    assert list(in_menu(menu)) == list(texts_of(card)) == []
    card.resize(600, 200)
    assert not card.grab().isNull()
    for box in (ask(feed, text, text, "Keep it", "Remove it", lambda: None), message(feed, text, text)):
        assert isinstance(box, QMessageBox)
        for part in box.findChildren(QLabel):
            assert part.textFormat() is Qt.TextFormat.PlainText or not Qt.mightBeRichText(part.text())
        box.close()


def delivery(text: str) -> FeedDelivery:
    return FeedDelivery(
        id=1, destination=text, state=DeliveryState.DEAD, attempts=3, last_status=404, last_error=text, next_at=None
    )


@pytest.mark.fault(
    'strangers: a stream\'s title is <img src="/dev/zero">',
    seen='Its characters, in the tooltip as well: "<img src="',
)
def test_a_hint_over_a_hostile_title_opens_nothing(qtbot: QtBot, qapp: QApplication) -> None:
    """Qt would read the file, without end."""
    text = NASTY[0]
    part = Elided(text * 20)
    qtbot.addWidget(part)
    part.resize(60, 20)
    part.show()
    QToolTip.showText(part.mapToGlobal(part.rect().center()), part.toolTip(), part)
    tips = [each for each in qapp.topLevelWidgets() if each.inherits("QTipLabel")]
    assert tips
    for tip in tips:
        assert isinstance(tip, QLabel)
        assert not Qt.mightBeRichText(tip.text())
        assert tip.text().replace("\u200b", "").startswith('<img src="/dev/zero">')
    QToolTip.hideText()


def drawn(label: str) -> str:
    """What a desktop draws of an entry of the tray's menu that Qt hands to it over D-Bus."""
    at = label.find("&")
    if 0 <= at < len(label) - 1:
        label = f"{label[:at]}_{label[at + 1 :]}"
    return re.sub("_(.|$)", r"\1", label)


@pytest.mark.parametrize("text", ["aurora_plays", "_a__b_", "R&D", "a & b & c_d", "&", "x&", "Food & Drink"])
def test_a_menu_that_the_desktop_draws_says_the_same(text: str) -> None:
    assert drawn(for_menu(text, over_dbus=True)) == text


def test_the_tray_knows_who_draws_its_menu(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    there = [False]
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: there[0])
    monkeypatch.setattr(sys, "platform", "linux")
    tray = Tray(store)
    store.snapshot = samples.snapshot(live=(samples.stream("aurora_plays"),))
    store.changed.emit()
    there[0] = True
    tray._find_host()
    assert "Aurora__Plays: Food && Drink" in [action.text() for action in tray.menu.actions()]
    monkeypatch.setattr(tray_module, "_shows_itself", lambda: True)
    store.changed.emit()
    assert "Aurora_Plays: Food && Drink" in [action.text() for action in tray.menu.actions()]
    tray.hide()


def test_a_notification(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _, title, text, __: said.append((title, text)))
    tray = Tray(store)
    tray.say("<b>R&D</b>\u202e", "a\x00 <img src='/dev/zero'> & b" + "x" * 100_000)
    ((title, text),) = said
    assert title == "<b>R&D</b>", "titles are plain text everywhere"
    assert text.startswith("a <img src='/dev/zero'> & bxx")
    assert len(text) < 1100
    tray.hide()


def test_a_label_says_what_it_was_given(qtbot: QtBot) -> None:
    made = label("<b>a\x00</b>\u202e", selectable=True)
    qtbot.addWidget(made)
    assert made.text() == "<b>a</b>"
    made.setText("\u202eb")
    assert made.text() == "b"


def test_a_word_at_the_edge_fits_the_window(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, 600)
    toast = Toast(window)
    window.show()
    for text in ("Saved.", "x y " * 50, "<b>" + "word " * 10_000):
        toast.say(text, "Undo", lambda: None)
        assert window.rect().contains(toast.geometry()), text[:20]


def test_actions_are_named_alike(qtbot: QtBot) -> None:
    """What Qt makes of an action's text for its tooltip."""
    menu = QMenu()
    qtbot.addWidget(menu)
    action: QAction = menu.addAction(for_menu("<b>R&D</b>"))
    assert action.text() == "<b>R&&D</b>"
