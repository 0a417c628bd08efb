"""Our own format: the payload of the Go service, complete, with what we know beyond it."""

from __future__ import annotations

import base64
from typing import Any

from itsjustintv_desktop.engine.delivery.formats.text import encode

KEYS = (
    "streamer_login",
    "streamer_name",
    "streamer_id",
    "url",
    "view_count",
    "followers_count",
    "tags",
    "language",
    "description",
    "image",
    "timestamp",
    "additional_tags",
    "event",
    "stream",
    "enriched",
    "missing",
    "test",
)


def render(payload: dict[str, Any], image_bytes: bytes | None) -> bytes:
    """All keys in their order, unknown values null. An image whose bytes are gone is named in `missing`."""
    return encode(complete(payload, image_bytes))


def complete(payload: dict[str, Any], image_bytes: bytes | None) -> dict[str, Any]:
    """The stored payload with the picture's bytes in it, or without a picture and saying so."""
    image = payload.get("image")
    changed: dict[str, Any] = {"image": None}
    if image is not None and image_bytes is not None:
        data = base64.b64encode(image_bytes).decode("ascii")
        changed["image"] = {key: image.get(key) for key in ("url", "width", "height", "mime_type")} | {"data": data}
    elif image is not None:
        missing = list(payload.get("missing") or ())
        changed["missing"] = missing if "image" in missing else [*missing, "image"]
        changed["enriched"] = False
    return {key: changed[key] if key in changed else payload.get(key) for key in KEYS}
