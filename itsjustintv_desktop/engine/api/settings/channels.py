"""Channels out of what a person pastes: names, user ids and links, one per line or separated by commas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

import msgspec

from itsjustintv_desktop.engine.config.validators import is_login
from itsjustintv_desktop.engine.config.values import is_harmless

MOST = 5000
"""Names taken from one text."""
_LONGEST = 4 * 1024 * 1024
_MOST_IGNORED = 200

_NO_CHANNELS = frozenset(
    {
        "about", "bits", "blog", "broadcast", "clips", "collections", "dashboard", "directory", "downloads", "drops",
        "event", "friends", "inventory", "jobs", "login", "logout", "p", "partners", "payments", "prime", "search",
        "settings", "signup", "store", "subscriptions", "team", "turbo", "videos", "wallet",
    }
)  # fmt: skip
"""First parts of addresses at twitch.tv that are no channel."""
_BEFORE_NAME = frozenset({"popout", "moderator", "u", "embed", "m"})
_BULLET = re.compile(r"^[ \t]*(?:[-*\u2022\u00b7]|\d{1,4}[.)])[ \t]+", re.MULTILINE)
_AROUND = "\"'`\u201c\u201d\u201e\u2018\u2019<>()[]{}*.,;:!?"
_SEPARATORS = re.compile(r"[\s,;|]+")
_JSON = re.compile(r"""\s*[\[{]\s*["\[{]""")
_CELLS = re.compile(r"[,;\t|]")
_HEADING = re.compile(
    r"no|id|login|user|user ?name|name|channel|streamer|url|link|date|followers?"
    r"|.+[ _-](?:id|login|name|at|on|url|date)"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?!\d).*")


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """What was not taken, and why. `text` is "..." where it may be a secret that was pasted by mistake."""

    text: str
    reason: str


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """`names`: logins in lower case and user ids (digits alone), each once, in the order of the text."""

    names: tuple[str, ...]
    ignored: tuple[Ignored, ...] = ()


def parse_channels(text: str) -> Parsed:
    """Every channel that a text names. Never raises, whatever it is."""
    text = text.removeprefix("\ufeff").replace("\0", " ")
    if len(text) > _LONGEST:
        return Parsed(names=(), ignored=(Ignored(text="...", reason="the text is too long; paste a part of it"),))
    if _is_json_or_table(text):
        reason = "JSON and tables (CSV) cannot be read; paste names or links, one per line or separated by commas"
        return Parsed(names=(), ignored=(Ignored(text="...", reason=reason),))
    return _gathered(_SEPARATORS.split(_BULLET.sub("", text)))


def _gathered(words: Iterable[str]) -> Parsed:
    names: dict[str, None] = {}
    ignored: list[Ignored] = []
    for word in words:
        name, reason = _name(word)
        if name and name in names:
            reason = "it is named twice"
        elif name and len(names) >= MOST:
            reason = f"only {MOST} are taken at a time"
        elif name:
            names[name] = None
        if reason and len(ignored) < _MOST_IGNORED:
            ignored.append(Ignored(text=_shown(word), reason=reason))
    return Parsed(names=tuple(names), ignored=tuple(ignored))


def _name(word: str) -> tuple[str, str]:
    """A login or a user id, or why it is none; both "" for nothing at all."""
    word = word.strip().strip(_AROUND).strip()
    if not word:
        return "", ""
    if "/" in word:
        return _of_address(word)
    name = word.lstrip("@#").lower()
    if is_login(name):
        return name, ""
    return "", "it is no Twitch login (up to 25 letters, digits and _)"


def _of_address(word: str) -> tuple[str, str]:
    try:
        parts = urlsplit(word if "://" in word else f"https://{word}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", "it is no address that can be read"
    if host != "twitch.tv" and not host.endswith(".twitch.tv"):
        return "", "it is no address of a channel at twitch.tv"
    path = [part for part in parts.path.split("/") if part]
    if path and path[0].lower() in _BEFORE_NAME:
        path = path[1:]
    name = path[0].lower() if path else parse_qs(parts.query).get("channel", [""])[0].lower()
    if not name:
        return "", "the address names no channel"
    if name in _NO_CHANNELS:
        return "", "it is a page of Twitch, no channel"
    return (name, "") if is_login(name) else ("", "the address names no channel")


def _is_json_or_table(text: str) -> bool:
    """Whether it is an export: JSON, a heading of columns with rows below it, or rows with a date."""
    if _JSON.match(text):
        return True
    rows = [[cell.strip().strip("\"'").lower() for cell in _CELLS.split(line)] for line in text.strip().splitlines()]
    heading = rows[0] if len(rows) > 1 else []
    if sum(_HEADING.fullmatch(cell) is not None for cell in heading) > 1:
        return True
    return any(len(cells) > 1 and any(_DATE.fullmatch(cell) for cell in cells) for cells in rows)


def _shown(word: str) -> str:
    """A word that was not taken, fit to be shown back."""
    word = " ".join(word.split()).strip(_AROUND)
    if "/" in word:
        try:
            host = urlsplit(word if "://" in word else f"https://{word}").hostname or ""
        except ValueError:
            host = ""
        return f"{host}/..." if host and host.isprintable() and len(host) < 60 else "..."
    return word if word.isprintable() and (is_harmless(word) or len(word) < 25) else "..."
