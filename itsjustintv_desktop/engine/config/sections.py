"""A TOML text as its headings with the lines below each, in the order of the text, on tomlkit's items.

tomlkit nests tables by name, and what its own methods add lands behind the comment that introduces the next table.
The items of one section give back every byte they were read from, though; so each is read alone, and they are edited
in the list of sections: no place in it depends on how tables are named or ordered. (Of a whole text, tomlkit 0.15.2
indents headings of three parts twice, and moves a table out of order to the array of tables it belongs to.)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

import tomlkit
from tomlkit.container import Container
from tomlkit.items import AoT, Array, DottedKey, InlineTable, Item, Key, SingleKey, Table, Trivia, Whitespace

from itsjustintv_desktop.engine.config.line_numbers import LineNumbers
from itsjustintv_desktop.engine.config.notation import Path, dotted, quoted

Entries = list[tuple[Key | None, Item]]
"""Keys with their values, and comments and blank lines without a key. `a.b = 1` is a key `a` with a Table."""

_BLANK_LINE = re.compile(r"[ \t]*\r?\n")


class Section:
    """A heading with the lines below it. The first of a text has no heading, and an empty path."""

    def __init__(self, path: Path, table: Table | None = None, *, in_array: bool = False) -> None:
        self.path = path
        self.table = table
        self.in_array = in_array
        """It is, or is below, a [[heading]]: no path leads there."""
        self._whole = Container(True)
        if table is not None:
            self._whole.body.append((SingleKey("heading"), table))
        self.body: Entries = self._whole.body if table is None else table.value.body

    def as_string(self) -> str:
        return self._whole.as_string()

    @property
    def end(self) -> int:
        """Behind the last key. What follows introduces the next heading, or ends the text."""
        return next((number for number in range(len(self.body), 0, -1) if self.body[number - 1][0] is not None), 0)

    @property
    def line(self) -> Trivia | None:
        """Of the line before `end`: the last key, or the heading."""
        if self.end:
            return _line_of(self.body[self.end - 1][1])
        return self.table.trivia if self.table is not None else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands. `path` is shorter than what was looked for if that is, or would be, in an inline table."""

    entries: Entries
    index: int
    path: Path

    @property
    def item(self) -> Item:
        return self.entries[self.index][1]


