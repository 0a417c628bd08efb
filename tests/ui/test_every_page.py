"""Every page of the real program on the demo's simulator: reached by keyboard, named, and translated."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QLocale, QObject, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QTableView, QWidget
from qasync import QEventLoop

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.demo.window import prepare
from itsjustintv_desktop.engine import Snapshot
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.gc_control import GcControl
from itsjustintv_desktop.ui.pages import ENTRIES
from itsjustintv_desktop.ui.pages.connection import View as Connection
from itsjustintv_desktop.ui.pages.destinations import View as Destinations
from itsjustintv_desktop.ui.pages.settings import View as Settings
from itsjustintv_desktop.ui.pages.streamers import View as Streamers
from itsjustintv_desktop.ui.shell.window import Window
from itsjustintv_desktop.ui.widgets.field import Eye
from tests.support.waiting import until
from tests.ui import cutting, keyboard
from tests.ui.pseudo import Pseudo, untranslated

PRESENT = [one.name for one in ENTRIES if importlib.util.find_spec(f"itsjustintv_desktop.ui.pages.{one.name}")]
SETTLE = 1.5
"""Most seconds for a page to ask the engine and show what it said."""
STILL = 0.04
"""Seconds without anything under way after which it has."""

SMALLEST = (900, 600)
WIDTHS = (1100, 1000, SMALLEST[0])


def under_way(window: QWidget) -> bool:
    """Whether a page waits for the engine (ui/bridge.py), or is about to ask."""
    soon = (each for each in window.findChildren(QTimer) if each.isActive() and each.isSingleShot())
    return any(task.get_name().startswith("ui.") for task in asyncio.all_tasks()) or any(
        each.interval() <= SETTLE * 1000 for each in soon
    )


async def settled(window: QWidget) -> None:
    """Until the pages show what they asked for."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SETTLE
    still = loop.time() + STILL
    while loop.time() < min(still, end):
        await asyncio.sleep(0.01)
        if under_way(window):
            still = loop.time() + STILL


Look = Callable[[Window], list[str] | Awaitable[list[str]]]


