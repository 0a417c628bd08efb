"""An array of JSON objects in a file, read and written piece by piece: with its pictures it may be 100 MB. All blocks.

Its form is that of `json.dumps(..., indent=2)`, and of Go's `MarshalIndent`: each object begins and ends on lines of
its own that are indented by two, so that one is found without parsing the others.
"""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import structlog

from itsjustintv_desktop.engine.core import files

_DAMAGED = (ValueError, msgspec.DecodeError, RecursionError)

_log = structlog.get_logger(__name__)


class ArrayWriter:
    """Writes the array, one object at a time. Not done before `end`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begun = False

    def add(self, entry: bytes) -> None:
        """An object as JSON in any form. Raises OSError."""
        self.copy(_indented(entry).replace(b"\n", b"\n  "))

    def copy(self, text: bytes) -> None:
        """An object as it stands in such a file. Raises OSError."""
        self._file.write(b",\n  " if self._begun else b"[\n  ")
        self._begun = True
        self._file.write(text)
        time.sleep(0)  # let the loop's thread run: a thousand pictures in a row would hold it up

    def end(self) -> None:
        self._file.write(b"\n]" if self._begun else b"[]")


@contextmanager
def replacing(path: Path) -> Iterator[ArrayWriter]:
    """A new array that takes the place of the file in one step. Raises OSError; the old file stays then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path, over_link=False) as file:
        array = ArrayWriter(file)
        yield array
        array.end()


def copy_kept(path: Path, into: ArrayWriter, *, keep: Callable[[dict[str, Any]], bool], most: int) -> None:
    """Copy those objects of the file that `keep` wants, the last `most` of them. Raises OSError.

    A damaged file is put aside.
    """
    try:
        file = files.opened(path)
    except FileNotFoundError:
        return
    try:
        with file:
            try:
                _copy(file, into, keep, most)
            except _DAMAGED:
                _copy_of_other_form(file, into, keep, most)
    except _DAMAGED:
        aside = path.with_name(f"{path.name}.damaged")
        files.set_aside(path, aside)
        _log.warning("output.json was damaged; it is written anew", kept_as=aside.name)


def _copy(file: BinaryIO, into: ArrayWriter, keep: Callable[[dict[str, Any]], bool], most: int) -> None:
    places: deque[tuple[int, int]] = deque(maxlen=most)
    for position, text in _elements(file):
        entry = msgspec.json.decode(text)
        if isinstance(entry, dict) and keep(entry):
            places.append((position, len(text)))
        time.sleep(0)
    for position, length in places:
        file.seek(position)
        into.copy(file.read(length))


def _copy_of_other_form(file: BinaryIO, into: ArrayWriter, keep: Callable[[dict[str, Any]], bool], most: int) -> None:
    """At most once a file: what is written then has our form."""
    file.seek(0)
    entries = msgspec.json.decode(file.read(), type=list[Any])
    _copy(io.BytesIO(_indented(msgspec.json.encode(entries))), into, keep, most)


def _elements(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Where each element begins, and its text. Raises ValueError for a file of another form or cut off."""
    first = file.read(2)
    if first == b"[]" and not file.read().strip():
        return
    if first != b"[\n":
        raise ValueError("not an indented array")
    begin = end = 2
    lines: list[bytes] = []
    for line in file:
        if line.rstrip() == b"]" and not lines and not file.read().strip():
            return
        end += len(line)
        lines.append(line)
        if line.startswith(b"  ") and line[2:3] != b" " and line.strip() not in {b"{", b"["}:
            text = b"".join(lines)
            yield begin + 2, text.rstrip().removesuffix(b",")[2:]
            begin, lines = end, []
    raise ValueError("the array does not end")


def _indented(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=2)
