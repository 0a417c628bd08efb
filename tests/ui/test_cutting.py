"""Dialogs, and the page of a start that failed, have room for what is in them, also in German at their smallest."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QTableView, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import Level, RowStatus, StreamerStatus, errors
from itsjustintv_desktop.ui.pages.base import Page
from itsjustintv_desktop.ui.pages.streamers.table import STATE
from itsjustintv_desktop.ui.shell.window import SMALLEST
from itsjustintv_desktop.ui.status import facts_of
from itsjustintv_desktop.ui.store import Store
from itsjustintv_desktop.ui.theme.tokens import SIDEBAR
from itsjustintv_desktop.ui.widgets.basic import column
from itsjustintv_desktop.ui.widgets.scroll import Upright
from tests.ui import cutting, samples, test_deliveries
from tests.ui.fake import FakeBridge
from tests.ui.ledger import Ledger
from tests.ui.pages.destinations import test_destinations
from tests.ui.pages.streamers import test_streamers
from tests.ui.test_app import Run, run, tray_host
from tests.ui.test_quitting import OPENED, Opened, answer_pages

__all__ = ["run", "tray_host"]


@pytest.mark.parametrize("opened", OPENED)
def test_a_dialog(spoken: str, run: Run, qtbot: QtBot, opened: Opened) -> None:
    run.begin()
    answer_pages(run)
    dialog = opened(run, qtbot)
    qtbot.wait(50)
    found = cutting.faults(dialog)
    dialog.resize(dialog.minimumSizeHint())
    qtbot.wait(50)
    found += [f"smallest: {fault}" for fault in cutting.faults(dialog) if not fault.startswith("too low")]
    assert not found, "\n".join(found)


def test_each_step_of_the_assistant(spoken: str, run: Run, qtbot: QtBot) -> None:
    desktop = run.begin()
    answer_pages(run)
    run.bridge.engine.api.settings.set("connection_check.check", ())
    desktop.window.assistant_requested.emit()
    assistant = desktop.assistant
    assert assistant is not None
    found = []
    for step in assistant.steps:
        assistant.show_step(step.name)
        qtbot.wait(50)
        found += [f"{step.name}: {fault}" for fault in cutting.faults(assistant)]
    assert not found, "\n".join(found)


def test_a_start_that_failed(spoken: str, run: Run, qtbot: QtBot) -> None:
    window = run.begin().window
    window.resize(SMALLEST)
    run.bridge.state, run.bridge.error = "failed", errors.ConfigError(["config.toml, line 3: it is no number"])
    run.bridge.state_changed.emit("failed")
    window.failed.edit.show()
    window.failed.back.show()
    qtbot.wait(50)
    assert not cutting.faults(window)


def test_what_scrolls_is_never_narrower_than_what_is_inside(qtbot: QtBot) -> None:
    line, inner, host = QLineEdit(), QWidget(), QWidget()
    qtbot.addWidget(host)
    line.setMinimumWidth(300)
    inner.setLayout(column(line))
    area = Upright(inner)
    area.setParent(host)
    assert area.minimumSizeHint().width() > 300
    area.resize(area.minimumSizeHint().width(), 20)
    host.show()
    assert not cutting.faults(host)
    line.setMinimumWidth(500)
    qtbot.waitUntil(lambda: area.minimumSizeHint().width() > 500)
    area.resize(400, 20)
    assert cutting.faults(host), "the test sees what is cut"


NAMES = ("community", "team-discord-of-the-whole-community")


def rows() -> dict[str, Any]:
    """Long names and states, and one that is live and has a problem."""
    ill = StreamerStatus(level=Level.ATTENTION, word="Delivery problem", reason="See team-discord.")
    lost = StreamerStatus(level=Level.FAILING, word="Not found on Twitch", reason="There is no such channel.")
    streamers = (
        samples.streamer("pixelforge", live=True, status=ill, tag_filter=("Deutsch", "Speedrun", "English")),
        samples.streamer("the_longest_name_of_all", status=lost, destinations=("community", "team-discord-chat")),
    )
    held = RowStatus(level=Level.ATTENTION, word="Not tried yet", reason="Nothing was sent there yet.")
    destinations = (
        samples.destination(NAMES[0], waiting=12_345, status=held),
        samples.destination(NAMES[1], status=RowStatus(word="Not tried yet", reason="")),
    )
    return {"streamers": streamers, "destinations": destinations, "live": (samples.stream("pixelforge"),)}


def cut_cells(table: QTableView) -> list[str]:
    """Cells, by what they would need, that are cut and say nothing more when pointed at; columns that are not seen."""
    model, found = table.model(), []
    for place in range(model.columnCount()):
        title = str(model.headerData(place, Qt.Orientation.Horizontal))
        right = table.columnViewportPosition(place) + table.columnWidth(place)
        needed = table.horizontalHeader().fontMetrics().horizontalAdvance(title) + 8
        if table.isColumnHidden(place) or right > table.viewport().width() or table.columnWidth(place) < needed:
            found.append(f"column {title!r} ends at {right} of {table.viewport().width()}")
        for row in range(model.rowCount()):
            text = str(model.index(row, place).data() or "")
            hint = str(model.index(row, place).data(Qt.ItemDataRole.ToolTipRole) or "")
            room = table.columnWidth(place) - (48 if place < 2 else 12)
            if table.fontMetrics().horizontalAdvance(text) > room and text not in hint:
                found.append(f"{text!r} is cut, and the hint is {hint!r}")
    return found


@pytest.mark.parametrize("width", [900, 1024, 1100, 1200, 1280, 1920])
@pytest.mark.parametrize("name", ["streamers", "destinations", "deliveries"])
def test_every_column_is_seen(
    spoken: str, qtbot: QtBot, store: Store, bridge: FakeBridge, name: str, width: int
) -> None:
    given = rows()
    page: Page
    if name == "streamers":
        page = test_streamers.shown(qtbot, store, bridge, **given)
    elif name == "destinations":
        page = test_destinations.shown(qtbot, store, bridge, destinations=())
        bridge.engine.api.settings.set("destinations.list", tuple(map(test_destinations.info, NAMES)))
        page.refresh(samples.snapshot(**given))
    else:
        page = test_deliveries.shown(qtbot, store, bridge, Ledger(), **given)
    page.resize(width - SIDEBAR, SMALLEST.height())
    qtbot.wait(100)
    (table,) = page.findChildren(QTableView)
    assert table.isVisible() or name == "deliveries"
    assert cut_cells(table) == []
    assert cutting.faults(page) == []


def test_live_and_a_problem_are_two_facts(qtbot: QtBot, store: Store, bridge: FakeBridge) -> None:
    """Wherever the streamer is shown: table, screen reader, sorting, filter, and the head of its settings."""
    page = test_streamers.shown(qtbot, store, bridge, **rows())
    state, name = page.table.shown.index(0, STATE), page.table.shown.index(0, 0)
    assert state.data() == "Live · 86, Delivery problem"
    assert name.data(Qt.ItemDataRole.AccessibleTextRole) == "Pixelforge, Live · 86, Delivery problem"
    assert state.data(Qt.ItemDataRole.ToolTipRole) == "Live · 86, Delivery problem\nSee team-discord."
    assert facts_of(page.table.row(0)) == [("live", "Live · 86"), ("attention", "Delivery problem")]
    page.table.sortByColumn(STATE, Qt.SortOrder.AscendingOrder)
    assert page.table.row(0).view.key == "pixelforge", "who is live is first, problem or not"
    for word in ("live", "delivery"):
        page.filter.setText(word)
        assert [page.table.row(0).view.key, page.table.shown.rowCount()] == ["pixelforge", 1]
    qtbot.waitUntil(lambda: page.form.shown_key == "pixelforge")
    assert "Live · 86" in page.form.about.accessibleName()
    assert "See team-discord." in page.form.problem.text()