class Sections:
    """Every section of a text. Raises ValueError for a text that tomlkit cannot give back as it is."""

    def __init__(self, text: str, newline: str) -> None:
        self._newline = newline
        self._all = [Section(())]
        self._arrays: set[Path] = set()
        starts = [0, *LineNumbers(text).headings, len(text)]
        for start, end in pairwise(starts):
            self._list(tomlkit.parse(text[start:end]).body, ())
        self._index()
        self.check(text)

    def check(self, text: str) -> None:
        """Raises ValueError unless this is the text, byte for byte: a change to it then changes nothing else."""
        if self.as_string() != text:
            raise ValueError("the layout of the text could not be kept; edit the file by hand")

    def as_string(self) -> str:
        return "".join(section.as_string() for section in self._all)

    def find(self, path: Path, *, through_inline: bool = False) -> Place | None:
        """The key at a path, or the inline table around it; with `through_inline`, the key within that."""
        for depth in range(len(path) - 1, -1, -1):
            section = self._by_path.get(path[:depth])
            found = _find(section.body, path, depth, through_inline) if section is not None else None
            if found is not None:
                return found
        return None

    def replace(self, place: Place, value: str) -> None:
        """Give a key another value, written as TOML. Its line stays otherwise as it is."""
        item, line = tomlkit.value(value), place.item.trivia
        _take_over(item.trivia, line)
        place.entries[place.index] = (place.entries[place.index][0], item)

    def insert(self, path: Path, value: str) -> None:
        """A key that is not there yet, behind the others of its table; the table is made if there is none."""
        key, item = tomlkit.key_value(f"{dotted(path[-1:])} = {value}")
        table = path[:-1]
        by_dots = [
            entries
            for depth in range(len(table))
            if (section := self._by_path.get(table[:depth])) is not None
            for entries in _dotted_tables(section.body, table, depth)
        ]
        if by_dots:
            # The table exists by dotted keys, and TOML then forbids a heading: go on in the same manner.
            entries, end = by_dots[-1], len(by_dots[-1])
            line: Trivia | None = _line_of(entries[-1][1])
        else:
            section = self._by_path.get(table) or self.add(table)
            entries, line, end = section.body, section.line, section.end
        if line is None:  # the first key of the text goes above everything
            item.trivia.trail = self._newline
            entries[:0] = [(key, item), (None, Whitespace(self._newline))]
            return
        item.trivia.indent = line.indent
        self._break_line(line, item.trivia)
        entries.insert(end, (key, item))

    def add(self, path: Path) -> Section:
        """A heading behind its relatives, where it has some, else at the end of the text; a blank line before it."""
        heading = Trivia()
        section = Section(path, Table(Container(True), heading, False, False, path[-1], dotted(path)))
        numbers = range(len(self._all) - 1, -1, -1)
        relative = next((number for number in numbers if self._all[number].path[:1] == path[:1]), None)
        before = self._all[-1 if relative is None else relative]
        if relative is None:
            while before.body and isinstance(before.body[-1][1], Whitespace):
                before.body.pop()
        # What introduces the next heading stays before that one.
        end = len(before.body) if relative is None else before.end
        section.body.extend(before.body[end:])
        del before.body[end:]
        line = _line_of(before.body[-1][1]) if before.body else before.line
        if line is not None:
            self._break_line(line, heading)
            before.body.append((None, Whitespace(self._newline)))
        if relative is None:
            heading.trail = self._newline
        self._all.insert(len(self._all) if relative is None else relative + 1, section)
        self._by_path.setdefault(path, section)
        return section

    def remove(self, paths: Collection[Path]) -> None:
        """Keys, and tables with all in them. Comments behind the last key stay."""
        for path in paths:
            for depth in range(len(path)):
                section = self._by_path.get(path[:depth])
                if section is not None:
                    _drop(section.body, path, depth)
        lengths = {len(path) for path in paths}
        kept: list[Section] = []
        for section in self._all:
            if any(section.path[:length] in paths for length in lengths):
                self._leave(section.body[section.end :], kept[-1], first=len(kept) == 1)
            else:
                kept.append(section)
        self._all = kept
        self._index()

    def rename(self, path: Path, name: str) -> None:
        """A key or a table, wherever its name is written."""
        for section in self._all:
            if section.path[: len(path)] == path and section.table is not None:
                written = section.table.display_name or dotted(section.path)
                parts = list(tomlkit.key_value(f"{written}=0")[0])
                parts[len(path) - 1] = _renamed(parts[len(path) - 1], name)
                blanks = written[: len(written) - len(written.lstrip(" \t"))]
                section.table.display_name = blanks + DottedKey(parts).as_string()
                section.path = (*path[:-1], name, *section.path[len(path) :])
            elif section.path == path[: len(section.path)] and not section.in_array:
                _rename(section.body, path, len(section.path), name)
        self._index()

    def replace_in_list(self, path: Path, old: str, new: str) -> None:
        """A text in a list, whose layout and comments stay."""
        place = self.find(path, through_inline=True)
        if place is None or place.path != path or not isinstance(place.item, Array):
            return
        for number, item in enumerate(place.item):
            if isinstance(item, str) and item == old:
                place.item[number] = tomlkit.value(quoted(new))

    def _list(self, entries: Entries, path: Path) -> None:
        """One section: `[a.b]` alone is a Table `b` in a Table `a`."""
        for key, item in entries:
            if key is None or not isinstance(item, AoT | Table) or key.is_dotted():
                self._all[-1].body.append((key, item))
                continue
            here = (*path, key.key)
            if isinstance(item, AoT):
                self._arrays.add(here)
            for table in item.body if isinstance(item, AoT) else [item]:
                if not table.is_super_table():
                    name = table.display_name or dotted(here)
                    alone = Table(Container(True), table.trivia, table.is_aot_element(), False, here[-1], name)
                    in_array = any(here[:length] in self._arrays for length in range(1, len(here) + 1))
                    self._all.append(Section(here, alone, in_array=in_array))
                self._list(table.value.body, here)

    def _index(self) -> None:
        self._by_path: dict[Path, Section] = {}
        for section in self._all:
            if not section.in_array:
                self._by_path.setdefault(section.path, section)

    def _break_line(self, before: Trivia, after: Trivia) -> None:
        """Put a line behind another. A text that did not end in a line break still does not."""
        if "\n" in before.trail:
            after.trail = self._newline
        else:
            before.trail, after.trail = before.trail + self._newline, ""

    def _leave(self, entries: Entries, before: Section, *, first: bool) -> None:
        """What stays of a section that goes. One blank line goes with it, unless that would glue its neighbours."""
        if entries and isinstance(entries[0][1], Whitespace):
            blank = _BLANK_LINE.match(entries[0][1].s)
            last = before.body[-1][1] if before.body else None
            if blank and ((first and last is None) or (isinstance(last, Whitespace) and last.s.endswith("\n"))):
                rest = entries[0][1].s[blank.end() :]
                entries = [*([(None, Whitespace(rest))] if rest else []), *entries[1:]]
        before.body.extend(entries)


