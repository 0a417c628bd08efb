import struct
from pathlib import Path

import pytest

pytest.importorskip(
    "PySide6.QtGui", reason="Qt's libraries are not on this machine (make system-deps)", exc_type=ImportError
)

from PySide6.QtGui import QImage

from installers import icons


def test_every_size_is_drawn_and_the_containers_hold_them(tmp_path: Path) -> None:
    icons.write(tmp_path)
    for size in icons.SIZES:
        image = QImage(str(tmp_path / f"itsjustintv-{size}.png"))
        assert (image.width(), image.height()) == (size, size)
        assert image.pixelColor(0, 0).alpha() == 0, "the corner is cut off"
        middle = image.pixelColor(size // 2, size // 2)
        assert middle.alpha() == 255
        assert middle.red() > middle.blue(), "the red disc is in the middle"
    # Qt reads .ico; of .icns only where its plugin is.
    assert QImage(str(tmp_path / "itsjustintv.ico")).width() in icons.SIZES
    data = (tmp_path / "itsjustintv.icns").read_bytes()
    assert data[:4] == b"icns"
    assert struct.unpack(">I", data[4:8])[0] == len(data)
    at, kinds = 8, []
    while at < len(data):
        kinds.append(data[at : at + 4])
        assert data[at + 8 : at + 12] == b"\x89PNG"
        at += struct.unpack(">I", data[at + 4 : at + 8])[0]
    assert at == len(data)
    assert b"ic10" in kinds
