"""`python -m tools.links`: every link of the pages to another page, a heading or a picture leads somewhere.

Looks at README, CONTRIBUTING, CHANGELOG and docs/, asks no network. Also: each page can be reached from README.md.
Exit code 1 with one line for each fault.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[1]
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
_FENCE = re.compile(r"(?ms)^( *)(```+|~~~+).*?^\1\2[ \t]*$")
_CODE = re.compile(r"(`+)(?:.(?!\1))*?.\1", re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|!?\[[^\]]*\]\([^)]*\))*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HEADING = re.compile(r"(?m)^#{1,6}[ \t]+(.+?)[ \t]*#*$")
_NAME = re.compile(r"<a\s+(?:name|id)=\"([^\"]+)\"")
_ELSEWHERE = re.compile(r"(?i)^[a-z][a-z0-9+.-]*:")
_HTML = re.compile(r"(?i)<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\"")


def pages(root: Path) -> list[Path]:
    """What is looked at: those at the top that exist, and every page of docs/."""
    return [root / name for name in TOP if (root / name).is_file()] + sorted((root / "docs").rglob("*.md"))


def links(text: str) -> Iterator[str]:
    """Targets of all links and pictures outside of code, in order."""
    plain = _CODE.sub("`code`", _FENCE.sub("", text))
    for found in _LINK.finditer(plain):
        yield found.group(1)
        inner = found.group(0)[1:]
        yield from (one.group(1) for one in _LINK.finditer(inner))  # a picture that is a link
    yield from (found.group(1) for found in _HTML.finditer(plain))


def anchors(text: str) -> set[str]:
    """Names of the headings as GitHub makes them, the second of a name with "-1"; and names set by hand."""
    found: set[str] = set()
    plain = _FENCE.sub("", text)
    for heading in _HEADING.finditer(plain):
        base = _anchor(heading.group(1))
        name, number = base, 0
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found.add(name)
    return found | set(_NAME.findall(plain))


def _anchor(heading: str) -> str:
    words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    kept = (
        letter
        for letter in words.strip().lower()
        if letter in " -_" or unicodedata.category(letter)[0] in "LMN" or unicodedata.category(letter) == "Pc"
    )
    return "".join(kept).replace(" ", "-")


def faults(root: Path = ROOT) -> list[str]:
    """One sentence for each link that leads nowhere, and each page that nobody finds."""
    root = root.resolve()
    texts = {page: page.read_text(encoding="utf-8") for page in pages(root)}
    found: list[str] = []
    leads: dict[Path, set[Path]] = {}
    for page, text in texts.items():
        for target in links(text):
            if _ELSEWHERE.match(target):
                continue
            path, _, anchor = unquote(target).partition("#")
            file = (page.parent / path).resolve() if path else page
            leads.setdefault(page, set()).add(file)
            name = page.relative_to(root).as_posix()
            if not file.exists():
                found.append(f"{name}: {target} does not exist")
            elif not file.is_relative_to(root):
                found.append(f"{name}: {target} lies outside of the repository")
            elif anchor and file.suffix == ".md" and anchor not in anchors(texts.get(file) or file.read_text("utf-8")):
                found.append(f"{name}: {target} names no heading of {file.name}")
    return found + [
        f"{page.relative_to(root).as_posix()}: no way leads there from README.md" for page in _lost(root, texts, leads)
    ]


def _lost(root: Path, texts: dict[Path, str], leads: dict[Path, set[Path]]) -> list[Path]:
    reached: set[Path] = set()
    waiting = [root / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += leads.get(page, ())
    return [page for page in texts if page not in reached]


def main() -> int:
    told = faults()
    for line in told:
        print(line, file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