def _find(entries: Entries, path: Path, depth: int, through_inline: bool) -> Place | None:
    kinds = (Table, InlineTable) if through_inline else (Table,)
    for index, (key, item) in enumerate(entries):
        if key is None or key.key != path[depth]:
            continue
        if isinstance(item, kinds) and (depth + 1 < len(path) or isinstance(item, Table)):
            found = _find(item.value.body, path, depth + 1, through_inline) if depth + 1 < len(path) else None
            if found is not None:
                return found
        else:
            return Place(entries, index, path[: depth + 1])
    return None


def _dotted_tables(entries: Entries, path: Path, depth: int) -> Iterator[Entries]:
    """The inside of each `a.b` of `a.b.c = 1`."""
    for key, item in entries:
        if key is not None and key.key == path[depth] and isinstance(item, Table):
            if depth + 1 == len(path):
                yield item.value.body
            else:
                yield from _dotted_tables(item.value.body, path, depth + 1)


def _drop(entries: Entries, path: Path, depth: int) -> None:
    for index in range(len(entries) - 1, -1, -1):
        key, item = entries[index]
        if key is None or key.key != path[depth]:
            continue
        if depth + 1 < len(path) and isinstance(item, Table):
            _drop(item.value.body, path, depth + 1)
        if depth + 1 == len(path) or (isinstance(item, Table) and not item.value.body):
            del entries[index]


def _rename(entries: Entries, path: Path, depth: int, name: str) -> None:
    for index, (key, item) in enumerate(entries):
        if key is None or key.key != path[depth]:
            continue
        if depth + 1 == len(path):
            entries[index] = (_renamed(key, name), item)
        elif isinstance(item, Table | InlineTable):
            _rename(item.value.body, path, depth + 1, name)


def _renamed(key: Key, name: str) -> SingleKey:
    """With the blanks around it."""
    written = key.as_string()
    bare = written.strip(" \t")
    new = SingleKey(name, sep=key.sep, original=written.replace(bare, dotted((name,)), 1))
    new._dotted = key.is_dotted()  # noqa: SLF001 - tomlkit has no other way to make one
    return new


def _line_of(item: Item) -> Trivia:
    """Of the line an entry ends with."""
    while isinstance(item, Table):
        item = item.value.body[-1][1]
    return item.trivia


def _take_over(trivia: Trivia, other: Trivia) -> None:
    trivia.indent, trivia.comment_ws = other.indent, other.comment_ws
    trivia.comment, trivia.trail = other.comment, other.trail
