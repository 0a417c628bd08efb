"""Two people changed one config: put both changes together where they touch different tables."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from typing import Any

from itsjustintv_desktop.engine.config.document import TomlDocument
from itsjustintv_desktop.engine.config.notation import Path

_NAMED = frozenset({"streamers", "destinations"})

Region = tuple[int, int, list[str]]
"""Lines `start` to `end` of the base became these."""


def units(data: Mapping[str, Any]) -> dict[Path, Any]:
    """What counts as one thing: a table, a streamer, a destination, a key that stands outside of tables."""
    found: dict[Path, Any] = {}
    for name, content in data.items():
        if name.lower() in _NAMED and isinstance(content, Mapping):
            found |= {(name, inner): value for inner, value in content.items()}
        else:
            found[(name,)] = content
    return found


def touched(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[Path]:
    """The units that differ."""
    old, new = units(before), units(after)
    return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


def merge(base: str, ours: str, theirs: str) -> str | None:
    """The text with both changes, comments included. None: both changed the same table, each in its own way.

    All three must be TOML. A comment that only one side changed stays as that side has it where the lines allow.
    """
    ours, theirs, base = (text.replace("\r\n", "\n") for text in (ours, theirs, base))
    before, mine, other = (tomllib.loads(text) for text in (base, ours, theirs))
    wanted, own = units(other), units(mine)
    for path in touched(before, mine):
        if path in touched(before, other) and own.get(path) != wanted.get(path):
            return None
    text = _by_lines(base, ours, theirs)
    changed = touched(before, mine)
    expected = {path: (own if path in changed else wanted).get(path) for path in own.keys() | wanted.keys()}
    expected = {path: value for path, value in expected.items() if value is not None}
    if text is not None and _reads_as(text, expected):
        return text
    text = _by_keys(theirs, own, changed)
    return text if text is not None and _reads_as(text, expected) else None


def _reads_as(text: str, expected: Mapping[Path, Any]) -> bool:
    try:
        found = units(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return False
    return {path: value for path, value in found.items() if value != {}} == {
        path: value for path, value in expected.items() if value != {}
    }


def _by_lines(base: str, ours: str, theirs: str) -> str | None:
    """As version control merges. None where both changed the same lines."""
    lines = base.splitlines(keepends=True)
    regions = sorted(
        [*_regions(lines, theirs), *(one for one in _regions(lines, ours) if one not in _regions(lines, theirs))],
        key=lambda region: region[:2],
    )
    merged: list[str] = []
    position = 0
    for start, end, new in regions:
        if start < position:
            return None
        merged += lines[position:start] + new
        position = end
    return "".join(merged + lines[position:])


def _regions(lines: list[str], text: str) -> list[Region]:
    new = text.splitlines(keepends=True)
    found = difflib.SequenceMatcher(None, lines, new).get_opcodes()
    return [(start, end, new[first:last]) for tag, start, end, first, last in found if tag != "equal"]


def _by_keys(theirs: str, own: Mapping[Path, Any], changed: set[Path]) -> str | None:
    """Our tables put into their text one by one."""
    toml = TomlDocument(theirs)
    try:
        for path in sorted(changed):
            if path not in own:
                toml.remove(path)
                continue
            current = toml.get(path)
            if isinstance(own[path], Mapping) and isinstance(current, Mapping):
                for name in current.keys() - own[path].keys():
                    toml.remove((*path, name))
            toml.set(path, own[path])
    except ValueError:
        return None
    return toml.text
