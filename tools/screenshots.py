"""`python -m tools.screenshots [PAGE ...]`: every page in both themes into docs/images/, with the demo's data.

Needs no screen: Qt draws in memory. Takes less than a minute.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from itsjustintv_desktop.app import Desktop
from itsjustintv_desktop.demo import environment
from itsjustintv_desktop.demo.window import prepare
from itsjustintv_desktop.engine import DeliveryFilter, logs
from itsjustintv_desktop.engine.core.paths import Paths
from itsjustintv_desktop.ui import language
from itsjustintv_desktop.ui.pages import ENTRIES
from itsjustintv_desktop.ui.pages.deliveries import View as Deliveries
from itsjustintv_desktop.ui.pages.overview import View as Overview
from itsjustintv_desktop.ui.theme import theme

IMAGES = Path(__file__).parents[1] / "docs" / "images"
THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
SIZE = (1280, 800)
EVENING_SECONDS = 8.0
PATIENCE = 60.0
SETTLE = 1.2
"""Seconds that a page gets for what it asks the engine, for pictures and animations."""
MOST_BYTES = 150_000


def pages(wanted: Sequence[str] = ()) -> list[str]:
    """Names of the pages that are there, in the order of the sidebar."""
    there = [entry.name for entry in ENTRIES if find_spec(f"itsjustintv_desktop.ui.pages.{entry.name}")]
    return [name for name in there if not wanted or name in wanted]


async def take(app: QApplication, folder: Path, names: Sequence[str]) -> None:
    """Run the demo until its evening is in full swing, then walk the pages."""
    with tempfile.TemporaryDirectory(prefix="screenshots-", ignore_cleanup_errors=True) as place:
        paths = Paths(config=Path(place, "config", "config.toml"), data=Path(place, "data"))
        paths.create()
        desktop = Desktop(app, paths, prepare(paths, EVENING_SECONDS, PATIENCE * 10), hidden=False)
        life = asyncio.get_running_loop().create_task(desktop.live())
        try:
            desktop.window.resize(*SIZE)
            await _until(lambda: _in_full_swing(desktop))
            await _all_well(desktop)
            for name in names:
                for each in THEMES:
                    theme().choose(each)
                    desktop.window.show_page(name)
                    await asyncio.sleep(SETTLE)
                    if await _choose(desktop):
                        await asyncio.sleep(SETTLE)
                    _save(desktop.window.grab().toImage(), folder / f"{name}-{each}.png")
        finally:
            desktop.quit()
            await life


def _in_full_swing(desktop: Desktop) -> bool:
    """All that goes live did, and what failed at first has arrived."""
    snapshot = desktop.store.snapshot
    arrives = sum(map(len, environment.EXPECTED.values()))
    return (
        snapshot is not None
        and len(snapshot.live) == len(environment.CHANNELS)
        and snapshot.deliveries.of("delivered") == arrives
    )


async def _all_well(desktop: Desktop) -> None:
    """The first minute of a start is over: each link of the chain was used, and the first page knows."""
    end, unwell = time.monotonic() + PATIENCE, ["nothing was asked"]
    while time.monotonic() < end:
        report = await desktop.bridge.call(lambda engine: engine.api.diagnostics.doctor(), timeout=PATIENCE)
        # One of the demo's channels is filtered, which is worth a look at any time.
        unwell = [each.name for each in report.checks if each.state != "green" and not each.name.startswith("streamer")]
        if not unwell:
            break
        await asyncio.sleep(1)
    else:
        print(f"not well: {', '.join(unwell)}", file=sys.stderr)
    page = desktop.window.page("overview")
    assert isinstance(page, Overview)
    page.check()


async def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"the demo did not get under way within {PATIENCE:.0f} s")
        await asyncio.sleep(0.2)


async def _choose(desktop: Desktop) -> bool:
    """The delivery that took the most attempts, where it is the deliveries that are shown; False elsewhere."""
    page = desktop.window.page(desktop.window.current)
    if not isinstance(page, Deliveries):
        return False
    listed = await desktop.bridge.call(lambda engine: engine.api.deliveries.page(DeliveryFilter()))
    return page.table.select_id(max(listed.rows, key=lambda each: each.attempts).id)


def _save(image: QImage, path: Path) -> None:
    """In 256 of its own colours: what is left out are shades in the edges of letters, not a small red dot."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    counts = Counter(memoryview(plain.constBits()).cast("I"))
    kept = sorted(counts, key=lambda each: counts[each] * (1 + _saturation(each)), reverse=True)[:256]
    small = plain.convertToFormat(QImage.Format.Format_Indexed8, kept)
    small.save(str(path), quality=0)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB{' (too large)' if size > MOST_BYTES else ''}", flush=True)


def _saturation(colour: int) -> int:
    parts = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
    return max(parts) - min(parts)


def main(arguments: Sequence[str]) -> int:
    names = pages(arguments)
    if not names:
        print(f"There are: {', '.join(pages())}.", file=sys.stderr)
        return 2
    logs.configure("error")
    logs.keep_recent()
    app = QApplication([sys.argv[0]])
    kept = language.install("en")
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    IMAGES.mkdir(exist_ok=True)
    with loop:
        loop.run_until_complete(take(app, IMAGES, names))
    for each in kept:
        app.removeTranslator(each)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
