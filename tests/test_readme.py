"""The README keeps its word: every setting, every command, every linked page."""

from __future__ import annotations

import re
from pathlib import Path

from itsjustintv_desktop.cli import cli
from itsjustintv_desktop.engine.config.kinds import fields, tables
from itsjustintv_desktop.engine.config.schema import Destination, Streamer

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def documented(table: str) -> set[str]:
    rows = [line for line in README.splitlines() if line.startswith(f"| `[{table}]`")]
    return {key for row in rows for key in re.findall(r"`([a-z_]+)`", row.split("|")[1])}


def test_every_key_of_every_table_is_in_the_readme() -> None:
    for path, schema in tables().items():
        name = ".".join(path)
        if not name or schema in {Streamer, Destination}:
            continue
        scalars = {key for key in fields(schema) if (*path, key) not in tables()}
        assert documented(name) == scalars, name


def test_every_key_of_streamers_and_destinations_is_in_the_readme() -> None:
    assert documented("streamers.KEY") == set(fields(Streamer)) - {"key"}
    assert documented("destinations.NAME") == set(fields(Destination)) - {"name", "format_guessed"}


def test_every_command_is_in_the_readme() -> None:
    for name in cli.commands or cli.list_commands(None):  # type: ignore[arg-type]
        assert f"`{name}" in README


def test_every_linked_file_exists() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
