"""The program's own icons: one family, drawn with strokes of 1.5 px on a field of 20, tinted as needed."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

SIZE = 17

_SHAPES: dict[str, str] = {
    "home": '<path d="M3 9.2 10 3.5l7 5.7V16.5H12.5v-4.6h-5v4.6H3Z"/>',
    "feed": '<path d="M3.5 5h13M3.5 10h8M3.5 15h11"/>',
    "people": '<circle cx="7.5" cy="7" r="3"/><path d="M2.2 16.5c.4-3 2.6-4.6 5.3-4.6s4.9 1.6 5.3 4.6M13.2 4.3a3 3 0 0 1 0 '
    '5.4M14.6 12.3c1.8.6 2.9 2 3.2 4.2"/>',
    "arrow": '<path d="M3.5 10h13M11.5 5l5 5-5 5"/>',
    "box": '<path d="m10 2.8 6.5 3.4v7.6L10 17.2l-6.5-3.4V6.2ZM3.5 6.2 10 9.8l6.5-3.6M10 9.8v7.4"/>',
    "waves": '<path d="M2.5 8a11 11 0 0 1 15 0M5 11a7.3 7.3 0 0 1 10 0M7.6 13.9a3.6 3.6 0 0 1 4.8 0"/>'
    '<circle cx="10" cy="16.2" r=".6" fill="currentColor"/>',
    "gear": '<circle cx="10" cy="10" r="2.6"/><path d="M10 2.5v2.6M10 14.9v2.6M2.5 10h2.6M14.9 10h2.6M4.7 4.7l1.8 1.8M13.5 '
    '13.5l1.8 1.8M15.3 4.7l-1.8 1.8M6.5 13.5l-1.8 1.8"/>',
    "page": '<path d="M5 2.8h6.5L15 6.3v10.9H5ZM11.3 2.8v3.7H15M7.5 10h5M7.5 13h5"/>',
    "plus": '<path d="M10 4v12M4 10h12"/>',
    "search": '<circle cx="9" cy="9" r="5"/><path d="m13 13 4 4"/>',
    "copy": '<rect x="7" y="7" width="9.5" height="9.5" rx="2"/><path d="M13 7V5.5a2 2 0 0 0-2-2H5.5a2 2 0 0 0-2 2V11a2 2 0 0 '
    '0 2 2H7"/>',
    "open": '<path d="M11.5 3.5h5v5M16.5 3.5 9.5 10.5M14 11.5v4a1 1 0 0 1-1 1H4.5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h4"/>',
    "pause": '<path d="M7 4.5v11M13 4.5v11"/>',
    "play": '<path d="M6.5 4.2v11.6l9-5.8Z"/>',
    "retry": '<path d="M15.8 8A6.2 6.2 0 1 0 16.2 11M16.3 4v4.2h-4.2"/>',
    "undo": '<path d="M7.5 4 4 7.5 7.5 11M4 7.5h8a4.2 4.2 0 0 1 0 8.4H7"/>',
    "pen": '<path d="m4 16 .9-3.8 8-8 2.9 2.9-8 8ZM11 6l2.9 2.9"/>',
    "bin": '<path d="M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11"/>',
    "eye": '<path d="M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10Z"/><circle cx="10" cy="10" r="2.4"/>',
    "eye-off": '<path d="M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10ZM4 16 16 4"/>',
    "check": '<path d="m4 10.5 4 4 8-9"/>',
    "cross": '<path d="m5 5 10 10M15 5 5 15"/>',
    "alert": '<path d="M10 3 18 16.5H2ZM10 8v4M10 14.2v.3"/>',
    "info": '<circle cx="10" cy="10" r="7"/><path d="M10 9v5M10 6.3v.3"/>',
    "send": '<path d="m3 10 14-6-5 13-2.7-5.3ZM9.3 11.7 17 4"/>',
    "chevron": '<path d="m5.5 8 4.5 4.5L14.5 8"/>',
    "moon": '<path d="M16 12.2A6.8 6.8 0 0 1 7.8 4a6.5 6.5 0 1 0 8.2 8.2Z"/>',
    "ring": '<circle cx="10" cy="10" r="3.5"/>',
    "dots": '<g fill="currentColor"><circle cx="4.5" cy="10" r=".9"/><circle cx="10" cy="10" r=".9"/>'
    '<circle cx="15.5" cy="10" r=".9"/></g>',
    "folder": '<path d="M2.8 15.5V5h5l1.8 2h7.6v8.5Z"/>',
    "clock": '<circle cx="10" cy="10" r="7"/><path d="M10 6v4.2l2.8 1.8"/>',
    "brand": '<circle cx="10" cy="10" r="3.2" fill="currentColor" stroke="none"/>'
    '<path d="M6 14.4a6.2 6.2 0 0 1 0-8.8M14 14.4a6.2 6.2 0 0 0 0-8.8M3.2 17a9.9 9.9 0 0 1 0-14M16.8 17a9.9 9.9 0 0 0 0-14"/>',
}
NAMES = tuple(_SHAPES)


def svg(name: str, colour: str) -> bytes:
    """The icon as a complete document."""
    shape = _SHAPES[name].replace("currentColor", colour)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20" fill="none" stroke="{colour}" stroke-width="1.5" '
        f'stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
    ).encode()


def render(document: bytes, size: int, ratio: float = 1.0) -> QPixmap:
    """An SVG as a picture of `size` device-independent pixels."""
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(document)).render(painter, QRectF(image.rect()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


@lru_cache(maxsize=256)
def pixmap(name: str, colour: str, size: int = SIZE, ratio: float = 2.0) -> QPixmap:
    """One icon in one colour, sharp up to `ratio` pixels a point."""
    return render(svg(name, colour), size, ratio)


def icon(name: str, colour: str, size: int = SIZE) -> QIcon:
    """The same for buttons and actions."""
    return QIcon(pixmap(name, colour, size))