class Shown(QObject):
    """Notes what is shown as a window: a part that is shown before it has a parent flashes and takes the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: set[str] = set()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.windows.add(type(watched).__name__)
        return False


@pytest.fixture
def walk(qapp: QApplication, qt_loop: QEventLoop, tmp_path: Path) -> Iterator[Callable[[Look], list[str]]]:
    """Run the program, show each page, and collect what `look` finds of the window."""
    paths = Paths(tmp_path / "config" / "config.toml", tmp_path / "data")
    paths.create()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    gc_control = GcControl()

    async def run(look: Look) -> list[str]:
        shown = Shown()
        qapp.installEventFilter(shown)
        desktop = Desktop(qapp, paths, prepare(paths, seconds=2), hidden=False)
        life = asyncio.ensure_future(desktop.live())
        desktop.window.resize(*SMALLEST)
        found: list[str] = []
        try:
            await until(lambda: _is_busy(desktop.store.snapshot), what="the evening has begun")
            for name in PRESENT:
                desktop.window.show_page(name)
                assert desktop.window.current == name
                await settled(desktop.window)
                async for part in _parts(desktop.window, desktop.window.page(name)):
                    seen = look(desktop.window)
                    faults = seen if isinstance(seen, list) else await seen
                    found += [f"{name}{part}: {fault}" for fault in faults]
        finally:
            qapp.removeEventFilter(shown)
            found += [f"a window of its own: {name}" for name in shown.windows - {"Window"}]
            desktop.quit()
            assert await life == 0
            desktop.window.deleteLater()
        return found

    yield lambda look: qt_loop.run_until_complete(run(look))
    gc_control.end()
    for number, handler in before.items():
        signal.signal(number, handler)


def _is_busy(snapshot: Snapshot | None) -> bool:
    """Whether every page has something to show."""
    return snapshot is not None and len(snapshot.live) > 1 and snapshot.deliveries.of("delivered") > 3


async def _parts(window: QWidget, page: QWidget) -> AsyncIterator[str]:
    """What a page shows of a row, each tab, and each section of the form of the settings, in front once."""
    yield ""
    table = getattr(page, "table", None)
    if isinstance(table, QTableView):
        table.selectRow(0)
        await settled(window)
        yield ", first row"
    if isinstance(page, Settings):
        for number in range(1, page.form.sections.count()):
            page.form.sections.setCurrentRow(number)
            await settled(window)
            yield f", section {page.form.sections.currentItem().text()}"
        for number in range(1, page.tabs.count()):
            page.tabs.setCurrentIndex(number)
            await settled(window)
            yield f", tab {page.tabs.tabText(number)}"


async def _further(window: QWidget, page: QWidget) -> AsyncIterator[str]:
    """What is folded away, shown at times only, or for several at once."""
    if isinstance(page, Streamers):
        page.table.selectAll()
        await settled(window)
        yield ", all of them"
    if isinstance(page, Destinations):
        page.form.more.click()
        await settled(window)
        yield ", all settings"
        page.assign.show()
        page.resume.show()
        page.discard.show()
        page.form.no_secret.show()
        await settled(window)
        yield ", every button"
        page.add.click()
        await settled(window)
        yield ", a new one"
    if isinstance(page, Connection):
        page.change.click()
        for kind, choice in page.switch.form.choices.items():
            choice.click()
            await settled(window)
            yield f", form of {kind}"


@pytest.mark.timeout(180)
def test_every_control_has_a_name_and_is_reached_by_tab(walk: Callable[[Look], list[str]]) -> None:
    secrets: list[str] = []

    def look(window: QWidget) -> list[str]:
        secrets.extend(keyboard.name(each) for each in window.findChildren(Eye) if each.isVisible())
        return keyboard.faults(window) + keyboard.leaps(window)

    assert walk(look) == []
    assert "Show Address" in secrets


@pytest.mark.timeout(180)
def test_every_text_goes_through_the_translator(qapp: QApplication, walk: Callable[[Look], list[str]]) -> None:
    pseudo = Pseudo()
    assert qapp.installTranslator(pseudo)
    seen: list[int] = []

    def look(window: QWidget) -> list[str]:
        seen.append(sum("⟦" in text for each in window.findChildren(QWidget) for text in [each.accessibleName()]))
        return untranslated(window)

    try:
        assert walk(look) == []
        assert all(seen), "the made-up language was in force"
    finally:
        qapp.removeTranslator(pseudo)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("language_name", "title"), [("de", "Einstellungen"), ("en", "Settings")])
def test_nothing_is_cut_in_a_small_window(
    qapp: QApplication, walk: Callable[[Look], list[str]], language_name: str, title: str
) -> None:
    """And nothing has to be scrolled to from the side."""
    before = QLocale()
    kept = language.install(language_name)
    shown: list[str] = []
    further: set[str] = set()

    async def look(window: Window) -> list[str]:
        page = window.page(window.current)
        found = await _cut(window)
        chosen = not isinstance(page, Streamers | Destinations) or page.table.chosen()
        if chosen and page.name not in further:
            further.add(page.name)
            async for part in _further(window, page):
                found += [f"{part}: {fault}" for fault in await _cut(window)]
        shown.extend(each.text() for each in window.findChildren(QLabel))
        return found

    try:
        found = walk(look)
        assert not found, "\n".join(found)
        assert title in shown
    finally:
        for each in kept:
            qapp.removeTranslator(each)
        QLocale.setDefault(before)


async def _cut(window: Window) -> list[str]:
    found = []
    for width in WIDTHS:
        window.resize(width, SMALLEST[1])
        await settled(window)
        found += [f"{width}: {fault}" for fault in cutting.faults(window)]
    return found
