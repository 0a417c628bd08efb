"""The language of a stream: from its tags, else the channel's, else English (as the Go service does)."""

from __future__ import annotations

from collections.abc import Iterable

from itsjustintv_desktop.engine.core.tags import fold

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
_CODES = {fold(name): code for name, code in _NAMES.items()}


def from_tags(tags: Iterable[str]) -> str | None:
    """ISO 639-1 code of the first tag that names a language in that language itself."""
    return next((_CODES[key] for key in map(fold, tags) if key in _CODES), None)


def language(tags: Iterable[str], channel_language: str | None) -> str:
    """ISO 639-1 code, or what Twitch says for a channel outside of that list ("other", "asl", "zh-hk")."""
    return from_tags(tags) or channel_language or DEFAULT
