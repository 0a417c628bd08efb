"""What others may import of the engine is there."""

from __future__ import annotations

import ast
from pathlib import Path

from itsjustintv_desktop import engine


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
