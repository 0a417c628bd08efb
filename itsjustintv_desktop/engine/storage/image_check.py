"""Whether bytes from outside are a picture we may keep and hand on: type by content, size in bytes and pixels."""

from __future__ import annotations

import io
import struct

import imagesize
import msgspec

from itsjustintv_desktop.engine.core.errors import ImageError

MAX_BYTES = 2 * 1024 * 1024
_MAX_SIDE = 4096
"""Pixels. Twitch's profile images have 300."""


class ImageType(msgspec.Struct, frozen=True):
    mime_type: str
    extension: str


PNG = ImageType("image/png", "png")
JPEG = ImageType("image/jpeg", "jpg")
GIF = ImageType("image/gif", "gif")
WEBP = ImageType("image/webp", "webp")
KINDS = (PNG, JPEG, GIF, WEBP)


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
