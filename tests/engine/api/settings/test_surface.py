"""What others may import of the engine is there, and costs nothing until it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from itsjustintv_desktop import engine

ROOT = Path(__file__).parents[4]


def test_every_name_can_be_had_and_types_know_the_same_ones() -> None:
    names = dir(engine)
    for name in names:
        assert getattr(engine, name) is not None, name
    typed = {
        alias.asname
        for node in ast.walk(ast.parse(Path(engine.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert typed == set(names)


def test_an_engine_loads_nothing_of_the_editing_before_it_is_asked() -> None:
    code = (
        "import sys, itsjustintv_desktop.engine.engine\n"
        "print(sorted(name.rpartition('.')[2] for name in sys.modules if '.api.settings.' in name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout.strip() == "['settings']"
