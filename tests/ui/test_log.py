"""The log: live, filtered, bounded, and nothing jumps for who reads."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import LogLine, LogPage, errors
from itsjustintv_desktop.ui.pages.log import HEIGHT, MOST, LogView
from itsjustintv_desktop.ui.store import Store
from tests.ui import samples
from tests.ui.fake import FakeBridge


def line(number: int, **details: Any) -> LogLine:
    given: dict[str, Any] = {
        "number": number, "at": time.time(), "level": "info", "logger": "engine.delivery", "text": f"line {number}",
        "fields": (("destination", "website"),),
    }  # fmt: skip
    return LogLine(**{**given, **details})


class Memory:
    """The engine's last lines."""

    def __init__(self, *lines: LogLine) -> None:
        self.lines = list(lines)

    def log_lines(self, after: int = 0) -> LogPage:
        return LogPage(lines=tuple(each for each in self.lines if each.number > after)[-MOST:], folder="/data/logs")

    def more(self, count: int) -> None:
        first = self.lines[-1].number + 1
        self.lines += [line(number) for number in range(first, first + count)]


def shown(qtbot: QtBot, store: Store, bridge: FakeBridge, memory: Memory) -> LogView:
    bridge.engine._snapshot = store.snapshot = samples.snapshot()
    bridge.engine.api.set("diagnostics.log", memory.log_lines)
    page = LogView(store, "Log")
    qtbot.addWidget(page)
    page._timer.setInterval(20)
    page.resize(1000, 600)
    page.show()
    page.activate()
    qtbot.waitUntil(lambda: page._stack.currentWidget() is not page._loading)
    return page


def texts(page: LogView) -> list[str]:
    return [page.model.line(row).text for row in range(page.model.rowCount())]


def test_new_lines_arrive_and_the_newest_is_in_sight(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    memory = Memory(*(line(number) for number in range(1, 101)))
    page = shown(qtbot, store, bridge, memory)
    assert page.model.rowCount() == 100
    assert page.lines.is_at_end
    assert page.folder.isEnabled()
    memory.more(20)
    qtbot.waitUntil(lambda: page.model.rowCount() == 120)
    assert page.lines.is_at_end
    assert page.lines.verticalScrollBar().maximum() > 100 * HEIGHT - page.lines.height()


def test_who_reads_further_up_is_left_alone(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    memory = Memory(*(line(number) for number in range(1, MOST + 1)))
    page = shown(qtbot, store, bridge, memory)
    bar = page.lines.verticalScrollBar()
    bar.setValue(1000 * HEIGHT)
    top = page.model.line(page.lines.indexAt(page.lines.viewport().rect().topLeft()).row())
    memory.more(30)
    qtbot.waitUntil(lambda: page.model.last == MOST + 30)
    assert page.model.rowCount() == MOST
    assert page.model.line(page.lines.indexAt(page.lines.viewport().rect().topLeft()).row()) == top
    assert not page.lines.is_at_end


def test_levels_and_text(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    memory = Memory(
        line(1), line(2, level="warning", text="late"), line(3, level="error", text="broke", logger="engine.ledger")
    )
    page = shown(qtbot, store, bridge, memory)
    page.level.setCurrentIndex(page.level.findData("warning"))
    assert texts(page) == ["late", "broke"]
    memory.more(1)
    qtbot.waitUntil(lambda: page.model.last == 4)
    assert texts(page) == ["late", "broke"]
    QTest.keyClicks(page.search, "LEDGER")
    qtbot.waitUntil(lambda: texts(page) == ["broke"])
    page.search.setText("nothing like it")
    qtbot.waitUntil(page._no_match.isVisible)
    page._no_match.action.click()
    assert len(texts(page)) == 4


def test_pause_holds_it_still_and_nothing_is_lost(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    memory = Memory(line(1))
    page = shown(qtbot, store, bridge, memory)
    page.pause.click()
    asked = len(bridge.engine.was_asked("api.diagnostics.log"))
    memory.more(5)
    page._timer.timeout.emit()
    qtbot.wait(1)
    assert page.model.rowCount() == 1
    assert len(bridge.engine.was_asked("api.diagnostics.log")) <= asked + 1
    page.pause.click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 6)


def test_a_line_in_full_and_copied(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    trace = "Traceback:\n  somewhere\nValueError: no"
    page = shown(qtbot, store, bridge, Memory(line(1, level="error", text="broke", fields=(("exception", trace),))))
    assert not page.full.isVisible()
    page.lines.setFocus()
    page.lines.setCurrentIndex(page.model.index(0))
    qtbot.waitUntil(page.full.isVisible)
    assert "  somewhere\nValueError: no" in page.full.toPlainText()
    QTest.keyClick(page.lines, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert trace in QGuiApplication.clipboard().text()
    said = page.model.data(page.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert "error  broke  ValueError: no" in said


def test_the_report_for_support(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Memory(line(1)))
    bridge.engine.api.set("support.report", "itsjustintv 0.1.0")
    with qtbot.waitSignal(page.said):
        page.report.click()
    assert QGuiApplication.clipboard().text() == "itsjustintv 0.1.0"
    assert page.report.isEnabled()


def test_trouble_is_said_once_and_heals(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    memory = Memory(line(1))
    page = shown(qtbot, store, bridge, memory)
    bridge.engine.api.set("diagnostics.log", errors.EngineGoneError("It does not answer."))
    qtbot.waitUntil(page.banner.isVisible)
    memory.more(1)
    bridge.engine.api.set("diagnostics.log", memory.log_lines)
    qtbot.waitUntil(lambda: not page.banner.isVisible())
    assert page.model.rowCount() == 2


def test_nothing_is_asked_while_another_page_is_in_front(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    page = shown(qtbot, store, bridge, Memory())
    assert page._empty.isVisible()
    page.hide()
    qtbot.waitUntil(lambda: not page.tasks._tasks)
    asked = len(bridge.engine.was_asked("api.diagnostics.log"))
    page._read_soon()
    qtbot.wait(1)
    assert len(bridge.engine.was_asked("api.diagnostics.log")) == asked
