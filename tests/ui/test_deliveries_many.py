"""Many deliveries changed at once."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import ManyResult, Refused
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge
from tests.ui.ledger import Ledger, delivery, waiting
from tests.ui.test_deliveries import load_all, shown


def test_many_at_once(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    ledger = Ledger(*(waiting(number) for number in range(1, 451)))
    page = shown(qtbot, store, bridge, ledger)
    load_all(qtbot, page, 450)
    page.table.selectAll()
    qtbot.waitUntil(page.many.isVisible)
    told: list[int] = []

    def drop(ids: list[int]) -> ManyResult:
        told.extend(ids)
        left = tuple(Refused(id=each, reason="It is being sent.") for each in ids if each == 450)
        return ManyResult(done=len(ids) - len(left), refused=left)

    bridge.engine.api.set("deliveries.drop_many", drop)
    with qtbot.waitSignal(page.said) as said:
        page.many.drop.click()
    assert sorted(told) == list(range(1, 451))
    assert len(bridge.engine.was_asked("api.deliveries.drop_many")) == 3
    assert said.args[0].startswith("449 dropped")
    assert "It is being sent." in said.args[0]
    bridge.engine.api.set("deliveries.retry_many", lambda ids: ManyResult(done=len(ids)))
    with qtbot.waitSignal(page.said):
        said.args[2]()
    back = [each for asked in bridge.engine.was_asked("api.deliveries.retry_many") for each in asked.args[0]]
    assert sorted(back) == list(range(1, 450))


def test_many_can_be_cancelled(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(*(waiting(number) for number in range(1, 451))))
    load_all(qtbot, page, 450)
    page.table.selectAll()

    def retry(ids: list[int]) -> ManyResult:
        page.many.cancel.click()
        return ManyResult(done=len(ids))

    bridge.engine.api.set("deliveries.retry_many", retry)
    with qtbot.waitSignal(page.said) as said:
        page.many.retry.click()
    assert said.args[0].startswith("200 ")
    assert not page.many.cancel.isVisible()
    assert page.many.retry.isEnabled()


def test_sending_many_again_asks_first(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Ledger(delivery(1), delivery(2)))
    page.table.selectAll()
    bridge.engine.api.set("deliveries.resend_many", lambda ids: ManyResult(done=len(ids)))
    page.many.resend.click()
    (box,) = page.findChildren(QMessageBox)
    qtbot.waitUntil(box.isVisible)
    assert not bridge.engine.was_asked("api.deliveries.resend_many")
    (send,) = [each for each in box.buttons() if box.buttonRole(each) is QMessageBox.ButtonRole.DestructiveRole]
    with qtbot.waitSignal(page.said):
        send.click()
    assert bridge.engine.was_asked("api.deliveries.resend_many")[0].args == ([2, 1],)


def test_retry_all_due(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    numbers = samples.numbers(pending=2)
    page = shown(qtbot, store, bridge, Ledger(waiting(1), waiting(2)), deliveries=numbers)
    assert page.waiting.text() == "2 waiting"
    bridge.engine.api.set("deliveries.retry_all", 2)
    with qtbot.waitSignal(page.said) as said:
        page.retry_all.click()
    assert said.args[0].startswith("2 ")
