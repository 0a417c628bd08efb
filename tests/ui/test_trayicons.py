"""The tray icon can be read on any panel, at every size, and without its colour. Computed from its pixels."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from itsjustintv_desktop.ui.shell.trayicons import SIZES, TrayState, tray_icon
from tests.ui.colours import contrast

STATES: tuple[TrayState, ...] = get_args(TrayState)
PANELS = ("#ffffff", "#f0f0f0", "#202124", "#000000")


def on_panel(state: TrayState, panel: str, size: int = 16) -> QImage:
    image = QImage(size, size, QImage.Format.Format_RGB32)
    image.fill(QColor(panel))
    painter = QPainter(image)
    painter.drawPixmap(0, 0, tray_icon(state).pixmap(size, size))
    painter.end()
    return image


def pixels(image: QImage) -> list[QColor]:
    return [image.pixelColor(x, y) for y in range(image.height()) for x in range(image.width())]


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES)
def test_it_stands_out(state: TrayState, panel: str, size: int) -> None:
    """At least a twelfth of the field has 3:1 against the panel (WCAG 1.4.11, graphics)."""
    seen = [colour for colour in pixels(on_panel(state, panel, size)) if contrast(colour, panel) >= 3.0]
    assert len(seen) >= size * size / 12


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize(("one", "other"), list(combinations(STATES, 2)))
def test_states_differ_in_shape(one: TrayState, other: TrayState, panel: str) -> None:
    """In greys at 16 px, where they are hardest to tell apart."""
    pairs = zip(pixels(on_panel(one, panel)), pixels(on_panel(other, panel)), strict=True)
    differ = sum(abs(a.lightness() - b.lightness()) > 40 for a, b in pairs)
    assert differ >= 20


@pytest.mark.parametrize("state", STATES)
def test_all_sizes_are_drawn_sharp(state: TrayState) -> None:
    assert sorted(size.width() for size in tray_icon(state).availableSizes()) == list(SIZES)
