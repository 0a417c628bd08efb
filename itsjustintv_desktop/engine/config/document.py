"""Changes to the text of a config that leave everything else in it as it was: comments, order, blank lines, quotes.

Each change is checked against what it should have done to the data, so that a text which came out otherwise is never
saved. tomlkit does the editing and is loaded with the first change.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from itsjustintv_desktop.engine.config.notation import Path, Value, dotted, encode

if TYPE_CHECKING:
    from itsjustintv_desktop.engine.config.sections import Sections

Data = dict[str, Any]


class TomlDocument:
    """A text in the making. Paths are those of the text; the caller maps names of the schema to them.

    Every change raises ValueError, and leaves the text as it was, if the layout of the text does not allow it.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._data: Data | None = None
        self._sections: Sections | None = None

    @property
    def text(self) -> str:
        return self._text

    @property
    def data(self) -> Data:
        """What the text says; not to be changed. Raises tomllib.TOMLDecodeError if it is no TOML."""
        if self._data is None:
            self._data = tomllib.loads(self._text)
        return self._data

    def get(self, path: Path) -> Any:
        """What the text has at a path, None if nothing."""
        return _at(self.data, path)

    def set(self, path: Path, value: Value) -> None:
        """Give a key a value, or a table some keys (those it has beyond them stay). Makes what is not there yet."""
        self.set_many({path: value})

    def set_many(self, values: Mapping[Path, Value]) -> None:
        """The same for many keys at once: the text is written and checked once."""
        with self._change(f"{_named(values)} could not be changed") as (sections, data):
            for path, value in values.items():
                _set(sections, data, path, value)

    def add_tables(self, parent: Path, tables: Mapping[str, Mapping[str, Value]]) -> None:
        """Each as a table with a heading, behind its relatives."""
        self.set_many({(*parent, name): content for name, content in tables.items()})

    def remove(self, path: Path) -> bool:
        """Take a key or a table with all in it away. Comments above stay. False if it was not there."""
        if self.get(path) is None:
            return False
        self.remove_many([path])
        return True

    def remove_many(self, paths: Collection[Path]) -> None:
        """The same for many at once; what is not there is fine."""
        with self._change(f"{_named(paths)} could not be changed") as (sections, data):
            gone: set[Path] = set()
            for path in paths:
                table = _at(data, path[:-1])
                if not isinstance(table, dict) or table.pop(path[-1], None) is None:
                    continue
                place = sections.find(path)
                if place is not None and place.path != path:
                    sections.replace(place, encode(_at(data, place.path)))
                else:
                    gone.add(path)
            sections.remove(gone)

    def rename(self, path: Path, name: str) -> None:
        """Give a key or a table another name in the same place. The new name must be free."""
        new = (*path[:-1], name)
        if self.get(path) is None:
            raise ValueError(f"there is no {dotted(path)}")
        if self.get(new) is not None:
            raise ValueError(f"{dotted(new)} is there already")
        with self._change(f"{dotted(path)} could not be renamed") as (sections, data):
            table = _table_at(data, path[:-1])
            table[name] = table.pop(path[-1])
            sections.rename(path, name)

    def replace_in_lists(self, paths: Collection[Path], old: str, new: str) -> None:
        """Replace a text in lists, leaving their layout and comments."""
        with self._change(f"{_named(paths)} could not be changed") as (sections, data):
            for path in paths:
                found = _at(data, path)
                if isinstance(found, list) and old in found:
                    found[:] = [new if one == old else one for one in found]
                    sections.replace_in_list(path, old, new)

    def with_tables(self, text: str) -> TomlDocument:
        """One with these tables at its end as they are written, with the line ends of this one. It may not be TOML."""
        if not self._text.strip():
            return TomlDocument(text)
        lines = text.replace("\r\n", "\n").replace("\n", self._newline)
        return TomlDocument(f"{self._text.rstrip()}{self._newline * 2}{lines}")

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self._text else "\n"

    @contextmanager
    def _change(self, refusal: str) -> Iterator[tuple[Sections, Data]]:
        """The text to change, and its data to change alike: what is read back must be that."""
        from itsjustintv_desktop.engine.config.sections import Sections  # brings tomlkit along

        expected = copy.deepcopy(self.data)
        sections, self._sections = self._sections or Sections(self._text, self._newline), None
        yield sections, expected
        text = sections.as_string()
        try:
            found = tomllib.loads(text)
        except ValueError:
            found = None
        if found is None or _without_empty(found) != _without_empty(expected):
            raise ValueError(f"{refusal}; edit the file by hand")
        self._text, self._data, self._sections = text, found, sections


def _set(sections: Sections, data: Data, path: Path, value: Value) -> None:
    current = _at(data, path)
    if isinstance(value, Mapping) and (current is None or isinstance(current, dict)):
        place = sections.find(path)
        if current is None:
            _table_at(data, path)
            if place is None:
                sections.add(path)
            else:
                sections.replace(place, encode(_at(data, place.path)))
        for name, inner in value.items():
            _set(sections, data, (*path, name), inner)
        return
    _table_at(data, path[:-1])[path[-1]] = list(value) if isinstance(value, tuple) else value
    place = sections.find(path)
    if place is None:
        sections.insert(path, encode(value))
    else:
        sections.replace(place, encode(_at(data, place.path)))


def _at(data: Any, path: Path) -> Any:
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return None
        data = data[part]
    return data


def _table_at(data: Data, path: Path) -> Data:
    """The table at a path, made where there is none. Raises ValueError if something else stands there."""
    table = data
    for depth, part in enumerate(path, 1):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ValueError(f"{dotted(path[:depth])} is not a table")
    return table


def _named(paths: Collection[Path]) -> str:
    """What is changed, for a sentence."""
    return dotted(next(iter(paths))) if len(paths) == 1 else "the text"


def _without_empty(content: Any) -> Any:
    """Tables without their empty tables: those come and go with headings."""
    if not isinstance(content, dict):
        return content
    inner = {name: _without_empty(item) for name, item in content.items()}
    return {name: item for name, item in inner.items() if item != {}}
