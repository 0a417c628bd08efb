"""A config.toml that the engine cannot start with: mended from the window, with the real engine below it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMessageBox
from pytestqt.qtbot import QtBot
from qasync import QEventLoop

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.engine import ConfigRepair, EngineOptions, errors, logs
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.ui.engine_thread import Setting
from itsjustintv_desktop.ui.shell.failed import ConfigDialog, LogDialog

GOOD = '[twitch]\nclient_id = "abc"\n'
BROKEN = '[twitch]\nclient_id = "abc\n'


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = Paths(tmp_path / "config.toml", tmp_path / "data")
    made.create()
    made.config.write_text(BROKEN)
    return made


@pytest.fixture
def desktop(
    paths: Paths, qapp: QApplication, qt_loop: QEventLoop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desktop]:
    monkeypatch.setenv("ITSJUSTINTV_SECRETS_STORE", "memory")
    monkeypatch.setenv("ITSJUSTINTV_SERVER_PORT", "0")
    logs.keep_recent()
    asyncio._set_running_loop(qt_loop)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    @asynccontextmanager
    async def prepare() -> AsyncIterator[Setting]:
        yield Setting(EngineOptions(paths=paths, yield_port=True, environ=dict(os.environ)))

    made = Desktop(qapp, paths, prepare, hidden=False)
    made.preferences.assistant_done = True
    life = qt_loop.create_task(made.live())
    yield made
    made.quit()
    qtbot.waitUntil(life.done)
    made.window.deleteLater()
    for number, handler in before.items():
        signal.signal(number, handler)
    logs.reset()


def offered(desktop: Desktop) -> list[str]:
    shown = desktop.window._stack.currentWidget()
    assert shown is not None
    buttons = shown.findChildren(QAbstractButton)
    return sorted(each.text().replace("&", "") for each in buttons if each.isVisible())


def wait_failed(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.waitUntil(lambda: desktop.bridge.state == "failed" and desktop.window.failed.isVisible())


def opened(qtbot: QtBot, desktop: Desktop) -> ConfigDialog:
    desktop.window.failed.edit.click()
    dialog = desktop.window.failed._editor
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.document.loaded and dialog.raw.problems.count() > 0)
    return dialog


def test_what_can_be_done_about_a_broken_config(qtbot: QtBot, desktop: Desktop, paths: Paths) -> None:
    qtbot.waitUntil(lambda: desktop.bridge.state == "failed")
    qtbot.waitUntil(lambda: "Quit" in offered(desktop))
    assert offered(desktop) == ["Edit config.toml…", "Quit", "Show the log…", "Try again"]


def test_the_editor_opens_at_the_line_and_starts_the_engine(qtbot: QtBot, desktop: Desktop, paths: Paths) -> None:
    wait_failed(qtbot, desktop)
    dialog = opened(qtbot, desktop)
    assert dialog.raw.editor.textCursor().blockNumber() == 1
    assert not dialog.save.isEnabled()
    dialog.raw.editor.setPlainText(GOOD)
    qtbot.waitUntil(dialog.save.isEnabled)
    dialog.save.click()
    qtbot.waitUntil(lambda: desktop.bridge.state == "running")
    assert paths.config.read_text() == GOOD
    qtbot.waitUntil(lambda: desktop.window.current != "")


@pytest.mark.parametrize("other", ["as it was", "also broken", "away for a while"])
def test_a_file_that_is_corrected_elsewhere_is_noticed(
    qtbot: QtBot, desktop: Desktop, paths: Paths, other: str
) -> None:
    wait_failed(qtbot, desktop)
    qtbot.waitUntil(lambda: desktop.window.failed._tried is not None)
    if other == "also broken":
        paths.config.write_text(GOOD + "[retry]\nmax_attempts = many\n")
        qtbot.waitUntil(lambda: "config.toml:4" in desktop.window.failed._text.text())
        wait_failed(qtbot, desktop)
    elif other == "away for a while":
        paths.config.unlink()
        qtbot.wait(2500)
        assert desktop.bridge.state == "failed"
    paths.config.write_text(GOOD)
    qtbot.waitUntil(lambda: desktop.bridge.state == "running")
    qtbot.waitUntil(lambda: desktop.window.current != "")
    assert not desktop.window.failed._watch.isActive()


def test_the_file_is_looked_at_beside_the_ui_thread(
    qtbot: QtBot, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    real = ConfigRepair.version

    def version(repair: ConfigRepair) -> str | None:
        threads.append(threading.get_ident())
        return real(repair)

    monkeypatch.setattr(ConfigRepair, "version", version)
    wait_failed(qtbot, desktop)
    qtbot.waitUntil(lambda: len(threads) > 1)
    assert threading.get_ident() not in threads
    assert desktop.bridge.state == "failed", "what did not change is not tried again"


def test_nothing_starts_while_a_person_edits_it_here(qtbot: QtBot, desktop: Desktop, paths: Paths) -> None:
    wait_failed(qtbot, desktop)
    qtbot.waitUntil(lambda: desktop.window.failed._tried is not None)
    dialog = opened(qtbot, desktop)
    paths.config.write_text(GOOD)
    qtbot.wait(2500)
    assert desktop.bridge.state == "failed"
    dialog.reject()
    qtbot.waitUntil(lambda: desktop.bridge.state == "running")


def test_secrets_are_dots_there_as_well(qtbot: QtBot, desktop: Desktop, paths: Paths) -> None:
    paths.config.write_text('[twitch]\nclient_secret = "geheim123"\nport =\n')
    wait_failed(qtbot, desktop)
    dialog = opened(qtbot, desktop)
    assert "geheim123" not in dialog.raw.editor.toPlainText()
    assert dialog.raw.editor.textCursor().blockNumber() == 2


def test_what_was_typed_is_not_dropped_without_a_question(qtbot: QtBot, desktop: Desktop) -> None:
    wait_failed(qtbot, desktop)
    dialog = opened(qtbot, desktop)
    dialog.raw.editor.insertPlainText("x")
    assert list(desktop.window.unsaved) == ["config.toml"]
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    (box,) = dialog.findChildren(QMessageBox)
    assert dialog.isVisible()
    assert box.defaultButton().text() == "Go back"
    box.buttons()[-1].click()
    qtbot.waitUntil(lambda: desktop.window.failed._editor is None)
    assert not desktop.window.unsaved


def test_a_change_made_elsewhere_meanwhile_is_asked_about(qtbot: QtBot, desktop: Desktop, paths: Paths) -> None:
    wait_failed(qtbot, desktop)
    dialog = opened(qtbot, desktop)
    dialog.raw.editor.setPlainText(GOOD)
    paths.config.write_text(GOOD + "# theirs\n")
    qtbot.waitUntil(dialog.save.isEnabled)
    dialog.save.click()
    qtbot.waitUntil(dialog.theirs.isVisible)
    assert paths.config.read_text() == GOOD + "# theirs\n"
    dialog.theirs.other.click()
    qtbot.waitUntil(dialog.save.isEnabled)
    dialog.save.click()
    qtbot.waitUntil(lambda: desktop.bridge.state == "running")
    assert paths.config.read_text() == GOOD + "# theirs\n"


def test_the_last_good_version(qtbot: QtBot, desktop: Desktop, paths: Paths) -> None:
    paths.config.with_name("config.toml.bak").write_text(GOOD)
    wait_failed(qtbot, desktop)
    qtbot.waitUntil(desktop.window.failed.back.isVisible)
    desktop.window.failed.back.click()
    qtbot.waitUntil(lambda: desktop.bridge.state == "running")
    assert paths.config.read_text() == GOOD
    assert paths.config.with_name("config.toml.broken").read_text() == BROKEN
    assert "config.toml.broken" in desktop.window.toast.accessibleName()


def test_the_log_says_why(qtbot: QtBot, desktop: Desktop) -> None:
    wait_failed(qtbot, desktop)
    desktop.window.failed.log.click()
    (dialog,) = desktop.window.failed.findChildren(LogDialog)
    assert "the engine did not start" in dialog.full.toPlainText()
    dialog.accept()


def test_other_faults_than_the_configs_offer_no_editor(qtbot: QtBot, desktop: Desktop) -> None:
    wait_failed(qtbot, desktop)
    failed = desktop.window.failed
    failed.show_error(errors.AlreadyRunningError("Another one runs here."))
    assert failed.edit.isHidden()
    assert failed.back.isHidden()
    assert failed.log.isVisible()
    failed.show_error(errors.AddressInUseError("Port 8080 is taken."))
    assert failed.edit.isVisible()
