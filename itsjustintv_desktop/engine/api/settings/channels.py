"""Channels out of whatever a person pastes: names, links, lists, a CSV or JSON export of "channels I follow"."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from itsjustintv_desktop.engine.config.validators import is_login
from itsjustintv_desktop.engine.config.values import is_harmless

MOST = 5000
"""Names taken from one text."""
_LONGEST = 4 * 1024 * 1024
_MOST_IGNORED = 200

_LOGIN_COLUMNS = (
    "login", "user_login", "broadcaster_login", "to_login", "channel_login", "username", "user_name", "to_name",
    "channel", "channel_name", "streamer", "streamer_login", "name", "display_name", "url", "link", "channel_url",
)  # fmt: skip
_ID_COLUMNS = ("user_id", "broadcaster_id", "to_id", "channel_id", "twitch_id", "id")
_LISTS = ("data", "follows", "channels", "streamers", "following", "items")
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
_DELIMITERS = (",", ";", "\t", "|")


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
    words = _of_json(text)
    if words is None:
        words = _of_table(text)
    if words is None:
        words = _SEPARATORS.split(_BULLET.sub("", text))
    return _gathered(words)


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


def _of_table(text: str) -> list[str] | None:
    """The cells that name channels, if the first line is a heading of columns; else None."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    for delimiter in [one for one in _DELIMITERS if one in first] or [","]:
        heading = [_column(cell) for cell in first.split(delimiter)]
        logins = [heading.index(name) for name in _LOGIN_COLUMNS if name in heading]
        ids = [heading.index(name) for name in _ID_COLUMNS if name in heading]
        known = len(logins) + len(ids)
        # One word alone may be a channel of that name; a heading has another line below it.
        if not known or (len(heading) > 1 and known * 3 < len(heading)):
            continue
        if not text.strip()[len(first.strip()) :].strip():
            return None
        return _cells(text[text.index(first) + len(first) :], delimiter, logins, ids)
    return None


def _cells(body: str, delimiter: str, logins: list[int], ids: list[int]) -> list[str]:
    found: list[str] = []
    try:
        for row in csv.reader(io.StringIO(body), delimiter=delimiter):
            cells = [row[index].strip() for index in (*logins, *ids) if index < len(row) and row[index].strip()]
            good = next((cell for cell in cells if _name(cell)[0]), None)
            if good is not None:
                found.append(good)
            elif cells:
                found.append(cells[0])
    except csv.Error:  # a field without end: what came before it is taken
        return found
    return found


def _column(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().strip(_AROUND).strip().lower())


def _of_json(text: str) -> list[str] | None:
    """Names out of a JSON list, of texts or of objects; None if it is no JSON."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, dict):
        content = next((content[name] for name in _LISTS if isinstance(content.get(name), list)), [content])
    return [_of_entry(entry) for entry in content] if isinstance(content, list) else None


def _of_entry(entry: Any) -> str:
    if isinstance(entry, dict):
        by_column = {_column(str(name)): value for name, value in entry.items()}
        cells = [str(by_column[name]) for name in (*_LOGIN_COLUMNS, *_ID_COLUMNS) if by_column.get(name)]
        return next((cell for cell in cells if _name(cell)[0]), cells[0] if cells else "")
    return str(entry) if isinstance(entry, str | int) else ""


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
