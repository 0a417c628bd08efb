"""Pictures: fetched once, checked, kept in image_cache/ as `<sha256>.<ext>`, 0600, written whole or not at all.

The functions block; `ImageCache` calls them in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os
import re
import struct
from collections.abc import Container
from ipaddress import ip_address
from pathlib import Path

import imagesize
import msgspec
from yarl import URL

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import ImageError, os_sentence
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.core.net.client import Options, Outbound, Response
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, RequestError, network_sentence
from itsjustintv_desktop.engine.core.net.limits import read_at_most

_REDIRECTS = 3
_CONNECTIONS = 16
_RECENT_BYTES = 1024 * 1024
"""Of pictures that are kept in memory as well."""
_PLACEHOLDERS = ("404_preview", "404_boxart")
MAX_BYTES = 2 * 1024 * 1024
_MAX_SIDE = 4096
"""Pixels. Twitch's profile images have 300."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{64})\.[a-z]{3,4}")
_UNFINISHED = (files.UNFINISHED, ".part")
"""The latter is that of earlier versions."""
_UNFINISHED_TTL = 3600.0


class ImageType(msgspec.Struct, frozen=True):
    mime_type: str
    extension: str


PNG = ImageType("image/png", "png")
JPEG = ImageType("image/jpeg", "jpg")
GIF = ImageType("image/gif", "gif")
WEBP = ImageType("image/webp", "webp")
KINDS = (PNG, JPEG, GIF, WEBP)


def is_placeholder(final_url: str) -> bool:
    """Whether a thumbnail or box art led to Twitch's "there is none" picture, which comes with status 200.

    `final_url` is the address after all redirects.
    """
    return any(mark in final_url for mark in _PLACEHOLDERS)


class _Picture(msgspec.Struct):
    sha256: str = ""


class _WithPicture(msgspec.Struct):
    image: _Picture | None = None


def picture_of(payload: bytes) -> str | None:
    """SHA-256 (hex) of the picture that a stored payload names. None: it names none, or cannot be read."""
    try:
        image = msgspec.json.decode(payload, type=_WithPicture).image
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return image.sha256 if image else None


class _Recent:
    """The bytes of the pictures that were used last: most are sent right after they were fetched."""

    def __init__(self) -> None:
        self._size = 0
        self._known: dict[str, bytes] = {}

    def add(self, digest: str, data: bytes) -> None:
        self._size += len(data) - len(self._known.pop(digest, b""))
        self._known[digest] = data
        while self._size > _RECENT_BYTES:
            self._size -= len(self._known.pop(next(iter(self._known))))

    def get(self, digest: str) -> bytes | None:
        return self._known.get(digest)


