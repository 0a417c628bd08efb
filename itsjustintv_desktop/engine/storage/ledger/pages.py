"""The rows of a damaged SQLite file, read page by page without SQLite, which gives up at the first damage.

Source: https://www.sqlite.org/fileformat2.html (1.3 header, 1.5 freelist, 1.6 B-trees, 2.1 records, 4 WAL).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from itsjustintv_desktop.engine.core import files

_PAGE = 4096
"""Of our ledgers, where the header does not say it any more."""
_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF = 2, 5, 10, 13
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
"""Bytes of a value by its serial type below 10."""
_UNREADABLE = (ValueError, IndexError, struct.error, OverflowError)


class Row(NamedTuple):
    rowid: int | None
    """None in a table without rowids."""
    values: tuple[Any, ...]


class Pages:
    """A database file with what its write-ahead log holds of it. All block; raises OSError where it opens them."""

    def __init__(self, path: Path) -> None:
        with ExitStack() as opened:
            self._file = opened.enter_context(files.opened(path))
            head = self._file.read(100)
            size = struct.unpack(">H", head[16:18])[0] if len(head) == 100 else 0
            size = 65536 if size == 1 else size
            self.size = size if size >= 512 and size & (size - 1) == 0 else _PAGE
            self.usable = self.size - (head[20] if len(head) == 100 and head[20] <= 32 else 0)
            self.count = self._file.seek(0, 2) // self.size
            self._newer: dict[int, bytes] = {}
            try:
                log = files.read(path.with_name(f"{path.name}-wal"))
            except FileNotFoundError:
                log = b""
            self._read_log(log)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._opened.close()

    def page(self, number: int) -> bytes:
        """Raises ValueError for one that is not there."""
        if number in self._newer:
            return self._newer[number]
        content = b""
        if 0 < number <= self.count:
            with suppress(OSError):  # a bad place on the disk
                self._file.seek((number - 1) * self.size)
                content = self._file.read(self.size)
        if len(content) < self.size:
            raise ValueError("no such page")
        return content

    def free(self) -> set[int] | None:
        """Pages in no use, which may hold rows of the past; None where that cannot be told."""
        found: set[int] = set()
        try:
            first = self.page(1)
            if not first.startswith(b"SQLite format 3\0"):
                return None
            trunk, left = struct.unpack(">II", first[32:40])
            while trunk and len(found) <= left:
                page = self.page(trunk)
                following, leaves = struct.unpack(">II", page[:8])
                found |= {trunk, *struct.unpack(f">{leaves}I", page[8 : 8 + 4 * leaves])}
                trunk = following
        except _UNREADABLE:
            return None
        return found

    def roots(self) -> dict[str, int]:
        """Root pages of all tables and indexes by name, as far as the schema can be read."""
        rows = [row.values for _, page in self.tree(1) for row in page]
        return {row[1]: row[3] for row in rows if len(row) == 5 and isinstance(row[1], str) and isinstance(row[3], int)}

    def tree(self, root: int) -> Iterator[tuple[int, list[Row]]]:
        """The pages of a tree and the rows on each, as far as they can be read."""
        return ((number, self.rows(number)) for number in self.numbers(root))

    def numbers(self, root: int) -> Iterator[int]:
        """The pages of a tree, as far as they can be read."""
        waiting, seen = [root], set[int]()
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            try:
                content = self.page(number)
                _, cells, right = self._cells(number, content)
            except _UNREADABLE:
                continue
            if right is not None:
                waiting += [right, *(struct.unpack(">I", content[cell : cell + 4])[0] for cell in cells)]
            yield number

    def rows(self, number: int) -> list[Row]:
        """Those on one page, none where it does not look like one of a tree."""
        try:
            content = self.page(number)
            kind, cells, _ = self._cells(number, content)
        except _UNREADABLE:
            return []
        return [] if kind == _TABLE_INTERIOR else list(self._rows(content, kind, cells))

    def _cells(self, number: int, content: bytes) -> tuple[int, list[int], int | None]:
        """What kind of page it is, where its cells begin, and its right-most child. Raises ValueError."""
        begin = 100 if number == 1 else 0
        kind, _, count, _, _ = struct.unpack(">BHHHB", content[begin : begin + 8])
        if kind not in {_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF}:
            raise ValueError("no page of a tree")
        inner = kind in {_INDEX_INTERIOR, _TABLE_INTERIOR}
        first = begin + (12 if inner else 8)
        cells = list(struct.unpack(f">{count}H", content[first : first + 2 * count]))
        if any(not first + 2 * count <= cell < self.usable for cell in cells):
            raise ValueError("cells outside of the page")
        return kind, cells, struct.unpack(">I", content[begin + 8 : begin + 12])[0] if inner else None

    def _rows(self, content: bytes, kind: int, cells: list[int]) -> Iterator[Row]:
        for cell in cells:
            try:
                position = cell + (4 if kind == _INDEX_INTERIOR else 0)
                length, position = _number(content, position)
                rowid = None
                if kind == _TABLE_LEAF:
                    rowid, position = _number(content, position)
                payload = self._payload(content, position, length, kind == _TABLE_LEAF)
                yield Row(rowid, tuple(_values(payload, length)))
            except _UNREADABLE:
                continue

    def _payload(self, content: bytes, position: int, length: int, table: bool) -> bytes:
        """Less of it where it goes on on pages that cannot be read."""
        most = self.usable - 35 if table else (self.usable - 12) * 64 // 255 - 23
        if length <= most:
            here = length
        else:
            least = (self.usable - 12) * 32 // 255 - 23
            here = least + (length - least) % (self.usable - 4)
            here = here if here <= most else least
        payload = content[position : position + here]
        if len(payload) < here or length > self.size * (self.count + len(self._newer)):
            raise ValueError("cut off")
        if here == length:
            return payload
        parts, left, chain = [payload], length - here, set[int]()
        following = struct.unpack(">I", content[position + here : position + here + 4])[0]
        while left > 0 and following not in chain:
            chain.add(following)
            try:
                page = self.page(following)
            except ValueError:
                break
            parts.append(page[4 : min(self.usable, 4 + left)])
            left -= len(parts[-1])
            following = struct.unpack(">I", page[:4])[0]
        return b"".join(parts)

    def _read_log(self, log: bytes) -> None:
        """Committed pages take the place of those in the file. A damaged one in between does not end it."""
        step = 24 + self.size
        salt = log[16:24]
        if len(log) >= 32 + step and log[:3] != b"\x37\x7f\x06":
            salt = log[32 + 8 : 32 + 16]
        pending: dict[int, bytes] = {}
        for begin in range(32, len(log) - step + 1, step):
            number, committed = struct.unpack(">II", log[begin : begin + 8])
            if log[begin + 8 : begin + 16] != salt:
                continue
            pending[number] = log[begin + 24 : begin + step]
            if committed:
                self._newer.update(pending)
                self.count = max(self.count, committed)
                pending.clear()


def _number(content: bytes, position: int) -> tuple[int, int]:
    """A variable-length integer, and where it ends."""
    value = 0
    for index in range(8):
        byte = content[position + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + index + 1
    value = value << 8 | content[position + 8]
    return value - (1 << 64) if value >= 1 << 63 else value, position + 9


def _values(record: bytes, length: int) -> Iterator[Any]:
    """Its values; None for those that lie behind the end of a record that was `length` long."""
    end, position = _number(record, 0)
    body = end
    if end > len(record):
        raise ValueError("cut off")
    while position < end:
        kind, position = _number(record, position)
        size = (kind - 12) // 2 if kind >= 12 else _SIZES[kind]
        value = record[body : body + size]
        body += size
        if kind in {10, 11} or body > length:
            raise ValueError("not a record")
        if kind == 0 or len(value) < size:
            yield None
        elif kind == 7:
            yield struct.unpack(">d", value)[0]
        elif kind in {8, 9}:
            yield kind - 8
        elif kind < 7:
            yield int.from_bytes(value, "big", signed=True)
        else:
            yield value.decode("utf-8") if kind % 2 else bytes(value)
    if body != length:
        raise ValueError("not a record")
