"""The tray icon in its five states. Each state has its own shape, so that it is recognisable on any panel, in any colour.

Bright on dark panels; a dark outline keeps it legible on light ones (tests compute it).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from PySide6.QtGui import QIcon

from itsjustintv_desktop.ui.theme.icons import render

TrayState = Literal["well", "live", "attention", "paused", "stopped"]
SIZES = (16, 20, 22, 24, 32, 48, 64)

_OUTLINE = "#14161b"
_HALO = 7
"""Width of the outline on both sides together, in units of the field: a pixel each at 16 px is 4 units."""
_LINE = 5.5


@dataclass(frozen=True, slots=True)
class _Shape:
    """`line`: stroke width; 0 = filled. `dark`: drawn in the colour of the outline."""

    path: str
    line: float = 0
    dark: bool = False


def _disc(radius: float) -> str:
    return f"M{32 - radius} 32a{radius} {radius} 0 1 0 {2 * radius} 0a{radius} {radius} 0 1 0 {-2 * radius} 0Z"


_WAVES = _Shape(
    "M15.5 43.5a20 20 0 0 1 0-23M48.5 43.5a20 20 0 0 0 0-23M7.5 50a31 31 0 0 1 0-36M56.5 50a31 31 0 0 0 0-36", _LINE
)
_DRAWN: dict[TrayState, tuple[str, tuple[_Shape, ...]]] = {
    "well": ("#7c8cff", (_WAVES, _Shape(_disc(8)))),
    "live": ("#ff4656", (_WAVES, _Shape(_disc(15)))),
    "attention": ("#f2b544", (_Shape("M32 8 59 55H5Z"), _Shape("M32 25v13M32 46.5v.5", 7, dark=True))),
    "paused": ("#a4adc0", (_Shape("M21 14v36M43 14v36", 11),)),
    "stopped": ("#a4adc0", (_Shape(_disc(20), 7), _Shape("M10 54 54 10", 7))),
}


_DEMO = (
    '<rect x="33" y="33" width="31" height="31" rx="8" fill="#ffffff" stroke="#14161b" stroke-width="3"/>'
    '<path d="M43.5 41v15h3.5a7.5 7.5 0 0 0 0-15Z" stroke="#14161b" stroke-width="5"/>'
)
"""A "D" in its corner."""


def svg(state: TrayState, *, demo: bool = False) -> bytes:
    """The artwork of one state on a field of 64, each shape with an outline that contrasts with light panels."""
    colour, shapes = _DRAWN[state]
    halos = [
        f'<path d="{each.path}" stroke="{_OUTLINE}" stroke-width="{each.line + _HALO}"/>'
        for each in shapes
        if not each.dark
    ]
    drawn = [_drawn(each, _OUTLINE if each.dark else colour) for each in shapes]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 68 68" fill="none" stroke-linecap="round" '
        f'stroke-linejoin="round">{"".join(halos + drawn)}{_DEMO if demo else ""}</svg>'
    ).encode()


def _drawn(shape: _Shape, colour: str) -> str:
    if shape.line:
        return f'<path d="{shape.path}" stroke="{colour}" stroke-width="{shape.line}"/>'
    return f'<path d="{shape.path}" fill="{colour}"/>'


@cache
def tray_icon(state: TrayState, *, demo: bool = False) -> QIcon:
    """All sizes, from the SVG; drawn once."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(render(svg(state, demo=demo), size))
    return made
