"""The room that everything else stands on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from itsjustintv_desktop.engine.core import files

CORE = Path(files.__file__).parent
PACKAGE = "itsjustintv_desktop"


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_it_imports_nothing_of_ours_but_itself() -> None:
    found = {
        f"{path.relative_to(CORE)} imports {name}"
        for path in CORE.rglob("*.py")
        for name in imported(path)
        if name.startswith(PACKAGE) and not name.startswith(f"{PACKAGE}.engine.core.")
    }
    assert found == set()


def test_importing_one_part_of_it_loads_no_other() -> None:
    """Reading a config loads no asyncio, aiohttp or structlog; see test_load.py."""
    assert [path.read_text(encoding="utf-8") for path in CORE.rglob("__init__.py")] == ["", ""]
