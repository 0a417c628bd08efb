"""The sentences that the engine can say, read out of its source: f-strings with `{}` for what they are filled with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "itsjustintv_desktop" / "engine"
_GLUED = re.compile(r"(?<=[.!?])(\{\})+$")
"""A hole for one more sentence, or for nothing."""
_END = re.compile(r"(?<=[.!?]) +")


@cache
def templates() -> frozenset[str]:
    """Whole texts and each sentence of theirs."""
    found: set[str] = set()
    for path in sorted(ENGINE.rglob("*.py")):
        for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            for each in (text.strip(), *_END.split(text.strip())):
                found |= {each, each.removeprefix("{} "), _GLUED.sub("", each)}
    found |= {re.sub(r"\{\w+\}", "{}", text) for text in found}  # for str.format
    return frozenset(text for text in found if any(map(str.isalpha, text)))


def texts_of(file: str) -> list[str]:
    """The texts of one file below the engine, without what documents it and what it logs."""
    tree = ast.parse((ENGINE / file).read_text(encoding="utf-8"))
    documents = {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    logged = {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_log.")
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
    return [text.strip() for text in _texts(tree) if text not in documents | logged]


def _texts(tree: ast.AST) -> Iterator[str]:
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value
