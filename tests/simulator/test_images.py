from __future__ import annotations

import struct
import zlib
from io import BytesIO

import aiohttp
import imagesize
import pytest

from itsjustintv_desktop.simulator import Simulator
from itsjustintv_desktop.simulator.images import png
from tests.simulator.conftest import Client


@pytest.mark.parametrize(("width", "height"), [(300, 300), (1, 1), (2, 5), (640, 360)])
def test_pictures_are_whole_pngs(width: int, height: int) -> None:
    data = png(width, height, 200)
    assert imagesize.get(BytesIO(data)) == (width, height)
    place, kinds, pixels = 8, [], b""
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length)[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        pixels = zlib.decompress(body) if kind == b"IDAT" else pixels
        place += length + 12
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert len(pixels) == (width + 1) * height


async def test_the_addresses_helix_gives_lead_to_pictures(
    sim: Simulator, client: Client, session: aiohttp.ClientSession
) -> None:
    ada = sim.add_channel("ada")
    await sim.go_live("ada")
    user = (await client.ask("/users", {"id": ada.user_id}))[1]["data"][0]
    stream = (await client.ask("/streams"))[1]["data"][0]
    game = (await client.ask("/games", {"id": ada.category.id}))[1]["data"][0]
    urls = [
        (user["profile_image_url"], (300, 300)),
        (stream["thumbnail_url"].format(width=640, height=360), (640, 360)),
        (game["box_art_url"].format(width=144, height=192), (144, 192)),
    ]
    for url, size in urls:
        async with session.get(url, allow_redirects=False) as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert imagesize.get(BytesIO(await response.read())) == size
    assert sim.other_calls["images"] == 3


async def test_missing_previews_lead_to_the_404_picture(
    sim: Simulator, client: Client, session: aiohttp.ClientSession
) -> None:
    sim.add_channel("ada")
    await sim.go_live("ada")
    sim.faults.thumbnails_missing = True
    url = (await client.ask("/streams"))[1]["data"][0]["thumbnail_url"].format(width=640, height=360)
    async with session.get(url) as response:
        assert response.status == 200
        assert response.url.path.endswith("/404_preview-640x360.png")
    async with session.get(f"{sim.url}/images/boxart/1-9x9.png") as response:
        assert "404_boxart" in response.url.path


@pytest.mark.parametrize("path", ["profile/1-300x300.png", "live/1-0x5.png", "live/1-9999x5.png", "live/x.jpg"])
async def test_no_such_picture(sim: Simulator, session: aiohttp.ClientSession, path: str) -> None:
    async with session.get(f"{sim.url}/images/{path}") as response:
        assert response.status == 404


async def test_a_broken_picture(sim: Simulator, session: aiohttp.ClientSession) -> None:
    ada = sim.add_channel("ada")
    sim.faults.set("images", broken=True)
    async with session.get(f"{sim.url}/images/profile/{ada.user_id}-300x300.png") as response:
        assert response.content_type == "image/png"
        assert imagesize.get(BytesIO(await response.read())) == (-1, -1)
