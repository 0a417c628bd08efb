"""Tags of a stream: the filter that announces only streams with one of them, and the language they name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

DEFAULT = "en"
_NAMES = {
    "English": "en",
    "Deutsch": "de",
    "Español": "es",
    "Français": "fr",
    "Italiano": "it",
    "Português": "pt",
    "Русский": "ru",
    "日本語": "ja",
    "한국어": "ko",
    "中文": "zh",
}


def fold(tag: str) -> str:
    """What two tags are compared by: no case, no surrounding space, one form of accented letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag.strip()).casefold())


def passes(tag_filter: Iterable[str], tags: Iterable[str]) -> bool:
    """Whether any of the channel's own tags equals any entry of the filter. An empty filter lets all pass."""
    wanted = {fold(entry) for entry in tag_filter} - {""}
    return not wanted or any(fold(tag) in wanted for tag in tags)


_CODES = {fold(name): code for name, code in _NAMES.items()}


def from_tags(tags: Iterable[str]) -> str | None:
    """ISO 639-1 code of the first tag that names a language in that language itself."""
    return next((_CODES[key] for key in map(fold, tags) if key in _CODES), None)


def language(tags: Iterable[str], channel_language: str | None) -> str:
    """ISO 639-1 code, or what Twitch says for a channel outside of that list ("other", "asl", "zh-hk")."""
    return from_tags(tags) or channel_language or DEFAULT
