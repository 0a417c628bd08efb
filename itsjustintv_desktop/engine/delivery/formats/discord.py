"""Discord's webhooks (Discord developer docs: Execute Webhook; Message resource, Embed Limits; JSON Error Codes)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from itsjustintv_desktop.engine.delivery.formats import text
from itsjustintv_desktop.engine.delivery.formats.base import Format, Picture, Summary

HOSTS = frozenset(f"{prefix}{host}" for prefix in ("", "ptb.", "canary.") for host in ("discord.com", "discordapp.com"))

CONTENT, TITLE, NAME, VALUE, URL = 2000, 256, 256, 1024, 2048
PURPLE, GREY = 0x9146FF, 0x95A5A6

_WEBHOOK = re.compile(r"/api(/v\d+)?/webhooks/\d+/[\w-]+")
_API = re.compile(r"\A/api(?:/v\d+)?(?=/webhooks/)")
_VERSION = re.compile(r"/api/v(\d+)/")
_SECONDS_SINCE = 8
"""The version of the API since when Retry-After and retry_after are seconds."""
_FINAL = frozenset({10003, 10015, 50006, 50027, 50035, 50109, 220001})
"""Error codes that no further attempt changes: unknown channel, unknown webhook, empty message, invalid webhook token,
invalid form body, invalid JSON, a forum without a thread."""

# Discord lets a backslash take the meaning from any of these. "<" and "@" begin mentions and emoji.
_MARKDOWN = frozenset("\\*_~`|>#[]()<@-+:")


class Discord(Format):
    name = "discord"
    title = "Discord"
    where_to_get = "Discord: Edit Channel, Integrations, Webhooks, New Webhook, Copy Webhook URL."
    hosts = HOSTS
    most_per_second = 45
    not_taken = frozenset({502})
    """nginx answers so when the service took the request and closed; Discord's documentation says that its own gateway
    could not hand the request on."""

    def render(
        self, payload: dict[str, Any], image_bytes: bytes | None, *, picture: Picture = "data", plain: bool = False
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
            lines += [text.TEST] if test else []
            return text.encode({"content": "\n".join(lines), "allowed_mentions": {"parse": []}})
        embed: dict[str, Any] = {
            "title": text.fit(text.title(payload), TITLE, _escape),
            "color": _color(payload),
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
            embed["footer"] = {"text": text.TEST}
        return text.encode({"content": line, "embeds": [embed], "allowed_mentions": {"parse": []}})

    def recognises(self, host: str, parts: SplitResult) -> bool:
        """Discord has receivers of its own for what Slack and GitHub send: /slack, /github."""
        return is_webhook(host, parts) and not takes_slack(host, parts)

    def address_mistake(self, host: str, parts: SplitResult) -> str:
        if host in {"discord.gg", "discord.new"}:
            return (
                "this is an invitation to Discord, not a webhook; "
                "make one under channel settings, Integrations, Webhooks, and copy its URL"
            )
        if host not in HOSTS:
            return ""
        if not parts.path.startswith("/api/"):
            return (
                "this looks like a link into Discord, not a webhook; "
                "make one under channel settings, Integrations, Webhooks, and copy its URL"
            )
        if "/webhooks" in parts.path and not _WEBHOOK.match(parts.path):
            return (
                "this is no whole webhook of Discord: a number and a token stand at its end; "
                "copy its URL anew under channel settings, Integrations, Webhooks"
            )
        if parts.scheme.lower() != "https":
            return "Discord is reached over https:// only, and whoever listens could read the address; write https://"
        return ""

    def call_address(self, url: str) -> str:
        """A webhook at version 10 of the API, whichever was copied."""
        parts = urlsplit(url)
        return parts._replace(path=_API.sub("/api/v10", parts.path)).geturl()

    def in_milliseconds(self, url: str) -> bool:
        try:
            version = _VERSION.search(urlsplit(url).path)
        except ValueError:
            return False
        return version is None or int(version[1]) < _SECONDS_SINCE

    def is_final(self, body: bytes) -> bool:
        code = text.decode(body).get("code")
        return isinstance(code, int) and code in _FINAL

    def summary(self, payload: dict[str, Any], picture: Picture) -> Summary:
        return msgspec.structs.replace(super().summary(payload, picture), color=_color(payload))


def is_webhook(host: str, parts: SplitResult) -> bool:
    return host in HOSTS and parts.path.startswith("/api/") and "/webhooks/" in parts.path


def takes_slack(host: str, parts: SplitResult) -> bool:
    """Whether it is Discord's receiver for what Slack understands."""
    return is_webhook(host, parts) and parts.path.rstrip("/").endswith("/slack")


def _color(payload: dict[str, Any]) -> int:
    return GREY if payload.get("test") else PURPLE


def _fields(payload: dict[str, Any]) -> list[dict[str, Any]]:
    facts = text.facts(payload)
    return [{"name": name, "value": text.fit(value, VALUE, _escape), "inline": True} for name, value in facts]


def _escape(char: str) -> str:
    return f"\\{char}" if char in _MARKDOWN else char
