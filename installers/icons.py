"""All icons that installers need, drawn from the one SVG: `python -m installers.icons FOLDER` (needs PySide6).

PNGs of each size, an .ico for Windows and an .icns for macOS; both hold PNGs, as they may since Vista and 10.7.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

from installers import ROOT

SVG = ROOT / "resources" / "icons" / "itsjustintv.svg"
SIZES = (16, 20, 22, 24, 32, 40, 48, 64, 128, 256, 512, 1024)
_ICO = (16, 20, 24, 32, 40, 48, 64, 256)
_ICNS = {b"icp4": 16, b"icp5": 32, b"icp6": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512, b"ic10": 1024}


def png(size: int, svg: Path = SVG) -> bytes:
    """The icon drawn `size` pixels wide and high, on nothing."""
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(svg)).render(painter)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload] # its stub knows no QBuffer
        raise OSError("Qt cannot write PNG")
    return bytes(data.data())


def ico(images: dict[int, bytes]) -> bytes:
    """An .ico file of PNGs by size in pixels. Its directory holds 256 as 0."""
    at = 6 + 16 * len(images)
    head, body = struct.pack("<HHH", 0, 1, len(images)), b""
    for size, data in images.items():
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), at + len(body))
        body += data
    return head + body


def icns(images: dict[bytes, bytes]) -> bytes:
    """An .icns file of PNGs by Apple's type of four letters."""
    body = b"".join(kind + struct.pack(">I", 8 + len(data)) + data for kind, data in images.items())
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def write(folder: Path) -> None:
    """Write all into `folder` by the names Briefcase looks for, NAME-SIZE.png and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {size: png(size) for size in SIZES}
    for size, data in drawn.items():
        (folder / f"itsjustintv-{size}.png").write_bytes(data)
    (folder / "itsjustintv.png").write_bytes(drawn[1024])
    (folder / "itsjustintv.ico").write_bytes(ico({size: drawn[size] for size in _ICO}))
    (folder / "itsjustintv.icns").write_bytes(icns({kind: drawn[size] for kind, size in _ICNS.items()}))
    (folder / "itsjustintv-scalable.svg").write_bytes(SVG.read_bytes())


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    write(Path(sys.argv[1]))
