"""Profile pictures: fetched from the engine, and shown or painted round."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from functools import partial

from PySide6.QtCore import QBuffer, QByteArray, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QImageReader, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from itsjustintv_desktop.engine import RunningEngine, errors
from itsjustintv_desktop.ui.bridge import Bridge, PageTasks, in_thread
from itsjustintv_desktop.ui.plain import readable
from itsjustintv_desktop.ui.theme.tokens import AVATARS

PIXELS = 128
"""Width and height they are kept in: enough for 44 points on a screen of two and a half pixels a point."""
MOST = 600
_WANTED = 200
"""Beyond this the oldest wishes are forgotten: their rows were scrolled past."""


class Pictures(QObject):
    """`arrived` names one (SHA-256, hex) that can be painted from now on."""

    arrived = Signal(str)

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._tasks = PageTasks(self, lambda _: None)  # without a picture there is a letter
        self._kept: OrderedDict[str, QPixmap | None] = OrderedDict()
        self._wanted: OrderedDict[str, None] = OrderedDict()

    def get(self, sha256: str | None) -> QPixmap | None:
        """The picture, if it is at hand; else it is fetched, and `arrived` tells."""
        if not sha256:
            return None
        if sha256 in self._kept:
            self._kept.move_to_end(sha256)
            return self._kept[sha256]
        self._wanted[sha256] = None
        while len(self._wanted) > _WANTED:
            self._wanted.popitem(last=False)
        if not self._tasks.is_running("pictures"):
            self._tasks.start("pictures", self._fetch())
        return None

    async def _fetch(self) -> None:
        while self._wanted:
            sha256, _ = self._wanted.popitem()
            try:
                data = await self._bridge.call(partial(_ask, sha256))
            except errors.AppError:
                data = None
            image = await in_thread(_decoded, data) if data else None
            self._kept[sha256] = QPixmap.fromImage(image) if image is not None else None
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
            if image is not None:
                self.arrived.emit(sha256)


async def _ask(sha256: str, engine: RunningEngine) -> bytes | None:
    return await engine.api.feed.picture(sha256)


def _decoded(data: bytes) -> QImage | None:
    """Small from the start, whatever size the file says; None for what is no picture. In a thread: it takes a while."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    size = reader.size()
    if not size.isValid():
        return None
    reader.setScaledSize(size.scaled(QSize(PIXELS, PIXELS), Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    image = reader.read()
    return None if image.isNull() else image


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
