"""Notifications on a StatusNotifier host, where the desktop draws icon and text by itself: Xfce, in both themes."""

from __future__ import annotations

import asyncio
import html
from collections import Counter
from pathlib import Path

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage

from tests.e2e.desktop_scene import LIVE, Scene, scene
from tests.support import xfce
from tests.support.desktop_session import SIZE, Theme
from tests.support.waiting import until
from tests.ui.colours import contrast, luminance

NAME = "R&D <b>team</b>"
"""A destination that reads like markup."""
PANEL = QRect(0, SIZE[1] - xfce.HEIGHT, SIZE[0], xfce.HEIGHT)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_a_notification_can_be_read_in_both_themes(tmp_path: Path, theme: Theme) -> None:
    async with scene(tmp_path, destination=NAME, xfce_in=theme) as here:
        with here.desktop.bus.watched() as next_one:
            here.start()
            await until(lambda: here.do(lambda: here.desktop.bus.icons), timeout=40, what="the panel shows the icon")
            await here.subscribed()
            await here.simulator.go_live("alice")
            told = await asyncio.to_thread(next_one)
        assert told.program == "itsjustintv"
        assert told.title == "alice went live", "a title is plain text on every desktop"
        text = f"Announced to {NAME}"
        assert told.text == (html.escape(text) if here.desktop.bus.reads_markup else text), "it is shown as it is"
        assert told.icon or any("image" in name for name in told.hints), "a picture goes along"
        seen = await until(lambda: _notification(here), timeout=20, what="it is on the screen")
        assert isinstance(seen, QImage)
        await here.picture("notification")
        behind, best = _read(seen)
        assert best >= 7, "it can be read"
        assert (luminance(QColor(behind)) < 0.5) == (theme == "dark"), "it looks as the desktop does"
        await until(lambda: _panel_shows(here, LIVE), timeout=4, what="the icon says at once that someone is live")


async def _screen(here: Scene) -> QImage:
    path = here.desktop.folder / "now.png"
    await here.do(here.desktop.run, "import", "-silent", "-window", "root", str(path))
    return QImage(str(path))


async def _notification(here: Scene) -> QImage | None:
    """What is on the screen of it, once its text is painted."""
    box = await here.do(here.desktop.box_of, "xfce4-notifyd")
    if box is None:
        return None
    seen = (await _screen(here)).copy(QRect(*box))
    return seen if _read(seen)[1] > 1.5 else None


def _read(seen: QImage) -> tuple[str, float]:
    """The colour behind the text, and the text's best contrast with it. The icon stands at the left."""
    counted = Counter(
        seen.pixelColor(x, y).name() for x in range(seen.width() // 3, seen.width()) for y in range(seen.height())
    )
    ((behind, _),) = counted.most_common(1)
    return behind, max(contrast(each, behind) for each in counted)


async def _panel_shows(here: Scene, colour: str) -> bool:
    strip = (await _screen(here)).copy(PANEL)
    wanted = QColor(colour).name()
    pixels = (strip.pixelColor(x, y).name() for x in range(strip.width()) for y in range(strip.height()))
    return sum(each == wanted for each in pixels) >= 8
