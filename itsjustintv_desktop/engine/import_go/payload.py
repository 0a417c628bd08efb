"""The Go service's payload in our form: every key is there, and what it could not know is named in `missing`."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from itsjustintv_desktop.engine.announce.payload import merge
from itsjustintv_desktop.engine.core.clock import format_rfc3339
from itsjustintv_desktop.engine.core.errors import ImageError
from itsjustintv_desktop.engine.core.tags import language
from itsjustintv_desktop.engine.import_go import values
from itsjustintv_desktop.engine.storage import image_cache
from itsjustintv_desktop.engine.storage.image_cache import MAX_BYTES, inspect

_FIELDS = ("view_count", "followers_count", "tags", "language", "description", "image")
_DEEPEST = 50
_STREAM = ("title", "category_id", "category_name", "started_at", "thumbnail_url")


class Pictures:
    """Keeps the pictures that payloads carry, each once: a thousand announcements have a handful of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[bytes, dict[str, Any] | None] = {}
        self.addresses: dict[tuple[str, str], str] = {}
        """(user id, SHA-256 of the picture) -> the address it came from, where a payload tells."""
        self.unkept = 0
        """Pictures that the disk refused."""

    def keep(self, image: Any, user_id: str) -> dict[str, Any] | None:
        """`image` of a payload as ours has it. Without bytes that pass the check, the address alone stays. Blocks."""
        if not isinstance(image, Mapping):
            return None
        url = values.line(image.get("url"), 2000)
        data = image.get("data")
        kept = self._kept(data) if isinstance(data, str) and data else None
        if kept is None:
            size = {"width": values.count(image.get("width")), "height": values.count(image.get("height"))}
            mime_type = values.line(image.get("mime_type"), 100)
            return {"url": url, **size, "mime_type": mime_type, "sha256": ""} if url else None
        if url:
            self.addresses[user_id, kept["sha256"]] = url
        return {"url": url, **kept}

    def _kept(self, data: str) -> dict[str, Any] | None:
        key = hashlib.sha256(data.encode("utf-8", "replace")).digest()
        if key not in self._known:
            self._known[key] = self._store(data)
        return self._known[key]

    def _store(self, data: str) -> dict[str, Any] | None:
        if len(data) > MAX_BYTES * 4 // 3 + 4:
            return None
        try:
            content = base64.b64decode(data, validate=True)
            kind, width, height = inspect(content)
            digest = image_cache.keep(self._folder, content, kind.extension)
        except (binascii.Error, ValueError, ImageError):
            return None
        except OSError:
            self.unkept += 1
            return None
        return {"width": width, "height": height, "mime_type": kind.mime_type, "sha256": digest}


def fingerprint(payload: Mapping[str, Any], *more: str) -> str:
    """SHA-256 (hex) by which the same entry is recognised when it comes again."""
    content = msgspec.json.encode([*more, _plain(payload)], order="sorted")
    return hashlib.sha256(content).hexdigest()


def _plain(value: Any, depth: int = 0) -> Any:
    """What JSON gave, without what cannot be written again (lone surrogates, numbers beyond 64 bits, NaN)."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {values.text(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool) or value is None:
        return value
    return repr(value)


def stream_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What it says of the stream: nothing where the Go service wrote it, more in our own form."""
    stream = payload.get("stream")
    return stream if isinstance(stream, Mapping) else {}


def convert(
    payload: Mapping[str, Any], *, login: str, user_id: str, at: float, pictures: Pictures
) -> Callable[[str], bytes]:
    """What the ledger keeps, once the event has an id. `at` is when it was announced, Unix seconds. Blocks."""
    tags = merge(values.texts(payload.get("tags")))
    said = stream_of(payload)
    stream = {name: values.line(said.get(name), 2000) or None for name in _STREAM}
    missing = [name for name in _FIELDS if payload.get(name) in (None, "", [])]
    missing += [f"stream.{name}" for name in _STREAM if stream[name] is None]
    image = pictures.keep(payload.get("image"), user_id)
    if (image is None or not image["sha256"]) and "image" not in missing:
        missing.append("image")
    made: dict[str, Any] = {
        "streamer_login": login,
        "streamer_name": values.line(payload.get("streamer_name")) or login,
        "streamer_id": user_id,
        "url": values.line(payload.get("url"), 2000) or f"https://twitch.tv/{login}",
        "view_count": values.count(payload.get("view_count")),
        "followers_count": values.count(payload.get("followers_count")),
        "tags": tags,
        "language": values.line(payload.get("language"), 20) or language(tags, None),
        "description": values.text(payload.get("description")),
        "image": image,
        "timestamp": format_rfc3339(at),
        "additional_tags": values.texts(payload.get("additional_tags")),
        "event": {"id": "", "type": "stream.online", "message_id": None},
        "stream": {"id": values.line(said.get("id"), 100), **stream},
        "enriched": False,
        "missing": missing,
        "test": False,
    }
    return lambda event_id: msgspec.json.encode({**made, "event": {**made["event"], "id": event_id}})
