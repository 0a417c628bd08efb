"""The live feed: what is shown of each entry, and that nothing jumps."""

from __future__ import annotations

import json
import time
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import FeedDelivery, FeedItem, FeedPage, errors, events
from itsjustintv_desktop.engine.core.models import DeliveryState
from itsjustintv_desktop.ui.pages.feed import View
from itsjustintv_desktop.ui.pages.feed.card import FeedCard
from itsjustintv_desktop.ui.pages.feed.cards import MOST, PAGE
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge


def outcome(destination: str = "website", **details: Any) -> FeedDelivery:
    given: dict[str, Any] = {
        "id": 7, "destination": destination, "state": DeliveryState.DELIVERED, "attempts": 1, "next_at": None,
        "last_status": 204, "last_error": None,
    }  # fmt: skip
    return FeedDelivery(**{**given, **details})


def entry(event_id: int, **details: Any) -> FeedItem:
    given: dict[str, Any] = {
        "event_id": event_id, "kind": "announced", "at": time.time() - 180, "streamer": "northerndev",
        "login": "northerndev", "name": "NorthernDev", "url": "https://twitch.tv/northerndev",
        "title": "Rust at 2 a.m.", "category": "Software", "tags": ("English", "Rust"), "started_at": None,
        "state": "announced", "reason": "", "explanation": "", "test": False, "enriched": True, "missing": (),
        "picture": None, "stream_id": f"s{event_id}", "deliveries": (outcome(),), "can_send_anyway": False,
    }  # fmt: skip
    return FeedItem(**{**given, **details})


def filtered(event_id: int) -> FeedItem:
    why = "None of the channel's tags (Speedrun) is in the filter (Cozy)."
    return entry(
        event_id, kind="suppressed", state="suppressed", reason="filtered", explanation=why, deliveries=(),
        can_send_anyway=True,
    )  # fmt: skip


class Ledger:
    """Answers pages as the engine does."""

    def __init__(self, *items: FeedItem) -> None:
        self.items = {item.event_id: item for item in items}

    def page(self, before: int | None, limit: int, *, kinds: tuple[str, ...] = (), search: str = "") -> FeedPage:
        fit = [
            item
            for item in sorted(self.items.values(), key=lambda item: -item.event_id)
            if (before is None or item.event_id < before)
            and (not kinds or item.kind in kinds)
            and search.casefold() in item.name.casefold()
        ]
        return FeedPage(items=tuple(fit[:limit]), before=fit[limit - 1].event_id if len(fit) > limit else None)


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, ledger: Ledger) -> View:
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    bridge.engine.api.set("feed.page", ledger.page)
    bridge.engine.api.set("feed.item", lambda event_id: ledger.items[event_id])
    page = View(store, "Live feed")
    qtbot.addWidget(page)
    page.resize(1000, 600)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.entries.loaded)
    return page


def card(page: View, event_id: int) -> FeedCard:
    found = page.cards.card(event_id)
    assert found is not None
    return found


def settled(event_id: int, state: str = "announced") -> events.EventSettled:
    return events.EventSettled(
        event_id=event_id, kind="stream.online", state=state, login="x", streamer="x", reason=None, explanation=None
    )


