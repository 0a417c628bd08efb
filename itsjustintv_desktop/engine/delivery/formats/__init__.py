"""The body of a delivery in the format its destination reads. The same payload always gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from itsjustintv_desktop.engine.delivery.formats import discord, json, slack

Format = Literal["json", "discord", "slack"]

CONTENT_TYPE = "application/json"

_RENDERERS: dict[str, Callable[[dict[str, Any], bytes | None], bytes]] = {
    "json": json.render,
    "discord": discord.render,
    "slack": slack.render,
}


def render(format: Format, payload: dict[str, Any], image_bytes: bytes | None) -> tuple[bytes, str]:  # noqa: A002
    """Body and content type for one announcement.

    `payload` is the stored one (see docs/payload.md), `image_bytes` the profile image it names, None if the file
    is gone.
    """
    return _RENDERERS[format](payload, image_bytes), CONTENT_TYPE
