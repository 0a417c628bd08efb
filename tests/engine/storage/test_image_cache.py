from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from itsjustintv_desktop.engine.core.errors import ImageError
from itsjustintv_desktop.engine.core.net.client import Outbound
from itsjustintv_desktop.engine.storage import image_cache
from itsjustintv_desktop.engine.storage.image_cache import MAX_BYTES, ImageCache, inspect, is_placeholder, picture_of
from itsjustintv_desktop.simulator.images import png
from tests.engine.twitch.rig import JumpingClock, Rig, running_rig

PNG = png(300, 200, 10)
GIF = b"GIF89a" + struct.pack("<HH", 40, 30) + b"\0\0\0;"
JPEG = b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 30, 40) + b"\x03" + b"\0" * 9 + b"\xff\xd9"
WEBP = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x27\0\0\x1d\0\0" + b"\0" * 8


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[ImageCache]:
    images = ImageCache(tmp_path / "image_cache", outbound=Outbound(), clock=JumpingClock())
    yield images
    await images.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running_rig() as running:
        yield running


class Server:
    """Answers every GET with `answers[path]`: bytes, or the address to redirect to."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | str] = {}
        self.headers: dict[str, str] = {}
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = self.answers.get(request.path)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="text/html", headers=self.headers)
        return web.Response(status=404) if answer is None else web.Response(status=302, headers={"Location": answer})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    runner = web.ServerRunner(web.Server(server.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def test_a_long_header_keeps_no_picture_away(cache: ImageCache, server: Server) -> None:
    server.answers["/p"], server.headers = PNG, {"Content-Security-Policy": "x" * 12_000}
    assert (await cache.fetch(f"{server.url}/p", timeout=5)).mime_type == "image/png"


@pytest.mark.parametrize(
    ("data", "mime_type", "size"),
    [
        (PNG, "image/png", (300, 200)),
        (GIF, "image/gif", (40, 30)),
        (JPEG, "image/jpeg", (40, 30)),
        (WEBP, "image/webp", (40, 30)),
    ],
)
async def test_a_picture_is_kept_by_its_content(
    cache: ImageCache, server: Server, tmp_path: Path, data: bytes, mime_type: str, size: tuple[int, int]
) -> None:
    server.answers["/p"] = data
    image = await cache.fetch(f"{server.url}/p", timeout=5)
    assert (image.mime_type, (image.width, image.height)) == (mime_type, size)
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert await cache.read(image.sha256) == data
    assert await cache.has(image.sha256)
    (file,) = (tmp_path / "image_cache").iterdir()
    assert file.stem == image.sha256
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert await cache.fetch(f"{server.url}/p", timeout=5) == image


async def test_the_simulators_profile_image(rig: Rig, cache: ImageCache) -> None:
    rig.simulator.add_channel("cool_user")
    (user,) = await rig.helix.users(logins=["cool_user"])
    image = await cache.fetch(user.profile_image_url, timeout=5)
    assert (image.url, image.width, image.height) == (user.profile_image_url, 300, 300)


BAD = {
    "empty": b"",
    "html": b"<html>not found</html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='5' height='5'/>",
    "cut": PNG[:12],
    "no size": PNG[:16] + struct.pack(">II", 0, 0) + PNG[24:],
    "a decompression bomb's size": PNG[:16] + struct.pack(">II", 60000, 60000) + PNG[24:],
    "too many bytes": PNG + b"\0" * MAX_BYTES,
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_good_picture_is_not_kept(
    cache: ImageCache, server: Server, tmp_path: Path, name: str
) -> None:
    server.answers["/p"] = BAD[name]
    with pytest.raises(ImageError):
        await cache.fetch(f"{server.url}/p", timeout=5)
    assert not list(tmp_path.rglob("*.*"))


@given(st.sampled_from([PNG, GIF, JPEG, WEBP]), st.integers(0, 60), st.binary(max_size=60))
def test_damaged_pictures_raise_nothing_else(data: bytes, cut: int, tail: bytes) -> None:
    with contextlib.suppress(ImageError):
        inspect(data[:cut] + tail)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no https address"),
        ("x", "no https address"),
        ("file:///etc/passwd", "no https address"),
        ("ftp://127.0.0.1/x.png", "no https address"),
        ("http://203.0.113.5/x.png", "no https address"),
        ("http://localhost.example/x.png", "no https address"),
        ("http://[::1", "not valid"),
        ("https:///x.png", "no"),
        ("https://169.254.169.254/latest/meta-data", "not allowed"),
        ("https://[fe80::1]/x.png", "not allowed"),
    ],
)
async def test_only_https_or_this_machine_and_no_metadata_addresses(cache: ImageCache, url: str, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        await cache.fetch(url, timeout=5)


async def test_three_redirects_are_followed_and_each_is_checked(cache: ImageCache, server: Server) -> None:
    server.answers |= {
        "/1": "/2",
        "/2": "/3",
        "/3": "/4",
        "/4": PNG,
        "/0": "/1",
    }
    assert (await cache.fetch(f"{server.url}/1", timeout=5)).url == f"{server.url}/1"
    with pytest.raises(ImageError, match="redirects"):
        await cache.fetch(f"{server.url}/0", timeout=5)
    for target in ("http://169.254.169.254/", "http://203.0.113.5/", "file:///etc/passwd"):
        server.answers["/away"] = target
        with pytest.raises(ImageError, match="no https address"):
            await cache.fetch(f"{server.url}/away", timeout=2)


async def test_twitchs_placeholder_is_no_picture(rig: Rig, cache: ImageCache, server: Server) -> None:
    server.answers |= {"/live": "/static/404_preview-320x180.png", "/static/404_preview-320x180.png": PNG}
    with pytest.raises(ImageError, match="no such picture"):
        await cache.fetch(f"{server.url}/live", timeout=5)
    assert is_placeholder("https://static-cdn.jtvnw.net/ttv-static/404_boxart-285x380.jpg")
    assert not is_placeholder("https://static-cdn.jtvnw.net/previews-ttv/live_user_x-1280x720.jpg?t=404")


async def test_an_error_a_hang_and_nobody_there(cache: ImageCache, rig: Rig) -> None:
    channel = rig.simulator.add_channel("cool_user")
    url = f"{rig.simulator.url}/images/profile/{channel.user_id}-300x300.png"
    for fault in ({"status": 500}, {"hang": True}, {"broken": True}, {"reset": True}):
        rig.simulator.faults.set("images", **fault)
        with pytest.raises(ImageError):
            await cache.fetch(url, timeout=0.3)
    with pytest.raises(ImageError, match="refused") as failure:
        await cache.fetch("http://127.0.0.1:9/x.png", timeout=5)
    assert "127.0.0.1" not in failure.value.message


async def test_a_folder_that_cannot_be_written(tmp_path: Path, server: Server) -> None:
    (tmp_path / "image_cache").write_text("a file")
    cache = ImageCache(tmp_path / "image_cache", outbound=Outbound(), clock=JumpingClock())
    server.answers["/p"] = PNG
    with pytest.raises(ImageError, match="kept"):
        await cache.fetch(f"{server.url}/p", timeout=5)
    await cache.close()


async def test_a_closed_cache_fetches_nothing_any_more(cache: ImageCache, server: Server) -> None:
    server.answers["/p"] = PNG
    image = await cache.fetch(f"{server.url}/p", timeout=5)
    await cache.close()
    with pytest.raises(ImageError, match="stopping"):
        await cache.fetch(f"{server.url}/p", timeout=5)
    assert await cache.read(image.sha256) == PNG


async def test_what_was_just_fetched_is_sent_from_memory_which_is_bounded(
    cache: ImageCache, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_cache, "_RECENT_BYTES", 2 * len(PNG))
    kept = []
    for number in range(3):
        server.answers[f"/{number}"] = PNG + bytes([number])
        kept.append((await cache.fetch(f"{server.url}/{number}", timeout=5)).sha256)
        await cache.fetch(f"{server.url}/{number}", timeout=5)  # again: it counts once
    for path in (tmp_path / "image_cache").iterdir():
        path.unlink()
    assert [await cache.read(digest) for digest in kept] == [None, None, PNG + b"\2"]
    server.answers["/large"] = PNG + bytes(3 * len(PNG))
    large = await cache.fetch(f"{server.url}/large", timeout=5)
    assert [await cache.read(digest) for digest in (kept[2], large.sha256)] == [None, server.answers["/large"]]


def test_a_damaged_file_is_dropped_and_made_anew(tmp_path: Path) -> None:
    digest = image_cache.keep(tmp_path, PNG, "png")
    (tmp_path / f"{digest}.png").write_bytes(PNG[:-1])
    assert image_cache.load(tmp_path, digest) is None
    assert not list(tmp_path.iterdir())
    assert image_cache.keep(tmp_path, PNG, "png") == digest
    assert image_cache.load(tmp_path, digest) == PNG


def test_the_folder_is_made_when_it_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "cache"
    digest = image_cache.keep(folder, PNG, "png")
    assert image_cache.load(folder, digest) == PNG
    assert [file.name for file in folder.iterdir()] == [f"{digest}.png"]


def test_only_names_of_ours_are_looked_up(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(PNG)
    for name in ("../secret", "", "A" * 64, "é" * 64, "a" * 63):
        assert image_cache.load(folder, name) is None
        assert not image_cache.touch(folder, name)


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    digest = hashlib.sha256(PNG).hexdigest()
    (tmp_path / "elsewhere").write_bytes(PNG)
    (tmp_path / f"{digest}.png").symlink_to(tmp_path / "elsewhere")
    assert image_cache.load(tmp_path, digest) is None


def test_purging_removes_what_is_old_and_unused_and_nothing_else(tmp_path: Path) -> None:
    kept = image_cache.keep(tmp_path, PNG, "png")
    old = image_cache.keep(tmp_path, GIF, "gif")
    new = image_cache.keep(tmp_path, WEBP, "webp")
    (tmp_path / "notes.txt").write_text("not ours")
    (tmp_path / "half.part").write_bytes(b"x")
    now = 10_000_000.0
    for name in (f"{kept}.png", f"{old}.gif", "notes.txt", "half.part"):
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / f"{new}.webp", (now - 10, now - 10))
    assert image_cache.unused_since(tmp_path, now - 604800.0) == {kept, old}
    assert image_cache.purge(tmp_path, {old, new}, now=now, ttl=604800.0) == 2
    assert {file.name for file in tmp_path.iterdir()} == {f"{kept}.png", f"{new}.webp", "notes.txt"}
    assert image_cache.purge(tmp_path / "missing", set(), now=now, ttl=1.0) == 0
    assert image_cache.unused_since(tmp_path / "missing", now) == set()


def test_use_makes_a_picture_young_again(tmp_path: Path) -> None:
    digest = image_cache.keep(tmp_path, PNG, "png")
    os.utime(tmp_path / f"{digest}.png", (0, 0))
    assert image_cache.touch(tmp_path, digest)
    assert image_cache.purge(tmp_path, {digest}, now=(tmp_path / f"{digest}.png").stat().st_mtime + 5, ttl=10.0) == 0


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (b'{"a": 1, "image": {"url": "x", "sha256": "abc"}}', "abc"),
        (b'{"image": null}', None),
        (b'{"a": 1}', None),
        (b'{"image": 5}', None),
        (b"[]", None),
        (b"{", None),
        (b"\xff", None),
        (b'{"image": {"sha256": "\xff"}}', None),
    ],
)
def test_the_picture_of_a_stored_payload(payload: bytes, named: str | None) -> None:
    assert picture_of(payload) == named
