"""Deliveries: the list of any length, and what is done to them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import DeliveryPage, ManyResult, errors, events
from itsjustintv_desktop.engine.core.models import DeliveryView
from itsjustintv_desktop.ui.pages.deliveries import View
from itsjustintv_desktop.ui.pages.deliveries.details import Due
from itsjustintv_desktop.ui.pages.deliveries.model import ANSWER, NEXT, PAGE, STATE
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme.tokens import ROW_HEIGHT
from tests.ui import samples
from tests.ui.fake import FakeBridge
from tests.ui.ledger import Ledger, Long, delivery, details, waiting


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, ledger: Ledger, **snapshot: Any) -> View:
    given = {"destinations": (samples.destination("website"), samples.destination("chat")), **snapshot}
    bridge.engine._snapshot = store.snapshot = samples.snapshot(**given)
    for name, answer in (("deliveries.page", ledger.page), ("delivery_details.of", ledger.details)):
        bridge.engine.api.set(name, answer)
    page = View(store, "Deliveries")
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page.model.is_loaded)
    return page


def load_all(qtbot: QtBot, page: View, count: int) -> None:
    """Scroll to the end until all are there."""

    def scrolled() -> bool:
        page.table.scrollToBottom()
        return page.model.rowCount() == count

    qtbot.waitUntil(scrolled)


def text(page: View, row: int, column: int) -> str:
    return str(page.model.data(page.model.index(row, column)) or "")


def changed(view: DeliveryView) -> events.DeliveryChanged:
    return events.DeliveryChanged.of(view)


def open_row(qtbot: QtBot, page: View, row: int = 0) -> None:
    page.table.selectRow(row)
    qtbot.waitUntil(page.details.isVisible)


def test_rows_say_how_it_stands(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(delivery(1), waiting(2)))
    assert text(page, 0, ANSWER) == "answered 503 Service Unavailable"
    assert text(page, 0, NEXT).startswith("00:4")
    assert page.model.data(page.model.index(0, STATE), Qt.ItemDataRole.AccessibleTextRole) == "waiting"
    assert text(page, 1, ANSWER) == "204"
    assert text(page, 1, NEXT) == "–"
    titles = [
        page.model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole) for column in range(6)
    ]
    assert titles == ["", "Destination", "Streamer", "Last answer", "Tries", "Next"]


def test_a_paused_destination_is_said_instead_of_a_time(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    stopped = samples.destination("website", state="paused", paused_by_hand=True)
    page = shown(qtbot, store, bridge, Ledger(waiting(2)), destinations=(stopped,))
    assert text(page, 0, NEXT) == "paused"
    assert page.paused.text().startswith("1 ")


def test_a_change_arrives_in_its_row(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(delivery(1), waiting(2)))
    with qtbot.waitSignal(page.model.dataChanged):
        bridge.happen(changed(delivery(2, attempts=4)))
    assert text(page, 0, ANSWER) == "204"
    assert len(bridge.engine.was_asked("api.deliveries.page")) == 1


def test_of_a_hundred_thousand_rows_a_page_is_read_and_more_at_the_end(
    qtbot: QtBot, store: Store, bridge: FakeBridge
) -> None:
    page = shown(qtbot, store, bridge, Long(100_000))
    assert page.model.rowCount() == PAGE
    assert page.model.canFetchMore()
    page.table.selectAll()
    assert "not read yet" in page.many.older.text()
    assert len(bridge.engine.was_asked("api.deliveries.page")) == 1
    load_all(qtbot, page, 10 * PAGE)
    assert [view.id for view in page.model.rows] == list(range(100_000, 100_000 - 10 * PAGE, -1))
    assert len(bridge.engine.was_asked("api.deliveries.page")) == 10
    page.table.select_id(99_000)
    bar = page.table.verticalScrollBar()
    at = bar.value()
    bridge.happen(events.DeliveriesChanged(count=40))
    with qtbot.waitSignal(page.model.loaded):
        pass
    assert page.model.rowCount() >= 10 * PAGE
    assert (page.table.only(), bar.value()) == (99_000, at)


def test_the_end_of_the_list_is_its_end(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(*(delivery(number) for number in range(1, PAGE + 2))))
    load_all(qtbot, page, PAGE + 1)
    assert not page.model.canFetchMore()


def test_pages_that_are_empty_before_the_end_are_passed_over(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    """Where few of very many fit, the ledger answers with what it has so far."""
    asked: list[int | None] = []

    def answer(wanted: object, before: int | None = None, limit: int = PAGE) -> DeliveryPage:
        asked.append(before)
        left = 9 if before is None else before - 1
        rows = (delivery(left),) if left in {6, 3} else ()
        return DeliveryPage(rows=rows, before=left if left > 1 else None)

    ledger = Ledger()
    ledger.page = answer  # type: ignore[method-assign]
    page = shown(qtbot, store, bridge, ledger)
    qtbot.waitUntil(lambda: [view.id for view in page.model.rows] == [6, 3])
    qtbot.waitUntil(lambda: not page.model.canFetchMore())
    assert asked == [None, 9, 8, 7, 6, 5, 4, 3, 2]


def test_new_ones_come_in_above_without_a_jump(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(*(delivery(number) for number in range(1, 101)))
    page = shown(qtbot, store, bridge, ledger)
    page.table.selectRow(50)
    bar = page.table.verticalScrollBar()
    bar.setValue(20 * ROW_HEIGHT + 7)
    for number in (101, 102):
        ledger.rows[number] = waiting(number)
    bridge.happen(changed(ledger.rows[101]), changed(ledger.rows[102]))
    qtbot.waitUntil(lambda: page.model.rowCount() == 102)
    assert bar.value() == 22 * ROW_HEIGHT + 7
    assert page.table.only() == 50
    bridge.happen(changed(delivery(102)))
    assert text(page, 0, ANSWER) == "204"


def test_who_looks_at_the_newest_sees_the_new_ones(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(*(delivery(number) for number in range(1, 101)))
    page = shown(qtbot, store, bridge, ledger)
    ledger.rows[101] = waiting(101)
    bridge.happen(changed(ledger.rows[101]))
    qtbot.waitUntil(lambda: page.model.rowCount() == 101)
    assert page.table.verticalScrollBar().value() == 0
    assert page.model.row_of(101) == 0


def test_what_fits_no_longer_leaves_the_list_later(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(waiting(1), waiting(2), waiting(3))
    page = shown(qtbot, store, bridge, ledger)
    page.model._tidy.setInterval(50)
    with qtbot.waitSignal(page.model.loaded):
        page.state.setCurrentIndex(page.state.findData("waiting"))
    ledger.rows[2] = delivery(2)
    bridge.happen(changed(ledger.rows[2]))
    assert page.model.rowCount() == 3
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    assert [page.model.view(row).id for row in range(2)] == [3, 1]  # type: ignore[union-attr]


def test_filters(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(delivery(1), waiting(2, destination="chat")))
    page.destination.setCurrentIndex(page.destination.findData("website"))
    qtbot.waitUntil(lambda: page.model.rowCount() == 1)
    QTest.keyClicks(page.search, "nobody")
    qtbot.waitUntil(page._no_match.isVisible)
    page._no_match.action.click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)


def test_nothing_yet_and_nothing_to_be_read(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger())
    qtbot.waitUntil(page._empty.isVisible)
    bridge.engine.api.set("deliveries.page", errors.LedgerError("The disk is full."))
    other = View(store, "Deliveries")
    qtbot.addWidget(other)
    other.show()
    other.activate()
    qtbot.waitUntil(other._failed.isVisible)


def test_details_show_attempts_and_a_masked_request(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(waiting(2)))
    open_row(qtbot, page)
    said = page.details.request.toPlainText()
    assert said.startswith("POST https://example.org/••••••")
    assert "X-Hub-Signature-256: ••••••" in said
    assert page.details.response.toPlainText() == "try later"
    assert page.details.attempts.sentence(details(waiting(2)).attempts[0]) == "503 in 212 ms"
    page.details.copy.click()
    assert QGuiApplication.clipboard().text() == said


@pytest.mark.parametrize("width", [320, 420])
def test_no_button_of_the_details_is_cut(qtbot: QtBot, store: Store, bridge: FakeBridge, width: int) -> None:
    """With the longer words of other languages they go on in the next line."""
    page = shown(qtbot, store, bridge, Ledger(waiting(2)))
    open_row(qtbot, page)
    panel = page.details
    qtbot.waitUntil(panel.drop.isVisible)
    panel.retry.setText("Jetzt versuchen")
    panel.due.setText("Nächster Versuch…")
    panel.drop.setText("Verwerfen")
    panel.setFixedWidth(width)
    panel.setFixedHeight(500)

    def fits() -> bool:
        parts = (panel.retry, panel.due, panel.drop, panel.copy, panel.pause)
        view = panel.viewport()
        wide = all(part.mapTo(view, part.rect().topRight()).x() < view.width() for part in parts)
        return wide and all(part.width() >= part.minimumSizeHint().width() for part in parts)

    qtbot.waitUntil(fits)
    assert (
        panel.drop.mapTo(panel, panel.drop.rect().topLeft()).x()
        > panel.retry.mapTo(panel, panel.retry.rect().topRight()).x()
    )


@pytest.mark.parametrize("what", ["retry", "resend"])
def test_one_is_tried_now_or_sent_again(qtbot: QtBot, store: Store, bridge: FakeBridge, what: str) -> None:
    """What waits is tried, what was delivered is sent again and not dropped."""
    view = waiting(2) if what == "retry" else delivery(2)
    page = shown(qtbot, store, bridge, Ledger(view))
    open_row(qtbot, page)
    buttons = {"retry": page.details.retry, "resend": page.details.resend}
    chosen = buttons.pop(what)
    assert chosen.property("role") == "primary"
    assert not buttons.popitem()[1].isVisible()
    assert page.details.drop.isVisible() is (what == "retry")
    with qtbot.waitSignal(page.said):
        chosen.click()
    assert bridge.engine.was_asked(f"api.deliveries.{what}")[0].args == (2,)
    qtbot.waitUntil(chosen.isEnabled)


def test_a_drop_can_be_undone(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(waiting(2)))
    open_row(qtbot, page)
    with qtbot.waitSignal(page.said) as said:
        page.details.drop.click()
    assert bridge.engine.was_asked("api.deliveries.drop")[0].args == (2,)
    _, action, undo = said.args
    assert action == "Undo"
    bridge.engine.api.set("deliveries.retry_many", ManyResult(done=1))
    with qtbot.waitSignal(page.said):
        undo()
    assert bridge.engine.was_asked("api.deliveries.retry_many")[0].args == ([2],)


def test_what_the_engine_refuses_is_shown(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(waiting(2)))
    open_row(qtbot, page)
    bridge.engine.api.set("deliveries.drop", errors.UsageError("It is being sent at this very moment."))
    page.details.drop.click()
    qtbot.waitUntil(page.banner.isVisible)
    assert "at this very moment" in page.banner.accessibleName()
    assert page.details.drop.isEnabled()


def test_another_time_for_the_next_try(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(waiting(2)))
    open_row(qtbot, page)
    page.details.due.click()
    (due,) = page.findChildren(Due)
    qtbot.waitUntil(due.isVisible)
    assert due.when.accessibleName()
    with qtbot.waitSignal(page.said):
        due.presets[0].click()
    delivery_id, at = bridge.engine.was_asked("api.deliveries.set_due")[0].args
    assert delivery_id == 2
    assert abs(at - time.time() - 300) < 5


@pytest.mark.parametrize("name", ["website", "chat"])
def test_a_destination_is_paused_and_resumed(qtbot: QtBot, store: Store, bridge: FakeBridge, name: str) -> None:
    """The one of the delivery in the details, or the one the list is filtered by."""
    page = shown(qtbot, store, bridge, Ledger(waiting(2)))
    if name == "website":
        open_row(qtbot, page)
        pause = page.details.pause
        assert pause.accessibleName() == "Pause website"
    else:
        pause = page.pause
        assert not pause.isVisible()
        page.destination.setCurrentIndex(page.destination.findData("chat"))
        assert pause.text() == "Pause chat"
    with qtbot.waitSignal(page.said) as said:
        pause.click()
    assert bridge.engine.was_asked("api.destinations.pause")[0].args == (name,)
    with qtbot.waitSignal(page.said):
        said.args[2]()
    assert bridge.engine.was_asked("api.destinations.resume")[0].args == (name,)


def test_the_way_here_opens_one_delivery(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(delivery(1), waiting(2)))
    page.activate(1)
    qtbot.waitUntil(page.details.isVisible)
    assert page.table.only() == 1
    shown_now = page.details.details
    assert shown_now is not None
    assert shown_now.view.id == 1


def test_selection_stays_when_much_changed(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(*(waiting(number) for number in range(1, 50))))
    page.table.selectRow(10)
    chosen = page.table.only()
    with qtbot.waitSignal(page.model.loaded):
        bridge.happen(events.DeliveriesChanged(count=40))
    assert page.table.only() == chosen


def test_by_keyboard_alone(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(waiting(1), waiting(2)))
    page.table.setFocus()
    page.table.setCurrentIndex(page.model.index(0, 0))
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: page.table.only() == 1)
    page.table.selectionModel().select(
        page.model.index(0, 0), QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    )
    assert page.table.selected_count() == 2
    for each in page.findChildren(QPushButton):
        assert each.text() or each.accessibleName()


def test_a_destination_that_is_left_alone_does_not_say_now(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    alone = samples.destination("website", state="open", reason="it does not answer")
    rows = Ledger(waiting(1, next_at=time.time() - 5), waiting(2))
    page = shown(qtbot, store, bridge, rows, destinations=(alone,))
    assert text(page, 0, NEXT).startswith("00:4")
    assert text(page, 1, NEXT) == "waits"


def test_details_are_those_of_now_when_the_page_is_seen_again(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(waiting(1)))
    open_row(qtbot, page)
    page.hide()
    asked = len(bridge.engine.was_asked("api.delivery_details.of"))
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: len(bridge.engine.was_asked("api.delivery_details.of")) > asked)
