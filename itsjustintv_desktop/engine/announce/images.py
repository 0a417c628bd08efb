"""Profile images: fetched once, checked, kept in image_cache/ under the SHA-256 of their bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from ipaddress import ip_address
from pathlib import Path

import msgspec
from yarl import URL

from itsjustintv_desktop.engine.core.clock import Clock
from itsjustintv_desktop.engine.core.errors import ImageError, os_sentence
from itsjustintv_desktop.engine.core.models import Image
from itsjustintv_desktop.engine.core.net.client import Options, Outbound, Response
from itsjustintv_desktop.engine.core.net.errors import REQUEST_ERRORS, RequestError, network_sentence
from itsjustintv_desktop.engine.core.net.limits import read_at_most
from itsjustintv_desktop.engine.storage import image_files
from itsjustintv_desktop.engine.storage.image_check import MAX_BYTES, inspect

_REDIRECTS = 3
_CONNECTIONS = 16
_PLACEHOLDERS = ("404_preview", "404_boxart")


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


class ImageCache:
    """Pictures of `folder`. `fetch` is for addresses that Twitch gave us, still it trusts none of them."""

    def __init__(self, folder: Path, *, outbound: Outbound, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._client = outbound.client(Options(connections=_CONNECTIONS))
        self._closed = False
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def fetch(self, url: str, *, timeout: float) -> Image:
        """Download, check and keep a picture, within `timeout` seconds. Raises ImageError."""
        try:
            async with asyncio.timeout(timeout), self._slots:
                data = await self._download(URL(url))
        except (*REQUEST_ERRORS, ValueError) as error:
            raise ImageError(f"The picture cannot be fetched: {_sentence(error)}.") from error
        kind, width, height = inspect(data)
        try:
            digest = await asyncio.to_thread(image_files.keep, self._folder, data, kind.extension)
        except OSError as error:
            raise ImageError(f"The picture cannot be kept: {os_sentence(error)}.") from error
        return Image(url=url, sha256=digest, mime_type=kind.mime_type, width=width, height=height)

    async def read(self, sha256: str) -> bytes | None:
        """The bytes of a kept picture; None when it is gone or damaged."""
        return await asyncio.to_thread(image_files.load, self._folder, sha256)

    async def has(self, sha256: str) -> bool:
        """Whether a picture is kept. If so, it counts as used just now."""
        return await asyncio.to_thread(image_files.touch, self._folder, sha256)

    async def unused(self, ttl: float) -> set[str]:
        """SHA-256 (hex) of the pictures not used for `ttl` seconds."""
        return await asyncio.to_thread(image_files.unused_since, self._folder, self._clock.now() - ttl)

    async def purge(self, unwanted: Container[str], *, ttl: float) -> int:
        """Remove those of `unwanted` (SHA-256, hex) that still were not used for `ttl` seconds. Returns how many."""
        now = self._clock.now()
        return await asyncio.to_thread(image_files.purge, self._folder, unwanted, now=now, ttl=ttl)

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
