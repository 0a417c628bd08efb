"""The map in docs/architecture.md: every place on it is there, and no folder of the program is left out."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_layers import LAYERS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "itsjustintv_desktop"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def places() -> set[Path]:
    """What the first column names. A name without a folder lies beside the one before it."""
    found: set[Path] = set()
    for row in re.findall(r"(?m)^\| (`[^|]+) \|", section("The map")):
        beside = PACKAGE
        for name in re.findall(r"`([^`]+)`", row):
            for one in spread(name):
                at = [folder / one for folder in (PACKAGE, ROOT, beside) if (folder / one).exists()]
                assert at, f"{one} does not exist"
                found.add(at[0])
                beside = at[0].parent
    return found


def spread(name: str) -> list[str]:
    """`a/{b,c}/` means a/b/ and a/c/."""
    inside = re.search(r"\{(.*)\}", name)
    return [name] if inside is None else [name.replace(inside.group(0), one) for one in inside.group(1).split(",")]


def test_every_place_on_the_map_exists_and_no_folder_is_left_out() -> None:
    named = places()
    assert len(named) > 40
    for folder in sorted(path.parent for path in PACKAGE.glob("*/__init__.py")):
        assert folder in named or any(folder in one.parents for one in named), f"the map lacks {folder.name}/"
    for part in ("engine", "ui"):
        for folder in sorted(path.parent for path in (PACKAGE / part).glob("*/__init__.py")):
            assert folder in named or any(folder in one.parents for one in named), (
                f"the map lacks {part}/{folder.name}/"
            )
    for name in ("benchmarks", "installers", "requirements", "resources", "tests", "tools"):
        assert ROOT / name in named


def test_files_that_the_text_names_exist() -> None:
    for text in (PAGE, CONTRIBUTING):
        for name in re.findall(r"`([a-z_]+/[a-z_/]+\.(?:py|json|txt))`", text):
            folders = (ROOT, PACKAGE, PACKAGE / "engine")
            assert any((folder / name).exists() for folder in folders), name


def test_who_wants_to_change_something_is_sent_to_what_exists() -> None:
    rows = re.findall(r"(?m)^\| (.+) \| (.+) \|$", section("I want to change X"))[2:]
    assert len(rows) >= 20
    for _, cell in rows:
        named = re.findall(r"`([a-z_/]+(?:/|\.py))`", cell)
        assert named, cell
        for name in named:
            assert any((folder / name).exists() for folder in (PACKAGE, ROOT)), name


def test_the_path_of_an_event_is_short_and_exists() -> None:
    rows = re.findall(r"(?m)^\| \d+ \| .+ \| `(.+)` \| `(.+)` \|$", section("The path of one event"))
    assert 8 <= len(rows) <= 12
    for file, function in rows:
        text = (PACKAGE / "engine" / file).read_text(encoding="utf-8")
        owner, _, method = function.rpartition(".")
        assert re.search(rf"(?m)^ *(?:async )?(?:def|class) {method}\b", text), function
        assert not owner or f"class {owner}" in text, function


def test_the_diagram_names_every_room_of_the_layers() -> None:
    diagram = section("Layers")
    for room in {room for layer in LAYERS for room in layer} - {"simulator", "instrumentation", "assembly", "engine"}:
        assert re.search(rf"\b{room}\b", PAGE), room
    assert "```mermaid" in diagram
