"""Secrets in a config text as dots: others may see this screen. They come back when the text is saved."""

from __future__ import annotations

import re
from dataclasses import dataclass

from itsjustintv_desktop.engine.config.fields import sensitive_names

DOTS = "••••••"
_STRING = r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'"
_NAMES = "|".join(sorted(sensitive_names("secret", "destination", "address", "public address")))
_SECRET = re.compile(
    rf"(?<![\w-])[\"']?(?:{_NAMES}|headers\s*\.\s*[^=\n]+?)[\"']?\s*=\s*(?P<value>{_STRING})",
    re.IGNORECASE | re.DOTALL,
)
_INLINE = re.compile(r"(?<![\w-])[\"']?headers[\"']?\s*=\s*\{[^\n]*", re.IGNORECASE)
_SECTION = re.compile(r"^[ \t]*\[[^\]\n]*headers[\"']?\s*\][^\n]*\n(?P<body>(?:(?![ \t]*\[).*(?:\n|\Z))*)", re.I | re.M)
_VALUE = re.compile(rf"=\s*(?P<value>{_STRING})", re.DOTALL)
_MASK = re.compile(rf'"{DOTS} (?P<number>\d{{1,6}})"')
_OPEN = frozenset({"", "@keyring"})
"""Values that say nothing."""


@dataclass(frozen=True, slots=True)
class Masked:
    """`text` to show; `kept` is what stands behind the dots, in order."""

    text: str
    kept: tuple[str, ...]


def mask(text: str) -> Masked:
    """Every secret, address and header's value becomes numbered dots."""
    spans = {match.span("value") for match in _SECRET.finditer(text)}
    spans |= {match.span() for match in _MASK.finditer(text)}
    for outer in (*_INLINE.finditer(text), *_SECTION.finditer(text)):
        spans |= {match.span("value") for match in _VALUE.finditer(text, *outer.span())}
    parts: list[str] = []
    kept: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start < at or text[start:end].strip("\"'") in _OPEN:
            continue
        kept.append(text[start:end])
        parts += [text[at:start], f'"{DOTS} {len(kept)}"']
        at = end
    return Masked("".join([*parts, text[at:]]), tuple(kept))


def unmask(shown: str, kept: tuple[str, ...]) -> str:
    """What a person made of the shown text, with the secrets in their places again."""

    def back(match: re.Match[str]) -> str:
        number = int(match["number"])
        return kept[number - 1] if 0 < number <= len(kept) else match[0]

    return _MASK.sub(back, shown)
