"""The tray icon in its five states. The shape tells the state too, so that it can be read on any panel, in any colour.

Drawn as a disc with rings of waves; a light outline keeps it legible on dark panels and a dark one on light panels.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtGui import QIcon

from itsjustintv_desktop.ui.theme.icons import render

TrayState = Literal["well", "live", "attention", "paused", "stopped"]
SIZES = (16, 20, 22, 24, 32, 48, 64)

_WAVES = '<path d="M15.5 43.5a20 20 0 0 1 0-23M48.5 43.5a20 20 0 0 0 0-23M7.5 50a31 31 0 0 1 0-36M56.5 50a31 31 0 0 0 0-36"/>'
_INSIDE: dict[TrayState, tuple[str, str]] = {
    "well": ("#7c8cff", '<circle cx="32" cy="32" r="10" fill="{colour}" stroke="none"/>'),
    "live": ("#ff4656", '<circle cx="32" cy="32" r="14" fill="{colour}" stroke="none"/>'),
    "attention": ("#f2b544", '<path d="M32 14 51 48H13Z" fill="{colour}" stroke="none"/>'),
    "paused": ("#8d96aa", '<path d="M24 20v24M40 20v24" stroke="{colour}" stroke-width="9"/>'),
    "stopped": ("#8d96aa", '<circle cx="32" cy="32" r="10" stroke="{colour}" stroke-width="6"/><path d="M12 52 52 12" '
    'stroke="{colour}" stroke-width="6"/>'),
}  # fmt: skip


def svg(state: TrayState) -> bytes:
    """The artwork of one state on a field of 64, each stroke with a halo that contrasts with every panel."""
    colour, inside = _INSIDE[state]
    waves = _WAVES if state in {"well", "live"} else ""
    shapes = waves + inside.format(colour=colour)
    halo = shapes.replace(f'fill="{colour}" stroke="none"', 'fill="#14161b" stroke="#14161b" stroke-width="6"')
    halo = halo.replace(f'stroke="{colour}"', 'stroke="#14161b"').replace('stroke-width="9"', 'stroke-width="13"')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" fill="none" stroke-linecap="round" '
        f'stroke-linejoin="round"><g stroke="#14161b" stroke-opacity=".55" fill-opacity=".55" stroke-width="10">{halo}</g>'
        f'<g stroke="{colour}" stroke-width="5.5">{shapes}</g></svg>'
    ).encode()


def tray_icon(state: TrayState) -> QIcon:
    """All sizes, from the SVG."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(render(svg(state), size))
    return made
