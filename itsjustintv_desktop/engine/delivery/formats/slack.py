"""Slack's incoming webhooks (Slack docs: Block Kit reference; Formatting text, Escaping text)."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult

from itsjustintv_desktop.engine.delivery.formats import text
from itsjustintv_desktop.engine.delivery.formats.base import Format, Picture
from itsjustintv_desktop.engine.delivery.formats.discord import Discord, takes_slack

HEADER, TEXT, ALT, URL, NAME = 150, 3000, 2000, 3000, 256

_DISCORD = Discord()
_FINAL = frozenset(
    {
        "action_prohibited", "channel_is_archived", "channel_not_found", "invalid_blocks", "invalid_blocks_format",
        "invalid_payload", "invalid_token", "missing_text_or_fallback_or_attachments", "no_active_hooks", "no_service",
        "no_service_id", "no_team", "no_text", "posting_to_general_channel_denied", "team_disabled",
        "too_many_attachments", "user_not_found",
    }
)  # fmt: skip
"""Bodies that say that no further attempt would help (Slack docs: Sending messages using incoming webhooks, Handling
errors)."""
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Slack(Format):
    name = "slack"
    title = "Slack"
    where_to_get = "Slack: an app with Incoming Webhooks, Add New Webhook, Copy."
    pause = 1.0

    def render(
        self, payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
    ) -> bytes:
        """Blocks, and a line that notifications show. Mentions and links in titles have no effect.

        Slack loads the pictures by their addresses, so `image_bytes` is not needed. One that it cannot load makes it
        refuse all of it (invalid_blocks). `plain`: text alone, no block.
        """
        test = bool(payload.get("test"))
        mark = "Test: " if test else ""
        name = text.fit(text.streamer(payload), NAME, _escape)
        url = text.web_address(payload.get("url"), URL // 2)
        if plain:
            lines = [f"{mark}{_linked(name, url)} is live on Twitch", text.fit(text.title(payload), TEXT // 2, _escape)]
            lines += _facts(payload) + ([text.TEST] if test else [])
            return _encoded({"text": "\n".join(lines)})
        # The title is plain_text, since mrkdwn has no way to write a literal * or _.
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

    def recognises(self, host: str, parts: SplitResult) -> bool:
        return (host == "hooks.slack.com" and parts.path.startswith("/services/")) or takes_slack(host, parts)

    def is_final(self, body: bytes) -> bool:
        """Discord takes this format, too, and refuses in its own way."""
        return body.strip().decode("ascii", "replace") in _FINAL or _DISCORD.is_final(body)


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
        parts.append(text.TEST)
    return [{"type": "mrkdwn", "text": part} for part in parts]


def _linked(name: str, url: str | None) -> str:
    return f"<{''.join(map(_escape, url))}|{name}>" if url else f"*{name}*"


def _escape(char: str) -> str:
    return _ESCAPES.get(char, char)
