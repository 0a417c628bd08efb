"""Where each key and table of a TOML text stands. Only for text that tomllib has read without complaint.

Reading a config never needs this: it is for the line number of a problem, and for editing in place (edit.py),
which must leave every byte it does not change as it was.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

Path = tuple[str, ...]
Span = tuple[int, int]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})|' r"'''.*?'''(?:'{0,2})|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'", re.DOTALL
)
_OTHER = re.compile(r"[^,\]}#\r\n]+")


def dotted(path: Path) -> str:
    """A path as TOML writes it, with quotes where a part needs them."""
    return ".".join(part if _BARE.fullmatch(part) else quoted(part) for part in path)


def quoted(text: str) -> str:
    """A TOML basic string."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text) + '"'


def split(key: str) -> Path:
    """The parts of a dotted key, the reverse of `dotted`. Raises ValueError if it is not one."""
    path: list[str] = []
    table: object = tomllib.loads(f"{key} = 0")
    while isinstance(table, dict):
        part, table = next(iter(table.items()))
        path.append(part)
    return tuple(path)


def unquoted(token: str) -> str:
    """The text that a quoted TOML string stands for."""
    value = tomllib.loads(f"x = {token}")["x"]
    return str(value)


@dataclass(frozen=True, slots=True)
class Node:
    """One table header or one key with its value. Offsets are into the text."""

    path: Path
    start: int
    """Of the header's bracket or of the key."""
    end: int
    """Just behind the header's bracket or the value."""
    segments: tuple[Span, ...]
    """Of each part of the key as written (a dotted key has several), quotes included."""
    value: Span | None
    """None for a header."""
    inline: Path | None
    """The key whose value is the outermost inline table (or array) around it, if there is one."""

    @property
    def is_header(self) -> bool:
        return self.value is None


class Outline:
    """Every node of a text, in order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.nodes: list[Node] = []
        self._scan()

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    @cached_property
    def _by_path(self) -> dict[Path, Node]:
        found: dict[Path, Node] = {}
        for node in self.nodes:
            found.setdefault(node.path, node)
        return found

    @cached_property
    def _by_prefix(self) -> dict[Path, Node]:
        found: dict[Path, Node] = {}
        for node in self.nodes:
            for length in range(1, len(node.path)):
                found.setdefault(node.path[:length], node)
        return found

    def find(self, path: Path) -> Node | None:
        """The node that defines exactly this path."""
        return self._by_path.get(path)

    def is_table(self, path: Path) -> bool:
        """Whether something is written below this path."""
        return path in self._by_prefix

    def line_at(self, offset: int) -> int:
        """Line number, from 1."""
        return bisect_right(self._starts, offset)

    def line_of(self, path: Path) -> int | None:
        """The line of a key or table; of one that is not written out, the line of the table it belongs in."""
        while path:
            node = self._by_path.get(path) or self._by_prefix.get(path)
            if node is not None:
                return self.line_at(node.start)
            path = path[:-1]
        return None

    def _scan(self) -> None:
        table: Path = ()
        position = self._skip(0)
        while position < len(self.text):
            if self.text[position] == "[":
                position, table = self._header(position)
            else:
                position = self._pair(position, table, None)
            position = self._skip(position)

    def _header(self, start: int) -> tuple[int, Path]:
        brackets = 2 if self.text.startswith("[[", start) else 1
        path, segments, position = self._key(start + brackets)
        end = position + brackets
        self.nodes.append(Node(path, start, end, segments, None, None))
        return end, path

    def _pair(self, start: int, table: Path, inline: Path | None) -> int:
        key, segments, position = self._key(start)
        path = table + key
        begin = self._blank(position + 1)
        place = len(self.nodes)
        end = self._value(begin, path, inline)
        self.nodes.insert(place, Node(path, start, end, segments, (begin, end), inline))
        return end

    def _key(self, position: int) -> tuple[Path, tuple[Span, ...], int]:
        path: list[str] = []
        segments: list[Span] = []
        while True:
            position = self._blank(position)
            found = _STRING.match(self.text, position) or _BARE.match(self.text, position)
            if found is None:
                raise ValueError(f"no key at offset {position}")
            token = found.group()
            path.append(unquoted(token) if token[0] in "\"'" else token)
            segments.append(found.span())
            position = self._blank(found.end())
            if self.text[position] != ".":
                return tuple(path), tuple(segments), position
            position += 1

    def _value(self, position: int, path: Path, inline: Path | None) -> int:
        opening = self.text[position]
        if opening in "[{":
            around = inline or path
            position = self._skip(position + 1)
            while self.text[position] not in "]}":
                read = self._pair if opening == "{" else self._value
                position = self._skip(read(position, path, around))
                if self.text[position] == ",":
                    position = self._skip(position + 1)
            return position + 1
        found = _STRING.match(self.text, position) or _OTHER.match(self.text, position)
        if found is None:
            raise ValueError(f"no value at offset {position}")
        return position + len(found.group().rstrip())

    def _blank(self, position: int) -> int:
        found = _BLANK.match(self.text, position)
        return found.end() if found else position

    def _skip(self, position: int) -> int:
        found = _SKIP.match(self.text, position)
        return found.end() if found else position
