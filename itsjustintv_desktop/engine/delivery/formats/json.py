"""Our own format: the payload of the Go service, complete, with what we know beyond it."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec

from itsjustintv_desktop.engine.delivery.formats.base import TOO_LARGE, Format, Picture, Summary
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
_PICTURE_SHOWN = "... the picture in base64, {} characters ..."


class Json(Format):
    """Receivers are programs of the owner's own."""

    name = "json"
    title = "JSON"
    receiver = "your own program (JSON)"
    where_to_get = "Anything else gets JSON by POST; it can be signed, see Destinations."
    carries_picture = True
    knows_repeats = True
    traced = True
    refusals = frozenset({TOO_LARGE})
    limits_in_body = False

    def render(
        self, payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
    ) -> bytes:
        """All keys in their order, unknown values null. An image whose bytes are gone is named in `missing`.

        `plain`: with a link to the picture at most.
        """
        return encode(complete(payload, image_bytes, "link" if plain and picture == "data" else picture))

    def summary(self, payload: dict[str, Any], picture: Picture) -> Summary:
        """The payload says by a key that it is a test."""
        about = super().summary(payload, picture)
        return msgspec.structs.replace(about, lines=(about.lines[0].removeprefix("Test: "), *about.lines[1:]))

    def readable(self, body: bytes) -> str:
        """Without the picture's bytes."""
        content: dict[str, Any] = json.loads(body)
        image = content.get("image")
        if isinstance(image, dict) and isinstance(image.get("data"), str):
            image["data"] = _PICTURE_SHOWN.format(len(image["data"]))
        return json.dumps(content, indent=2, ensure_ascii=False)


def complete(payload: dict[str, Any], image_bytes: bytes | None, picture: Picture = "data") -> dict[str, Any]:
    """The stored payload with the picture's bytes in it, or without a picture and saying so.

    A picture that is not wanted is not missing: `image` has no data then ("link"), or is null ("none").
    """
    image = payload.get("image")
    changed: dict[str, Any] = {"image": None}
    if image is not None and picture == "link":
        changed["image"] = _link(image) | {"data": None}
    elif image is not None and picture == "data" and image_bytes is not None:
        changed["image"] = _link(image) | {"data": base64.b64encode(image_bytes).decode("ascii")}
    elif image is not None and picture == "data":
        missing = list(payload.get("missing") or ())
        changed["missing"] = missing if "image" in missing else [*missing, "image"]
        changed["enriched"] = False
    return {key: changed[key] if key in changed else payload.get(key) for key in KEYS}


def _link(image: dict[str, Any]) -> dict[str, Any]:
    return {key: image.get(key) for key in ("url", "width", "height", "mime_type")}
