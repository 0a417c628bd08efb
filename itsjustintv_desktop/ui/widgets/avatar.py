"""A channel's picture in a circle, or its first letter where there is none."""

from __future__ import annotations

import zlib

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme.tokens import AVATARS


class Avatar(QWidget):
    """`size` is its width and height in device-independent pixels."""

    def __init__(self, name: str = "", size: int = 32) -> None:
        super().__init__()
        self.setFixedSize(size, size)
        self._name = ""
        self._picture: QPixmap | None = None
        self.show_channel(name)

    def show_channel(self, name: str, picture: QPixmap | None = None) -> None:
        self._name, self._picture = name, picture
        self.setAccessibleName(readable(name))
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        paint_avatar(painter, QRectF(self.rect()), self._name, self._picture)
        painter.end()


def paint_avatar(painter: QPainter, box: QRectF, name: str, picture: QPixmap | None = None) -> None:
    """For delegates that paint by themselves."""
    name = readable(name)
    painter.save()
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    circle = QPainterPath()
    circle.addEllipse(box)
    painter.setClipPath(circle)
    if picture is not None and not picture.isNull():
        painter.drawPixmap(box, picture, QRectF(picture.rect()))
    else:
        painter.fillRect(box, QColor(AVATARS[zlib.crc32(name.lower().encode()) % len(AVATARS)]))
        font = QFont(painter.font())
        font.setPixelSize(max(9, round(box.height() * 0.42)))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name[:1].upper() or "?")
    painter.restore()
