"""A message for a Slack incoming webhook (Slack docs: Block Kit reference; Formatting text, Escaping text)."""

from __future__ import annotations

from typing import Any

from itsjustintv_desktop.engine.config.schema import Picture
from itsjustintv_desktop.engine.delivery.formats import text

HEADER, TEXT, ALT, URL, NAME = 150, 3000, 2000, 3000, 256
TEST = "This is a test. Nobody went live."

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def render(
    payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
) -> bytes:
    """Blocks, and a line that notifications show. Mentions and links in titles have no effect.

    Slack loads the pictures by their addresses, so `image_bytes` is not needed. One that it cannot load makes it refuse
    all of it (invalid_blocks). `plain`: text alone, no block.
    """
    test = bool(payload.get("test"))
    mark = "Test: " if test else ""
    name = text.fit(text.streamer(payload), NAME, _escape)
    url = text.web_address(payload.get("url"), URL // 2)
    if plain:
        lines = [f"{mark}{_linked(name, url)} is live on Twitch", text.fit(text.title(payload), TEXT // 2, _escape)]
        lines += _facts(payload) + ([TEST] if test else [])
        return _encoded({"text": "\n".join(lines)})
    # The title stands in plain_text, since mrkdwn has no way to write a literal * or _.
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {
                "type": "plain_text",
                "text": text.fit(mark + text.title(payload), HEADER),
                "emoji": False,
            },
        },
        _section(payload, f"{mark}{_linked(name, url)} is live on Twitch", with_icon=picture != "none"),
    ]
    if picture != "none" and (thumbnail := text.thumbnail(payload, URL)):
        alt = text.fit(f"Picture of the stream of {text.streamer(payload)}", ALT)
        blocks.append({"type": "image", "image_url": thumbnail, "alt_text": alt})
    if context := _context(payload, test):
        blocks.append({"type": "context", "elements": context})
    fallback = f"{mark}{name} is live on Twitch: {text.fit(text.title(payload), TEXT // 2, _escape)}"
    return _encoded({"text": fallback, "blocks": blocks})


def _encoded(message: dict[str, Any]) -> bytes:
    return text.encode(message | {"unfurl_links": False, "unfurl_media": False})


def _facts(payload: dict[str, Any]) -> list[str]:
    return [f"{label}: {text.fit(value, NAME, _escape)}" for label, value in text.facts(payload)]


def _section(payload: dict[str, Any], line: str, *, with_icon: bool) -> dict[str, Any]:
    lines = "\n".join([line, *_facts(payload)])
    section: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": lines}}
    if with_icon and (icon := text.profile_image(payload, URL)):
        alt = text.fit(f"Profile image of {text.streamer(payload)}", ALT)
        section["accessory"] = {"type": "image", "image_url": icon, "alt_text": alt}
    return section


def _context(payload: dict[str, Any], test: bool) -> list[dict[str, Any]]:
    parts = []
    if moment := text.started(payload):
        # Slack shows it in the reader's own time zone; the part after | is for clients that cannot.
        plain = f"{moment:%Y-%m-%d %H:%M} UTC"
        parts.append(f"Since <!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{plain}>")
    if test:
        parts.append(TEST)
    return [{"type": "mrkdwn", "text": part} for part in parts]


def _linked(name: str, url: str | None) -> str:
    return f"<{''.join(map(_escape, url))}|{name}>" if url else f"*{name}*"


def _escape(char: str) -> str:
    return _ESCAPES.get(char, char)