def test_an_entry_says_everything_in_words(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    waiting = outcome(
        state=DeliveryState.PENDING, last_status=503, last_error="answered 503", next_at=time.time() + 41.5
    )
    page = shown(qtbot, store, bridge, Ledger(entry(1, deliveries=(outcome("chat"), waiting))))
    said = card(page, 1).accessibleName()
    assert "NorthernDev went live" in said
    assert "Rust at 2 a.m" in said
    assert "chat: delivered" in said
    assert "website: waiting" in said
    texts = [mark.text for mark in card(page, 1)._at(900).marks]
    assert texts[0] == "chat"
    assert texts[1].startswith("website: 503, next try in 00:4")


def test_what_was_not_announced_can_be_sent_anyway(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(filtered(3)))
    bridge.engine.api.set("announcements.send_anyway", ("website",))
    one = card(page, 3)
    assert "None of the channel's tags" in one.accessibleName()
    with qtbot.waitSignal(page.said) as said:
        one.send_anyway.click()
    assert bridge.engine.was_asked("api.announcements.send_anyway")[0].args == (3,)
    assert said.args[0] == "The announcement of NorthernDev is on its way to website"
    with qtbot.waitSignal(page.go) as asked:
        one.edit_filter.click()
    assert asked.args == ["streamers", "northerndev"]


def test_sending_anyway_in_vain_can_be_tried_again(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(filtered(3)))
    bridge.engine.api.set("announcements.send_anyway", errors.UsageError("It was announced meanwhile."))
    card(page, 3).send_anyway.click()
    qtbot.waitUntil(page.banner.isVisible)
    assert card(page, 3).send_anyway.isEnabled()


def test_an_announcement_offers_no_second_one(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(entry(1)))
    assert not card(page, 1).send_anyway.isVisible()
    assert not card(page, 1).edit_filter.isVisible()


def test_new_entries_come_in_at_the_top(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(entry(1))
    page = shown(qtbot, store, bridge, ledger)
    ledger.items[2] = entry(2)
    bridge.happen(settled(2))
    qtbot.waitUntil(lambda: [item.event_id for item in page.entries.items] == [2, 1])
    assert card(page, 2).y() < card(page, 1).y()


def test_only_entries_are_seen_after_leaving_and_coming_back(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    """Cards that are made ahead wait unseen: Qt shows children together with their parent unless told otherwise."""
    ledger = Ledger(entry(1))
    page = shown(qtbot, store, bridge, ledger)
    qtbot.waitUntil(lambda: len(page.cards.findChildren(FeedCard)) >= 5)
    del ledger.items[1]
    page.entries.reload()
    qtbot.waitUntil(lambda: page._stack.currentWidget() is page._empty)
    page.hide()
    ledger.items[2] = filtered(2)
    bridge.happen(settled(2, "suppressed"))
    page.show()
    qtbot.waitUntil(lambda: page._stack.currentWidget() is page.cards)
    qtbot.waitUntil(lambda: page.cards.card(2) is not None)
    assert [each for each in page.cards.findChildren(FeedCard) if each.isVisible()] == [card(page, 2)]
    page.hide()
    qtbot.waitUntil(lambda: len(page.cards.findChildren(FeedCard)) >= 10)
    page.show()
    assert [each for each in page.cards.findChildren(FeedCard) if each.isVisible()] == [card(page, 2)]


def test_a_menu_says_which_destination_each_line_is_about(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    """Where a desktop draws no heading in a menu, and for who hears it."""
    deliveries = (
        outcome("chat & more", id=7),
        outcome("website", id=8, state=DeliveryState.DEAD),
        outcome("archive", id=9, state=DeliveryState.PENDING, next_at=time.time() + 60),
    )
    page = shown(qtbot, store, bridge, Ledger(entry(1, deliveries=deliveries)))
    menu = QMenu()
    page._fill_menu(card(page, 1), menu)
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert len(texts) == len(set(texts))
    assert texts == [
        "&Open the channel", "&Copy payload",
        "Send again to chat && more", "Look at the delivery to chat && more",
        "Try website now", "Send again to website", "Look at the delivery to website",
        "Try archive now", "Look at the delivery to archive",
    ]  # fmt: skip


def test_nothing_jumps_for_who_scrolled_down(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(*(entry(number) for number in range(1, 15)))
    page = shown(qtbot, store, bridge, ledger)
    bar = page.cards.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 600)
    bar.setValue(500)
    for number in (20, 21, 22):
        ledger.items[number] = entry(number)
    bridge.happen(settled(20), settled(21), settled(22))
    qtbot.waitUntil(page.cards.pill.isVisible)
    assert page.cards.pill.button.text().startswith("3 ")
    assert bar.value() == 500
    assert page.cards.card(22) is None
    page.cards.pill.button.click()
    qtbot.waitUntil(lambda: page.cards.card(22) is not None)
    assert bar.value() == 0
    assert not page.cards.pill.isVisible()


def test_scrolling_back_to_the_top_lets_them_in_without_a_jump(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(*(entry(number) for number in range(1, 15)))
    page = shown(qtbot, store, bridge, ledger)
    bar = page.cards.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 600)
    bar.setValue(500)
    ledger.items[20] = entry(20)
    bridge.happen(settled(20))
    qtbot.waitUntil(page.cards.pill.isVisible)
    bar.setValue(0)
    qtbot.waitUntil(lambda: page.cards.card(20) is not None)
    assert not page.cards.pill.isVisible()


def test_older_ones_are_read_a_page_at_a_time_and_the_list_stays_short(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    page = shown(qtbot, store, bridge, Ledger(*(entry(number) for number in range(1, 201))))
    assert len(page.entries.items) == PAGE
    for _ in range(4):
        oldest = page.entries.items[-1].event_id
        page.cards.verticalScrollBar().setValue(page.cards.verticalScrollBar().maximum())
        y = card(page, oldest).mapTo(page.cards, card(page, oldest).rect().topLeft()).y()
        page.cards.older.click()
        qtbot.waitUntil(lambda before=oldest: page.entries.items[-1].event_id < before)  # type: ignore[misc]
        assert card(page, oldest).mapTo(page.cards, card(page, oldest).rect().topLeft()).y() == y
    assert len(page.entries.items) == MOST
    assert len(page.cards.findChildren(FeedCard)) <= MOST + PAGE
    assert page.cards.back.isVisible()
    page.cards.back.click()
    qtbot.waitUntil(lambda: page.entries.items[0].event_id == 200)
    assert not page.cards.back.isVisible()


def test_a_burst_of_a_thousand_shows_the_newest(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(entry(1))
    page = shown(qtbot, store, bridge, ledger)
    for number in range(2, 1002):
        ledger.items[number] = entry(number)
    bridge.happen(*(settled(number) for number in range(2, 1002)))
    qtbot.waitUntil(lambda: page.entries.items[0].event_id == 1001)
    assert len(page.entries.items) <= MOST
    assert page.entries.before is not None


def test_an_outcome_changes_in_place(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    waiting = outcome(state=DeliveryState.PENDING, next_at=time.time() + 30)
    ledger = Ledger(entry(1, deliveries=(waiting,)))
    page = shown(qtbot, store, bridge, ledger)
    assert "website: waiting" in card(page, 1).accessibleName()
    ledger.items[1] = entry(1)
    bridge.happen(
        events.DeliveryChanged(
            id=7, event_id=1, streamer="x", destination="website", state=DeliveryState.DELIVERED, attempts=2,
            status=204, error=None, next_at=None,
        )
    )  # fmt: skip
    qtbot.waitUntil(lambda: "website: delivered" in card(page, 1).accessibleName())


def test_search_waits_for_the_end_of_a_word(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(entry(1), entry(2, name="Astra")))
    asked = len(bridge.engine.was_asked("api.feed.page"))
    QTest.keyClicks(page.search, "astra")
    qtbot.waitUntil(lambda: [item.event_id for item in page.entries.items] == [2])
    assert len(bridge.engine.was_asked("api.feed.page")) == asked + 1
    page.search.setText("nobody")
    qtbot.waitUntil(page._no_match.isVisible)
    page._no_match.action.click()
    qtbot.waitUntil(lambda: len(page.entries.items) == 2)


def test_failed_ones_alone(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    dead = outcome(state=DeliveryState.DEAD, last_status=404, last_error="answered 404")
    page = shown(qtbot, store, bridge, Ledger(entry(1, deliveries=(dead,)), entry(2), filtered(3)))
    page.filter.setCurrentIndex(page.filter.findData("failed"))
    qtbot.waitUntil(lambda: [item.event_id for item in page.entries.items] == [1])
    page.filter.setCurrentIndex(page.filter.findData("suppressed"))
    qtbot.waitUntil(lambda: [item.event_id for item in page.entries.items] == [3])


def test_nothing_yet(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger())
    qtbot.waitUntil(page._empty.isVisible)


def test_a_feed_that_cannot_be_read_says_so_and_is_tried_again(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    bridge.engine.api.set("feed.page", errors.LedgerError("The disk is full."))
    page = View(store, "Live feed")
    qtbot.addWidget(page)
    page.show()
    page.activate()
    qtbot.waitUntil(page._failed.isVisible)
    bridge.engine.api.set("feed.page", Ledger(entry(1)).page)
    page._failed.action.click()
    qtbot.waitUntil(page.cards.isVisible)


def test_copy_resend_and_the_way_to_the_delivery(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(entry(1)))
    bridge.engine.api.set("feed.payload", '{"streamer_login": "northerndev"}')
    menu = QMenu()
    qtbot.addWidget(menu)
    card(page, 1).fill_menu(menu)
    actions = {action.text().replace("&", ""): action for action in menu.actions()}
    with qtbot.waitSignal(page.said):
        actions["Copy payload"].trigger()
    assert json.loads(QGuiApplication.clipboard().text()) == {"streamer_login": "northerndev"}
    with qtbot.waitSignal(page.said):
        actions["Send again to website"].trigger()
    assert bridge.engine.was_asked("api.deliveries.resend")[0].args == (7,)
    with qtbot.waitSignal(page.go) as asked:
        actions["Look at the delivery to website"].trigger()
    assert asked.args == ["deliveries", 7]


def test_raw_json(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(entry(1), filtered(2)))
    bridge.engine.api.set("feed.payload", '{\n  "streamer_login": "northerndev"\n}')
    page.raw_button.click()
    qtbot.waitUntil(page.raw.isVisible)
    assert json.loads(page.raw.text.toPlainText()) == [{"streamer_login": "northerndev"}]
    assert page.raw.text.isReadOnly()
    page.raw_button.click()
    qtbot.waitUntil(page.cards.isVisible)


def test_everything_is_reached_by_keyboard_and_has_a_name(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(entry(1), filtered(2)))
    one = card(page, 2)
    for each in (one.send_anyway, one.edit_filter, one.more, card(page, 1).more, page.search, page.filter):
        assert each.accessibleName()
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    for here, then in ((one.edit_filter, one.channel), (one.more, card(page, 1).channel)):
        here.setFocus()
        QTest.keyClick(here, Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is then


def test_a_flood_makes_no_cards(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    """They are made ahead, one a turn: making twenty at once holds up the screen for long."""
    ledger = Ledger(*(entry(number) for number in range(1, 6)))
    page = shown(qtbot, store, bridge, ledger)
    qtbot.waitUntil(lambda: len(page.findChildren(FeedCard)) == MOST)
    before = set(map(id, page.findChildren(FeedCard)))
    ledger.items |= {number: entry(number) for number in range(6, 1000)}
    bridge.happen(*(settled(number) for number in range(6, 1000)))
    qtbot.waitUntil(lambda: page.cards.card(999) is not None)
    assert set(map(id, page.findChildren(FeedCard))) == before
    visible = [each for each in page.findChildren(FeedCard) if not each.isHidden()]
    assert len(visible) == len(page.entries.items)
