"""Dialogs, and the page of a start that failed, have room for what is in them, also in German at their smallest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from itsjustintv_desktop.engine import errors
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.shell.window import SMALLEST
from itsjustintv_desktop.ui.widgets.basic import column
from itsjustintv_desktop.ui.widgets.scroll import Upright
from tests.ui import cutting
from tests.ui.test_app import Run, run, tray_host
from tests.ui.test_quitting import OPENED, Opened, answer_pages

__all__ = ["run", "tray_host"]


@pytest.fixture(params=["de", "en"])
def spoken(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[str]:
    before = QLocale()
    kept = language.install(request.param)
    yield request.param
    for each in kept:
        qapp.removeTranslator(each)
    QLocale.setDefault(before)


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
    run.bridge.engine.api.settings.set("check_way", ())
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
