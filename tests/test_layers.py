"""The layers of the program: a room imports only from those above it in this list, and few files name the Engine.

Imports under TYPE_CHECKING and imports inside of functions count. What breaks a rule today is listed in
layers_allowed.txt, and that list may only shrink: `python -m tests.test_layers` takes out what is no longer needed.
"""

from __future__ import annotations

import ast
import functools
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "itsjustintv_desktop"
ALLOWED = Path(__file__).with_name("layers_allowed.txt")

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
    {"assembly": "engine.assembly engine.assembly_api engine.engine"},
    {"engine": "engine"},
    {"desktop": "desktop"},
    {"ui": "ui"},
    {"app": "app"},
    {"demo": "demo"},
    {"commands": "commands cli __main__"},
)
"""From the lowest layer to the highest; rooms of one layer do not import each other. The modules of each by prefix."""

NAMES_THE_ENGINE = {"engine", "engine.engine", "engine.assembly", "app"}


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


@functools.cache
def violations() -> set[str]:
    """One line each, as they stand in the list."""
    known = modules()
    return upward(known) | engine_holders(known) | circles(known)


def test_no_room_imports_from_a_higher_one_and_nobody_else_names_the_engine() -> None:
    new = violations() - set(ALLOWED.read_text(encoding="utf-8").splitlines())
    assert not new, "\n".join(sorted(new))


def test_the_list_of_what_is_allowed_has_nothing_that_is_no_longer_needed() -> None:
    gone = set(ALLOWED.read_text(encoding="utf-8").splitlines()) - violations()
    assert not gone, "run `python -m tests.test_layers`: " + ", ".join(sorted(gone))


if __name__ == "__main__":
    kept = sorted(violations() & set(ALLOWED.read_text(encoding="utf-8").splitlines()))
    ALLOWED.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    sys.stdout.write(f"{len(kept)} allowed\n")
