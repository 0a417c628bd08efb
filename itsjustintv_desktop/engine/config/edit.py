"""Changes to the text of a config that leave everything else in it as it was: comments, order, blank lines, quotes.

Working on the text by offsets (lines.py) rather than on a tree keeps every other byte, line ends included, and keeps
comments where they are. (tomlkit puts a key that is added behind the comment that introduces the next table, and
cannot rename a table in its place.) Each change is checked against what it should have done to the data.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from itsjustintv_desktop.engine.config.lines import Node, Outline, Path, dotted, quoted, unquoted

Value = str | int | float | bool | list[str] | tuple[str, ...] | Mapping[str, Any]

_TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'")


class TomlText:
    """A text in the making. Paths are those of the text; the caller maps names of the schema to them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"

    @property
    def data(self) -> dict[str, Any]:
        return tomllib.loads(self.text)

    def get(self, path: Path) -> Any:
        """What the text has at a path, None if nothing."""
        content: Any = self.data
        for part in path:
            if not isinstance(content, dict) or part not in content:
                return None
            content = content[part]
        return content

    def set(self, path: Path, value: Value) -> None:
        """Give a key a value, or a table some keys (those it has beyond them stay). Makes what is not there yet."""
        if isinstance(value, Mapping) and isinstance(self.get(path) or {}, dict):
            self._add_table(path)
            for name, inner in value.items():
                self.set((*path, name), inner)
            return
        before = self.data
        for length in range(1, len(path)):
            if not isinstance(self.get(path[:length]) or {}, dict):
                raise ValueError(f"{dotted(path[:length])} is not a table")
        outline = Outline(self.text)
        node = outline.find(path)
        around = self._inline_around(outline, path)
        if around is not None:
            self._rewrite_inline(around, path, value)
        elif node is not None and node.value is not None:
            self._splice(*node.value, encode(value))
        else:
            self._insert_key(outline, path, value)
        self._verify(before, path, value)

    def remove(self, path: Path) -> bool:
        """Take a key or a table with all in it away. Comments above stay. False if it was not there."""
        if self.get(path) is None:
            return False
        before = self.data
        outline = Outline(self.text)
        around = self._inline_around(outline, path)
        if around is not None:
            self._rewrite_inline(around, path, None)
        else:
            for start, end in reversed(self.ranges(outline, [path])):
                self._splice(start, end, "")
        self._verify(before, path, None)
        return True

    def rename(self, path: Path, name: str) -> None:
        """Give a table another name in the same place. The new name must be free (ValueError)."""
        new = (*path[:-1], name)
        if self.get(new) is not None:
            raise ValueError(f"{dotted(new)} is there already")
        wanted = self.data
        table = wanted
        for part in path[:-1]:
            table = table[part]
        table[name] = table.pop(path[-1])
        depth = len(path) - 1
        for node in reversed(Outline(self.text).nodes):
            implied = len(node.path) - len(node.segments)  # parts of the path that come from what is around
            if node.path[: len(path)] == path and implied <= depth:
                self._splice(*node.segments[depth - implied], dotted((name,)))
        if self.data != wanted:
            raise ValueError(f"{dotted(path)} could not be renamed; edit the file by hand")

    def replace_in_lists(self, paths: Collection[Path], old: str, new: str) -> None:
        """Replace a text in lists, leaving their layout and comments."""
        wanted = set(paths)
        for node in reversed(Outline(self.text).nodes):
            if node.path not in wanted or node.value is None:
                continue
            for token in reversed(list(_TOKEN.finditer(self.text, *node.value))):
                if token.group()[0] != "#" and unquoted(token.group()) == old:
                    self._splice(*token.span(), quoted(new))

    def _splice(self, start: int, end: int, replacement: str) -> None:
        self.text = self.text[:start] + replacement + self.text[end:]

    @staticmethod
    def _inline_around(outline: Outline, path: Path) -> Node | None:
        """The outermost `key = { ... }` that holds, or would hold, this path."""
        for length in range(1, len(path)):
            node = outline.find(path[:length])
            if node is not None and node.value is not None:
                return node
        return None

    def _rewrite_inline(self, around: Node, path: Path, value: Value | None) -> None:
        content = self.get(around.path)
        table = content
        for part in path[len(around.path) : -1]:
            table = table.setdefault(part, {})
        if value is None:
            del table[path[-1]]
        else:
            table[path[-1]] = value
        if around.value is not None:
            self._splice(*around.value, encode(content))

    def _insert_key(self, outline: Outline, path: Path, value: Value) -> None:
        table = path[:-1]
        line = f"{dotted(path[-1:])} = {encode(value)}"
        keys = [node for node in outline.nodes if node.value is not None and node.inline is None]
        by_dots = [
            node
            for node in keys
            if node.path[: len(table)] == table and len(node.path) - len(node.segments) < len(table)
        ]
        if by_dots:
            # The table exists by dotted keys, and TOML then forbids a header: go on in the same manner.
            last = by_dots[-1]
            prefix = len(last.path) - len(last.segments)
            self._insert_line(last.end, f"{dotted(path[prefix:])} = {encode(value)}")
            return
        headers = [node for node in outline.nodes if node.is_header]
        if not table:
            self._insert_top_line([node for node in keys if not headers or node.start < headers[0].start], line)
            return
        header = next((node for node in headers if node.path == table), None)
        if header is None:
            self._add_heading(outline, table)
            self._insert_key(Outline(self.text), path, value)
            return
        self._insert_line(self.end_of_body(outline, header), line)

    def _insert_top_line(self, above: list[Node], line: str) -> None:
        if above:
            self._insert_line(above[-1].end, line)
        else:
            self.text = line + self.newline * 2 + self.text

    @staticmethod
    def end_of_body(outline: Outline, header: Node) -> int:
        """The end of the last key below a header, or of the header itself."""
        end = header.end
        for node in outline.nodes:
            if node.start <= header.start or node.inline:
                continue
            if node.is_header:
                break
            end = node.end
        return end

    def _add_table(self, path: Path) -> None:
        if self.get(path) is not None:
            return
        outline = Outline(self.text)
        around = self._inline_around(outline, path)
        if around is not None:
            self._rewrite_inline(around, path, {})
        else:
            self._add_heading(outline, path)

    def _add_heading(self, outline: Outline, path: Path) -> None:
        """After its relatives where it has some, else at the end of the file; a blank line before it."""
        self.add_block(path, f"[{dotted(path)}]", outline)

    def add_block(self, path: Path, block: str, outline: Outline | None = None) -> None:
        """Whole tables as text, placed like the table at `path`."""
        outline = outline or Outline(self.text)
        heading, family = block, path[:1]
        relatives = [node for node in outline.nodes if node.is_header and node.path[:1] == family]
        if relatives:
            end = self.end_of_line(self.end_of_body(outline, relatives[-1]))
            self._splice(end, end, self.newline * 2 + heading)
        else:
            body = self.text.rstrip("\r\n")
            gap = self.newline * 2 if body else ""
            self.text = body + gap + heading + self.newline

    def _insert_line(self, after: int, line: str) -> None:
        end = self.end_of_line(after)
        indent = re.match(r"[ \t]*", self.text[self.text.rfind("\n", 0, after) + 1 :])
        self._splice(end, end, self.newline + (indent.group() if indent else "") + line)

    def end_of_line(self, offset: int) -> int:
        """The end of the line an offset is in, without its line break."""
        end = self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if self.text[end - 1] == "\r" else end

    def ranges(self, outline: Outline, paths: Collection[Path]) -> list[tuple[int, int]]:
        """The lines that make up these keys, or tables with their sub-tables, in order, none overlapping."""
        found: list[tuple[int, int]] = []
        wanted, lengths = set(paths), sorted({len(path) for path in paths})
        for node in outline.nodes:
            if node.inline or not any(node.path[:length] in wanted for length in lengths):
                continue
            if found and node.start < found[-1][1]:
                continue
            last = self.end_of_body(outline, node) if node.is_header else node.end
            start = self.text.rfind("\n", 0, node.start) + 1
            end = self.text.find("\n", last) + 1 or len(self.text)
            if node.is_header:
                end = self._swallow_blank(start, end)
            found.append((start, end))
        return found

    def _swallow_blank(self, start: int, end: int) -> int:
        """With a table goes the blank line behind it, unless that would glue its neighbours together."""
        blank = re.compile(r"[ \t]*\r?\n").match(self.text, end)
        before = self.text[:start].rstrip(" \t")
        if blank and (not before or before.endswith(("\n\n", "\n\r\n"))):
            return blank.end()
        return end

    def _verify(self, before: dict[str, Any], path: Path, value: Value | None) -> None:
        """The data must now be what it was but for this one change. A text that is not never gets saved."""
        table: Any = before
        for part in path[:-1]:
            table = table.setdefault(part, {})
        if value is None:
            table.pop(path[-1], None)
        else:
            table[path[-1]] = list(value) if isinstance(value, tuple) else value
        if without_empty(self.data) != without_empty(before):
            raise ValueError(f"{dotted(path)} could not be changed; edit the file by hand")


def encode(value: Value) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{dotted((name,))} = {encode(item)}" for name, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(encode(item) for item in value)}]"


def without_empty(content: Any) -> Any:
    """Tables without their empty tables: those come and go with headings."""
    if not isinstance(content, dict):
        return content
    inner = {name: without_empty(item) for name, item in content.items()}
    return {name: item for name, item in inner.items() if item != {}}
