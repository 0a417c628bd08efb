"""Small real PNG pictures: profiles, stream previews, box art."""

from __future__ import annotations

import re
import struct
import zlib
from colorsys import hls_to_rgb
from functools import lru_cache

from aiohttp import web

from itsjustintv_desktop.simulator.faults import Faults
from itsjustintv_desktop.simulator.state import State

_FILE = re.compile(r"(?P<what>[0-9A-Za-z_]+)-(?P<width>[0-9]{1,4})x(?P<height>[0-9]{1,4})\.png")
_LARGEST = 1920


@lru_cache(maxsize=256)
def png(width: int, height: int, hue: int) -> bytes:
    """A disc on a darker ground, as a PNG with a palette of two colours. `hue` is 0 to 359.

    https://www.w3.org/TR/png-3/
    """
    ground, disc = (bytes(round(255 * part) for part in hls_to_rgb(hue / 360, light, 0.55)) for light in (0.28, 0.68))
    radius = min(width, height) * 0.36
    rows = bytearray()
    for y in range(height):
        reach = radius * radius - (y + 0.5 - height / 2) ** 2
        half = round(reach**0.5) if reach > 0 else 0
        left = width // 2 - half
        rows += b"\0" + b"\0" * left + b"\1" * (2 * half) + b"\0" * (width - left - 2 * half)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", ground + disc), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


class Images:
    """GET /images/{kind}/{file}. A missing preview redirects to a picture with status 200, as at Twitch."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults

    async def handle(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        found = _FILE.fullmatch(request.match_info["file"])
        if found is None:
            raise web.HTTPNotFound
        what, width, height = found["what"], int(found["width"]), int(found["height"])
        if not (1 <= width <= _LARGEST and 1 <= height <= _LARGEST):
            raise web.HTTPNotFound
        if kind == "live" and not self._has_preview(what):
            raise web.HTTPFound(f"/images/static/404_preview-{width}x{height}.png")
        if kind == "profile" and what not in self._state.channels:
            raise web.HTTPNotFound
        if kind == "boxart" and all(what != known.id for known in self._state.categories.values()):
            raise web.HTTPFound(f"/images/static/404_boxart-{width}x{height}.png")
        hue = zlib.crc32(what.encode()) % 360
        return web.Response(body=png(width, height, hue), content_type="image/png")

    def _has_preview(self, user_id: str) -> bool:
        channel = self._state.channels.get(user_id)
        return channel is not None and channel.stream is not None and not self._faults.thumbnails_missing
