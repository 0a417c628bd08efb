"""What CHANGELOG.md says of a version. Its headings: `## 1.2.3 (2026-12-01)`, or `(not released)` until then."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from installers import ROOT

_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<when>[^)]+)\)$")


@dataclass(frozen=True, slots=True)
class Release:
    """One version. `date` is None while it is not released; `notes` is Markdown without the heading."""

    version: str
    date: dt.date | None
    notes: str


def releases(text: str) -> list[Release]:
    """All of them, in the file's order: newest first. Raises ValueError for a heading that cannot be read."""
    found: list[tuple[str, dt.date | None, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("## "):
            heading = _HEADING.match(line)
            if heading is None:
                raise ValueError(f"no version and date: {line!r}")
            when = heading["when"]
            found.append((heading["version"], None if when == "not released" else dt.date.fromisoformat(when), []))
        elif found:
            found[-1][2].append(line)
    return [Release(version, date, "\n".join(lines).strip() + "\n") for version, date, lines in found]


def of(version: str, path: Path = ROOT / "CHANGELOG.md") -> Release:
    """That version's. Raises LookupError when the file does not name it."""
    for release in releases(path.read_text(encoding="utf-8")):
        if release.version == version:
            return release
    raise LookupError(f"{path.name} has no heading for {version}")
