"""Not one secret on any page, nor in what a screen reader or the log says, unless it is revealed on purpose."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDialog, QLabel, QTabWidget
from qasync import QEventLoop

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.engine import EngineOptions
from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.ui.engine_thread import Setting
from itsjustintv_desktop.ui.pages import ENTRIES
from tests.e2e.leaks.echo import echo
from tests.e2e.leaks.marks import Marks
from tests.e2e.leaks.scene import ODD, OWN_PLACES, TIGHT, Scene
from tests.support import visible
from tests.support.commands import clean_environ
from tests.support.waiting import until

MOST_ROWS = 12
PAGES = [entry.name for entry in ENTRIES if find_spec(f"itsjustintv_desktop.ui.pages.{entry.name}")]


class Stage:
    """The whole desktop over an engine whose config, vault and destinations are full of marked secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marks = Marks()
        self.scene: Scene

    @asynccontextmanager
    async def prepare(self) -> AsyncIterator[Setting]:
        """As `scene` of tests.e2e.leaks, on the engine's own loop."""
        client_secret, webhook_secret = self.marks.make("client secret", TIGHT), self.marks.make("webhook secret", ODD)
        async with (
            Simulator(client_secret=client_secret, webhook_secret=webhook_secret) as simulator,
            echo() as there,
        ):
            for login in ("alice", "own"):
                simulator.add_channel(login)
            self.scene = Scene(self.folder, simulator, there, self.marks)
            self.scene.write(self.scene.config)
            kept = {name: value for name, value in simulator.environment().items() if not name.endswith("SECRET")}
            environ = clean_environ({**kept, "ITSJUSTINTV_PASSPHRASE": self.marks.make("passphrase", TIGHT)})
            yield Setting(EngineOptions(paths=self.scene.paths, environ=environ, log_file=True), self._play)

    async def _play(self, engine: Any) -> None:
        assert engine.address is not None
        host, port = engine.address
        simulator = self.scene.simulator
        for login in ("alice", "own"):
            user_id = simulator.state.get(login).user_id
            await simulator.subscribe(user_id, "stream.online", f"http://{host}:{port}/twitch")
            await simulator.go_live(login)
        # One destination moves into the vault, as a person would do it in the form.
        await engine.api.settings.secrets.move()

    def everything_failed(self) -> bool:
        seen = self.scene.there.seen if hasattr(self, "scene") else {}
        return {f"status-{code}" for code in (204, 500, 400, 503, 401, 403, 302, 410, 404)} <= set(seen)

    def look(self, where: str) -> None:
        self.scene.note_tokens()
        for place, text in visible.texts():
            self.marks.search(where, f"{where}: {place}", text.encode())


@pytest.fixture
def signals() -> Iterator[None]:
    """The desktop takes SIGINT and SIGTERM; pytest gets them back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


async def calm() -> None:
    """Until nothing that a page asked for is under way."""

    def is_calm() -> bool:
        return not any(task.get_name().startswith("ui.") for task in asyncio.all_tasks())

    await until(is_calm, timeout=40, what="all that was asked for is answered")


async def walk(desktop: Desktop, stage: Stage, name: str) -> None:
    """Every tab and the details of the first rows of every list of a page, and the form of the first."""
    desktop.window.show_page(name)
    assert desktop.window.current == name
    await calm()
    stage.look(name)
    page = desktop.window.page(name)
    for tabs in page.findChildren(QTabWidget):
        for number in range(tabs.count()):
            tabs.setCurrentIndex(number)
            await calm()
            stage.look(name)
    for view in page.findChildren(QAbstractItemView):
        if not view.isVisible() or view.model() is None:
            continue
        for row in range(min(view.model().rowCount(), MOST_ROWS)):
            view.setCurrentIndex(view.model().index(row, 0))
            await calm()
            stage.look(name)
        if view.model().rowCount():  # its form, where it has one
            view.activated.emit(view.model().index(0, 0))
            await calm()
            stage.look(name)
        for other in QApplication.topLevelWidgets():
            if isinstance(other, QDialog) and other.isVisible():
                other.reject()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_no_page_shows_a_secret(tmp_path: Path, qapp: QApplication, qt_loop: QEventLoop, signals: None) -> None:
    stage = Stage(tmp_path)

    async def evening() -> int:
        paths = Scene(tmp_path, None, None, stage.marks).paths  # type: ignore[arg-type]
        paths.create()
        desktop = Desktop(qapp, paths, stage.prepare, hidden=False)
        life = asyncio.get_running_loop().create_task(desktop.live())
        try:
            await until(lambda: desktop.store.snapshot, timeout=30, what="the engine runs")
            await until(stage.everything_failed, timeout=30, what="each destination was tried")
            for name in PAGES:
                await walk(desktop, stage, name)
            assert stage.marks.leaks == []
            # What is revealed on purpose is found: the search does see.
            shown = await desktop.bridge.call(lambda engine: engine.api.settings.secrets.reveal_destination("discord"))
            label = QLabel(shown.url, desktop.window)
            stage.look("revealed")
            assert stage.marks.leaks
            assert all("token of Discord" in leak for leak in stage.marks.leaks)
            stage.marks.leaks.clear()
            label.deleteLater()
        finally:
            desktop.quit()
            code = await life
        return code

    assert qt_loop.run_until_complete(evening()) == 0
    stage.marks.search_folder(tmp_path, {**OWN_PLACES, "data/secrets.vault": ()})
    print(stage.marks.report())
    assert stage.marks.leaks == []
    log = (tmp_path / "data" / "logs" / "itsjustintv.log").read_bytes()
    assert b"delivery" in log
