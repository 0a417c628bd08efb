"""The layers of the program: a room imports only from those above it in this list, and few files name the Engine.

Imports under TYPE_CHECKING and inside functions count as well.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "itsjustintv_desktop"

LAYERS = (
    {"package": ""},
    {"simulator": "simulator"},
    {"core": "engine.core"},
    {"redaction": "engine.redaction"},
    {"logs": "engine.logs"},
    {"formats": "engine.delivery.formats"},
    {"config": "engine.config"},
    {"storage": "engine.storage"},
    {"instrumentation": "engine.instrumentation"},
    {"twitch": "engine.twitch", "delivery": "engine.delivery", "announce": "engine.announce"},
    {"ingress": "engine.ingress"},
    {"monitoring": "engine.monitoring"},
    {"runtime": "engine.runtime"},
    {"api": "engine.api"},
    {"control": "engine.control"},
    {"import_go": "engine.import_go"},
    {"assembly": "engine.assembly engine.assembly_api engine.engine engine.running"},
    {"engine": "engine"},
    {"desktop": "desktop"},
    {"ui": "ui"},
    {"app": "app"},
    {"demo": "demo"},
    {"commands": "commands cli __main__"},
)
"""From the lowest layer to the highest; rooms of one layer do not import each other. The modules of each by prefix."""

NAMES_THE_ENGINE = {"engine.engine", "engine.running", "engine.assembly"}


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name below it, "" for the package itself."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts)
        name = name.removesuffix("__init__").removesuffix(".")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def place(module: str) -> tuple[int, str]:
    """Its layer and its room: the longest prefix decides."""
    found = [
        (len(prefix), number, room)
        for number, layer in enumerate(LAYERS)
        for room, prefixes in layer.items()
        for prefix in prefixes.split() or [""]
        if prefix == module or (prefix and module.startswith(f"{prefix}."))
    ]
    assert found, f"{module} belongs to no room: add it to LAYERS"
    _, number, room = max(found)
    return number, room


def imports(tree: ast.Module, known: dict[str, ast.Module]) -> set[str]:
    """The modules of the package that this one imports, wherever in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names.add(full if full.partition(".")[2] in known else node.module)
    return {name.partition(".")[2] for name in names if name.partition(".")[0] == PACKAGE}


def upward(known: dict[str, ast.Module]) -> set[str]:
    """The imports that go to a higher layer, or to another room of the same one."""
    found = set()
    for name, tree in known.items():
        number, room = place(name)
        for other in imports(tree, known):
            higher, where = place(other)
            if higher > number or (higher == number and where != room):
                found.add(f"{name} imports {other}")
    return found


def engine_holders(known: dict[str, ast.Module]) -> set[str]:
    """The modules that name the Engine without being allowed to."""
    found = set()
    for name, tree in known.items():
        named = any(
            (isinstance(node, ast.Name) and node.id == "Engine")
            or (isinstance(node, ast.Attribute) and node.attr == "Engine")
            or (isinstance(node, ast.alias) and node.name == "Engine")
            for node in ast.walk(tree)
        )
        if named and name not in NAMES_THE_ENGINE:
            found.add(f"{name} names Engine")
    return found


def circles(known: dict[str, ast.Module]) -> set[str]:
    """The modules that import themselves by way of others."""
    graph = {name: imports(tree, known) & known.keys() - {name} for name, tree in known.items()}
    reached: dict[str, set[str]] = {}
    for name in graph:
        seen: set[str] = set()
        todo = list(graph[name])
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo.extend(graph[one])
        reached[name] = seen
    return {f"{name} is in a circle" for name in graph if name in reached[name]}


@pytest.mark.parametrize("rule", [upward, engine_holders, circles], ids=["layers", "engine", "circles"])
def test_the_modules_keep_the_rules(rule: Callable[[dict[str, ast.Module]], set[str]]) -> None:
    broken = rule(modules())
    assert not broken, "\n".join(sorted(broken))
