"""The body of a delivery in the format its destination reads. The same payload always gives the same bytes."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from itsjustintv_desktop.engine.config.schema import Picture
from itsjustintv_desktop.engine.delivery.formats import discord, json, slack

Format = Literal["json", "discord", "slack"]

CONTENT_TYPE = "application/json"


class _Renderer(Protocol):
    def __call__(
        self, payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
    ) -> bytes: ...


_RENDERERS: dict[str, _Renderer] = {
    "json": json.render,
    "discord": discord.render,
    "slack": slack.render,
}


def knows_repeats(format: Format) -> bool:  # noqa: A002
    """Whether receivers of it can tell a repeat: `webhook-id` means nothing to Discord and Slack."""
    return format == "json"


def render(
    format: Format,  # noqa: A002
    payload: dict[str, Any],
    image_bytes: bytes | None,
    *,
    picture: Picture = "data",
    plain: bool = False,
) -> tuple[bytes, str]:
    """Body and content type for one announcement.

    `payload` is the stored one (see docs/payload.md), `image_bytes` the profile image it names, None if the file
    is gone. `picture`: how much of the pictures goes along. `plain`: the same news without what a receiver may refuse
    it for; the same bytes as without `plain` where there is nothing to leave out.
    """
    return _RENDERERS[format](payload, image_bytes, picture=picture, plain=plain), CONTENT_TYPE
