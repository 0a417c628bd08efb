"""The line of each key and table of a TOML text. Only for text that tomllib has read without complaint.

Reading a config never needs this: it is for the place of a problem, and for taking a text apart (sections.py).
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from itsjustintv_desktop.engine.config.notation import BARE, Path

_BLANK = re.compile(r"[ \t]*")
_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})|' r"'''.*?'''(?:'{0,2})|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'", re.DOTALL
)
_OTHER = re.compile(r"[^,\]}#\r\n]+")


class LineNumbers:
    def __init__(self, text: str) -> None:
        self._text = text
        self._keys: dict[Path, int] = {}
        """Offsets of what is written as such; of what is written twice ([[list]]), the first."""
        self._around: dict[Path, int] = {}
        """The same for tables that are only there because of what they hold."""
        self.headings: list[int] = []
        """Where the line of each heading begins."""
        self._scan()
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def has(self, path: Path) -> bool:
        """Whether this very path is written out, and not only something below it."""
        return path in self._keys

    def of(self, path: Path) -> int | None:
        """The line of a key or table, from 1; of one that is not written out, that of the table it belongs in."""
        while path:
            offset = self._keys.get(path, self._around.get(path))
            if offset is not None:
                return bisect_right(self._starts, offset)
            path = path[:-1]
        return None

    def _scan(self) -> None:
        table: Path = ()
        position = self._skip(0)
        while position < len(self._text):
            if self._text[position] == "[":
                brackets = 2 if self._text.startswith("[[", position) else 1
                table, end = self._key(position + brackets)
                self.headings.append(self._text.rfind("\n", 0, position) + 1)
                self._note(table, position)
                position = end + brackets
            else:
                position = self._pair(position, table)
            position = self._skip(position)

    def _note(self, path: Path, offset: int) -> None:
        self._keys.setdefault(path, offset)
        for length in range(1, len(path)):
            self._around.setdefault(path[:length], offset)

    def _pair(self, start: int, table: Path) -> int:
        """Behind `key = value`."""
        key, position = self._key(start)
        self._note(table + key, start)
        return self._value(self._blank(position + 1), table + key)

    def _key(self, position: int) -> tuple[Path, int]:
        path: list[str] = []
        while True:
            position = self._blank(position)
            found = _STRING.match(self._text, position) or BARE.match(self._text, position)
            if found is None:
                raise ValueError(f"no key at offset {position}")
            token = found.group()
            path.append(str(tomllib.loads(f"x = {token}")["x"]) if token[0] in "\"'" else token)
            position = self._blank(found.end())
            if self._text[position] != ".":
                return tuple(path), position
            position += 1

    def _value(self, position: int, path: Path) -> int:
        """Behind a value; the keys of inline tables in it are noted."""
        opening = self._text[position]
        if opening in "[{":
            position = self._skip(position + 1)
            while self._text[position] not in "]}":
                read = self._pair if opening == "{" else self._value
                position = self._skip(read(position, path))
                if self._text[position] == ",":
                    position = self._skip(position + 1)
            return position + 1
        found = _STRING.match(self._text, position) or _OTHER.match(self._text, position)
        if found is None:
            raise ValueError(f"no value at offset {position}")
        return found.end()

    def _blank(self, position: int) -> int:
        found = _BLANK.match(self._text, position)
        return found.end() if found else position

    def _skip(self, position: int) -> int:
        found = _SKIP.match(self._text, position)
        return found.end() if found else position
