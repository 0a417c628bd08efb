"""A message for a Discord webhook (Discord developer docs: Execute Webhook; Message resource, Embed Limits)."""

from __future__ import annotations

from typing import Any

from itsjustintv_desktop.engine.config.schema import Picture
from itsjustintv_desktop.engine.delivery.formats import text

CONTENT, TITLE, NAME, VALUE, URL = 2000, 256, 256, 1024, 2048
PURPLE, GREY = 0x9146FF, 0x95A5A6
TEST = "This is a test. Nobody went live."

# Discord lets a backslash take the meaning from any of these. "<" and "@" begin mentions and emoji.
_MARKDOWN = frozenset("\\*_~`|>#[]()<@-+:")


def render(
    payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
) -> bytes:
    """One line, which notifications show, and one embed. It never pings anyone, whatever a title says.

    Discord loads the pictures by their addresses, so `image_bytes` is not needed. `plain`: text alone, no embed.
    """
    test = bool(payload.get("test"))
    line = f"**{text.fit(text.streamer(payload), NAME, _escape)}** is live on Twitch"
    if plain:
        lines = [f"Test: {line}" if test else line, text.fit(text.title(payload), TITLE, _escape)]
        lines += [f"{label}: {text.fit(value, NAME, _escape)}" for label, value in text.facts(payload)]
        lines += [url] if (url := text.web_address(payload.get("url"), URL // 4)) else []
        lines += [TEST] if test else []
        return text.encode({"content": "\n".join(lines), "allowed_mentions": {"parse": []}})
    embed: dict[str, Any] = {
        "title": text.fit(text.title(payload), TITLE, _escape),
        "color": GREY if test else PURPLE,
        # An author's name is shown as it is: markdown has no meaning there.
        "author": {"name": text.fit(text.streamer(payload), NAME)},
    }
    if url := text.web_address(payload.get("url"), URL):
        embed["url"] = embed["author"]["url"] = url
    if picture != "none" and (icon := text.profile_image(payload, URL)):
        embed["author"]["icon_url"] = icon
    if fields := _fields(payload):
        embed["fields"] = fields
    if picture != "none" and (thumbnail := text.thumbnail(payload, URL)):
        embed["image"] = {"url": thumbnail}
    if moment := text.started(payload):
        embed["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if test:
        line = f"Test: {line}"
        embed["footer"] = {"text": TEST}
    return text.encode({"content": line, "embeds": [embed], "allowed_mentions": {"parse": []}})


def _fields(payload: dict[str, Any]) -> list[dict[str, Any]]:
    facts = text.facts(payload)
    return [{"name": name, "value": text.fit(value, VALUE, _escape), "inline": True} for name, value in facts]


def _escape(char: str) -> str:
    return f"\\{char}" if char in _MARKDOWN else char
