"""Files in and out by the program's own dialogs, with real keys, over the real engine: export, import, a list of
channels."""

from __future__ import annotations

import asyncio
import signal
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit
from qasync import QEventLoop
from shiboken6 import isValid

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.demo.window import prepare
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.ui.gc_control import GcControl
from itsjustintv_desktop.ui.pages.settings import View as Settings
from itsjustintv_desktop.ui.pages.settings.document import ImportDialog
from itsjustintv_desktop.ui.pages.streamers import View as Streamers
from itsjustintv_desktop.ui.pages.streamers.paste import PasteDialog
from tests.support.waiting import until

D = TypeVar("D", bound=QDialog)


@pytest.fixture
def signals() -> Iterator[None]:
    """The desktop takes them; pytest gets them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def opened(kind: type[D]) -> D:
    def found() -> D | None:
        every = [each for each in QApplication.allWidgets() if isinstance(each, kind) and each.isVisible()]
        return every[0] if every else None

    dialog = await until(found, timeout=10, what=f"{kind.__name__} is open")
    assert isinstance(dialog, kind)
    return dialog


async def closed(dialog: QDialog) -> None:
    await until(lambda: not isValid(dialog) or not dialog.isVisible(), timeout=20, what="the dialog is closed")


async def choose(path: Path) -> None:
    """Type it into the dialog for files, and press Return."""
    dialog = await opened(QFileDialog)
    name = dialog.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(name, QLineEdit)
    name.setText(str(path))
    QTest.keyClick(name, Qt.Key.Key_Return)
    await closed(dialog)


async def export_and_import(page: Settings, folder: Path, config: Path) -> None:
    out = folder / "moved"
    page.export.click()
    await choose(out)
    exported = out.with_suffix(".toml")
    await until(exported.exists)
    await until(lambda: exported.stat().st_size)
    told = tomllib.loads(exported.read_text(encoding="utf-8"))
    assert "pixelforge" in told["streamers"]
    for destination in tomllib.loads(config.read_text(encoding="utf-8"))["destinations"].values():
        assert destination["secret"] not in exported.read_text(encoding="utf-8")
        assert destination["url"] not in exported.read_text(encoding="utf-8")

    text = exported.read_text(encoding="utf-8").replace('max_delay = "2s"', 'max_delay = "3s"')
    exported.write_text(text, encoding="utf-8")
    page.import_.click()
    await choose(exported)
    dialog = await opened(ImportDialog)
    for name, field in dialog.fields.items():
        field.setText("https://example.org/hook" if name.endswith("url") else "a-new-secret")
    dialog.take.click()
    await until(lambda: 'max_delay = "3s"' in config.read_text(encoding="utf-8"), timeout=20)
    await closed(dialog)


async def a_list_of_channels(desktop: Desktop, page: Streamers, folder: Path, config: Path) -> None:
    await desktop.bridge.call(lambda engine: engine.api.settings.streamers.remove(["bytewright"]))
    file = folder / "follows.txt"
    file.write_bytes(b"\xef\xbb\xbfbytewright\r\nhttps://www.twitch.tv/pixelforge\r\n")
    page.open_paste()
    dialog = await opened(PasteDialog)
    dialog.file.click()
    await choose(file)
    await until(dialog.add.isEnabled, timeout=20, what="the channels were looked up")
    assert len(dialog.model.taken) == 1  # the other is watched already
    dialog.add.click()
    await until(lambda: "bytewright" in tomllib.loads(config.read_text(encoding="utf-8"))["streamers"], timeout=20)
    await closed(dialog)


@pytest.mark.timeout(120)
def test_export_import_and_a_list_of_channels(
    qapp: QApplication, qt_loop: QEventLoop, tmp_path: Path, signals: None
) -> None:
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    paths.create()
    gc_control = GcControl()

    async def evening() -> None:
        desktop = Desktop(qapp, paths, prepare(paths, seconds=60), hidden=False)
        life = asyncio.ensure_future(desktop.live())
        try:
            await until(lambda: desktop.store.snapshot and desktop.store.snapshot.streamers, timeout=30)
            desktop.window.show_page("streamers")
            streamers = desktop.window.page("streamers")
            assert isinstance(streamers, Streamers)
            await a_list_of_channels(desktop, streamers, tmp_path, paths.config)
            desktop.window.show_page("settings")
            settings = desktop.window.page("settings")
            assert isinstance(settings, Settings)
            await export_and_import(settings, tmp_path, paths.config)
        finally:
            desktop.quit()
            assert await life == 0
            desktop.window.deleteLater()

    qt_loop.run_until_complete(evening())
    gc_control.end()
