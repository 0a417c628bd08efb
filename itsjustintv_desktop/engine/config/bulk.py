"""Many changes to a config text at once: it is read twice in all, not several times a change.

A thousand streamers are added, switched or removed in well under a second this way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from itsjustintv_desktop.engine.config.edit import TomlText, Value, encode, without_empty
from itsjustintv_desktop.engine.config.lines import Outline, Path, dotted


def add_tables(toml: TomlText, parent: Path, tables: Mapping[str, Mapping[str, Value]]) -> None:
    """Each as a table with a heading, behind its relatives. Raises ValueError if the text does not allow it."""
    if not tables:
        return
    expected = toml.data
    around = _table_at(expected, parent)
    for name, content in tables.items():
        around[name] = _plain(content)
    blocks = [
        toml.newline.join([f"[{dotted((*parent, name))}]", *(f"{dotted((key,))} = {encode(value)}" for key, value in
                           content.items())])
        for name, content in tables.items()
    ]  # fmt: skip
    toml.add_block(parent, (toml.newline * 2).join(blocks))
    _expect(toml, expected, parent)


def set_many(toml: TomlText, values: Mapping[Path, Value]) -> None:
    """Keys that are written out as such are changed in one go, the others one by one. Raises ValueError."""
    expected = toml.data
    for path, value in values.items():
        _table_at(expected, path[:-1])[path[-1]] = _plain(value)
    outline = Outline(toml.text)
    rest: dict[Path, Value] = {}
    splices: list[tuple[int, int, str]] = []
    for path, value in values.items():
        node = outline.find(path)
        header = outline.find(path[:-1])
        if node is not None and node.value is not None and node.inline is None:
            splices.append((*node.value, encode(value)))
        elif node is None and header is not None and header.is_header and not outline.is_table(path):
            end = toml.end_of_line(toml.end_of_body(outline, header))
            splices.append((end, end, f"{toml.newline}{dotted(path[-1:])} = {encode(value)}"))
        else:
            rest[path] = value
    _splice(toml, splices)
    for path, value in rest.items():
        toml.set(path, value)
    _expect(toml, expected, ())


def remove_many(toml: TomlText, paths: Collection[Path]) -> None:
    """Keys and tables with all in them; what is not there is fine. Raises ValueError."""
    expected = toml.data
    outline = Outline(toml.text)
    wanted = {path for path in paths if _has(expected, path)}
    inline = {node.path for node in outline.nodes if node.inline is not None}
    rest = sorted(wanted & inline)
    spans = [(start, end, "") for start, end in toml.ranges(outline, wanted - set(rest))]
    for path in wanted:
        _table_at(expected, path[:-1]).pop(path[-1], None)
    _splice(toml, spans)
    for path in rest:
        toml.remove(path)
    _expect(toml, expected, ())


def _has(data: Mapping[str, Any], path: Path) -> bool:
    """Whether the data has something at a path."""
    content: Any = data
    for part in path:
        if not isinstance(content, Mapping) or part not in content:
            return False
        content = content[part]
    return True


def _splice(toml: TomlText, splices: list[tuple[int, int, str]]) -> None:
    """Pieces of the text exchanged, none overlapping; those at one place keep their order."""
    pieces: list[str] = []
    position = 0
    for start, end, new in sorted(splices, key=lambda one: one[:2]):
        pieces += (toml.text[position:start], new)
        position = max(position, end)
    toml.text = "".join([*pieces, toml.text[position:]])


def _table_at(data: dict[str, Any], path: Path) -> dict[str, Any]:
    table = data
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ValueError(f"{dotted(path)} is not a table")
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _expect(toml: TomlText, expected: dict[str, Any], path: Path) -> None:
    """The data must be exactly that. A text that is not never gets saved."""
    try:
        same = without_empty(toml.data) == without_empty(expected)
    except ValueError:
        same = False
    if not same:
        raise ValueError(f"{dotted(path) or 'the text'} could not be changed; edit the file by hand")