class ImageCache:
    """Pictures of `folder`. `fetch` is for addresses that Twitch gave us, still it trusts none of them."""

    def __init__(self, folder: Path, *, outbound: Outbound, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._client = outbound.client(Options(connections=_CONNECTIONS))
        self._closed = False
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self._recent = _Recent()

    async def fetch(self, url: str, *, timeout: float) -> Image:
        """Download, check and keep a picture, within `timeout` seconds. Raises ImageError."""
        try:
            async with asyncio.timeout(timeout), self._slots:
                data = await self._download(URL(url))
        except (*REQUEST_ERRORS, ValueError) as error:
            raise ImageError(f"The picture cannot be fetched: {_sentence(error)}.") from error
        kind, width, height = inspect(data)
        try:
            digest = await asyncio.to_thread(keep, self._folder, data, kind.extension)
        except OSError as error:
            raise ImageError(f"The picture cannot be kept: {os_sentence(error)}.") from error
        self._recent.add(digest, data)
        return Image(url=url, sha256=digest, mime_type=kind.mime_type, width=width, height=height)

    async def read(self, sha256: str) -> bytes | None:
        """The bytes of a kept picture; None when it is gone or damaged."""
        return self._recent.get(sha256) or await asyncio.to_thread(load, self._folder, sha256)

    def load(self, sha256: str) -> bytes | None:
        """As `read`, for a thread: it blocks."""
        return self._recent.get(sha256) or load(self._folder, sha256)

    async def has(self, sha256: str) -> bool:
        """Whether a picture is kept. If so, it counts as used just now."""
        return await asyncio.to_thread(touch, self._folder, sha256)

    async def unused(self, ttl: float) -> set[str]:
        """SHA-256 (hex) of the pictures not used for `ttl` seconds."""
        return await asyncio.to_thread(unused_since, self._folder, self._clock.now() - ttl)

    async def purge(self, unwanted: Container[str], *, ttl: float) -> int:
        """Remove those of `unwanted` (SHA-256, hex) that still were not used for `ttl` seconds. Returns how many."""
        now = self._clock.now()
        return await asyncio.to_thread(purge, self._folder, unwanted, now=now, ttl=ttl)

    async def close(self) -> None:
        """Close all connections for good: a later fetch raises ImageError."""
        self._closed = True
        await self._client.aclose()

    async def _download(self, url: URL) -> bytes:
        for _ in range(_REDIRECTS + 1):
            if not _allowed(url):
                raise ImageError("The picture has no https address.")
            if self._closed:
                raise ImageError("The picture is not fetched: the program is stopping.")
            async with self._client.stream("GET", str(url)) as response:
                if response.status_code in {301, 302, 303, 307, 308}:
                    url = url.join(URL(response.headers.get("Location", "")))
                    continue
                if response.status_code != 200:
                    raise ImageError(f"The picture cannot be fetched: the server answered {response.status_code}.")
                if is_placeholder(str(url)):
                    raise ImageError("There is no such picture.")
                return await _read(response)
        raise ImageError("The picture cannot be fetched: too many redirects.")


async def _read(response: Response) -> bytes:
    content = await read_at_most(response, MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ImageError("The picture is larger than 2 MiB.")
    return content


def _allowed(url: URL) -> bool:
    """https anywhere; http on this machine only, where a simulator serves."""
    if url.scheme == "https":
        return bool(url.host)
    return url.scheme == "http" and _is_loopback(url.host or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sentence(error: BaseException) -> str:
    if isinstance(error, RequestError) and error.refused is not None:
        return "its address is not allowed"
    invalid = error.invalid if isinstance(error, RequestError) else isinstance(error, ValueError)
    return "its address is not valid" if invalid else network_sentence(error)


def inspect(data: bytes) -> tuple[ImageType, int, int]:
    """The kind, width and height (pixels) of a picture. What a server calls it doesn't count.

    Raises ImageError.
    """
    if len(data) > MAX_BYTES:
        raise ImageError("The picture is larger than 2 MiB.")
    kind = _type_of(data)
    if kind is None:
        raise ImageError("The picture is neither PNG, JPEG, GIF nor WebP.")
    try:
        width, height = imagesize.get(io.BytesIO(data), exif_rotation=False)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, OSError, struct.error) as error:
        raise ImageError("The picture is damaged.") from error
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise ImageError("The picture is damaged or far too large.")
    return kind, width, height


def _type_of(data: bytes) -> ImageType | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP
    return None


def digest_of(data: bytes) -> str:
    """SHA-256 (hex): what a picture is called here."""
    return hashlib.sha256(data).hexdigest()


def keep(folder: Path, data: bytes, extension: str) -> str:
    """Store these bytes and return their SHA-256 (hex). Raises OSError.

    No fsync: a file that a power cut tore doesn't match its name, so `load` drops it.
    """
    digest = digest_of(data)
    path = _name(folder, digest, extension)
    if _whole(path, digest) is not None:
        os.utime(path)  # used again: its age starts anew
        return digest
    try:
        files.write_atomic(Path(path), data, durable=False)
    except FileNotFoundError:  # asking for the folder first would cost two more system calls a picture
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_atomic(Path(path), data, durable=False)
    return digest


def load(folder: Path, digest: str) -> bytes | None:
    """The bytes with this SHA-256, or None. A damaged file is removed."""
    if not _SHA256.fullmatch(digest):
        return None
    for kind in KINDS:
        data = _whole(_name(folder, digest, kind.extension), digest)
        if data is not None:
            return data
    return None


def touch(folder: Path, digest: str) -> bool:
    """Whether it is there. If so, its age starts anew, so that a purge leaves it alone until it was sent."""
    if not _SHA256.fullmatch(digest):
        return False
    for kind in KINDS:
        with contextlib.suppress(OSError):
            os.utime(_name(folder, digest, kind.extension))
            return True
    return False


def unused_since(folder: Path, at: float) -> set[str]:
    """SHA-256 (hex) of the pictures last used before `at`, Unix seconds."""
    found = set()
    for entry in _entries(folder):
        match = _NAME.fullmatch(entry.name)
        with contextlib.suppress(OSError):
            if match is not None and entry.stat(follow_symlinks=False).st_mtime < at:
                found.add(match[1])
    return found


def purge(folder: Path, unwanted: Container[str], *, now: float, ttl: float) -> int:
    """Remove those of the `unwanted` not used for `ttl` seconds, and what a crash left. Returns how many."""
    removed = 0
    for entry in _entries(folder):
        match = _NAME.fullmatch(entry.name)
        unfinished = entry.name.endswith(_UNFINISHED)
        if not unfinished and (match is None or match[1] not in unwanted):
            continue
        with contextlib.suppress(OSError):
            age = now - entry.stat(follow_symlinks=False).st_mtime
            if age > (_UNFINISHED_TTL if unfinished else ttl):
                Path(entry.path).unlink()
                removed += 1
    return removed


def _whole(path: str, digest: str) -> bytes | None:
    """What the file holds, if that has this SHA-256; else it is removed."""
    try:
        data = files.read(path, MAX_BYTES + 1)
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() == digest:
        return data
    with contextlib.suppress(OSError):
        Path(path).unlink()
    return None


def _name(folder: Path, digest: str, extension: str) -> str:
    """Not a Path: each would have its name interned and forgotten again, 100 times for every output.json, and Python's
    table of interned strings (2 MB) would be rebuilt every few minutes for it."""
    return f"{folder}{os.sep}{digest}.{extension}"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
