"""The folder of the Go service and its JSON files, as whole or as broken as they are. Only ever read. All blocks."""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.core.errors import GoFileError, NotFoundError, UsageError, os_sentence

CONFIG = "config.toml"
OUTPUT, CACHE, QUEUE, TOKENS = "output.json", "cache.json", "retry_state.json", "tokens.json"
IMAGES, CERTS = "image_cache", "acme_certs"
LARGEST = {OUTPUT: 256, QUEUE: 256, CACHE: 64, TOKENS: 1}
"""MiB. Pictures stand in the first two as base64."""

_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie. `root` is what the relative paths of its config count from."""

    root: Path
    data: Path
    config: Path | None

    def place(self, written: str, usual: str) -> Path:
        """A path from its config, or the usual name in its data folder where nothing is written."""
        if not written:
            return self.data / usual
        path = Path(written).expanduser()
        if path.is_absolute():
            return path
        parts = PurePosixPath(written.replace("\\", "/")).parts
        return self.data.joinpath(*parts[1:]) if parts[:1] == ("data",) else self.root.joinpath(*parts)


def find(folder: Path, config: Path | None) -> Layout:
    """What `folder` is: the Go service's own, or its data folder. Raises NotFoundError, UsageError."""
    folder = folder.absolute()
    if not folder.is_dir():
        raise NotFoundError(f"{folder} is no folder. Name the one in which the Go service keeps config.toml and data/.")
    inner = folder / "data"
    if inner.is_dir():
        layout = Layout(folder, inner, _config(config, folder, inner))
    elif _has_files(folder):
        layout = Layout(folder.parent, folder, _config(config, folder, folder.parent))
    else:
        layout = Layout(folder, inner, _config(config, folder))
    for place in (folder, layout.data):
        if (place / "ledger.db").exists():
            raise UsageError(f"{place} belongs to this program, not to the Go service: there is a ledger.db in it.")
    if layout.config is None and not _has_files(layout.data):
        raise NotFoundError(
            f"{folder} is no folder of the Go service: there is neither a config.toml nor data/ with one of "
            f"{OUTPUT}, {CACHE}, {QUEUE}, {TOKENS} in it. If its config lies elsewhere, add --go-config PATH."
        )
    return layout


def _has_files(folder: Path) -> bool:
    return any(os.path.lexists(folder / name) for name in (OUTPUT, CACHE, QUEUE, TOKENS, IMAGES))


def _config(given: Path | None, *folders: Path) -> Path | None:
    if given is not None:
        if not given.exists():
            raise NotFoundError(f"{given} does not exist. Name the Go service's config.toml with --go-config.")
        return given.absolute()
    return next((folder / CONFIG for folder in folders if os.path.lexists(folder / CONFIG)), None)


def read(path: Path, most: int) -> bytes | None:
    """A file's bytes, at most `most` MiB; None if there is none. Raises GoFileError with a sentence."""
    try:
        content = files.read(path, most * 1024 * 1024 + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            why = "it is a symbolic link, and links are not followed; put the file itself there"
            raise GoFileError(why) from error
        raise GoFileError(f"it cannot be read: {os_sentence(error)}") from error
    if len(content) > most * 1024 * 1024:
        raise GoFileError(f"it is larger than {most} MiB; no file of the Go service gets that large")
    return content


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a list, as far as it can be read, and what is to be said of the rest."""

    items: list[Any]
    notes: tuple[str, ...] = ()
    whole: bool = True


def elements(content: bytes, key: str | None = None) -> Elements:
    """The list that a file is, or that an object has at `key`. Raises GoFileError if there is none.

    The Go service writes over its files in place, so one may be cut off: what stands before the cut is read.
    """
    text, notes = _text(content)
    try:
        whole = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return _salvaged(text, key, notes)
    found = whole.get(key) if key is not None and isinstance(whole, dict) else whole
    if found is None:  # Go writes an empty list as null
        return Elements([], notes)
    if not isinstance(found, list):
        raise GoFileError("it does not hold what the Go service writes there (a list)")
    return Elements(found, notes)


def mapping(content: bytes) -> dict[str, Any]:
    """The object that a file is. Raises GoFileError."""
    text, _ = _text(content)
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise GoFileError("it is not JSON, or cut off") from None
    if not isinstance(found, dict):
        raise GoFileError("it does not hold what the Go service writes there (an object)")
    return found


def _no_number(_: str) -> None:
    """NaN and Infinity, which are no JSON and no number that anybody could use."""


def _text(content: bytes) -> tuple[str, tuple[str, ...]]:
    if not content.strip():
        raise GoFileError("it is empty")
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        note = f"There are bytes that are not UTF-8 (the first at {error.start}); they were replaced."
        return content.decode("utf-8-sig", "replace"), (note,)


def _salvaged(text: str, key: str | None, notes: tuple[str, ...]) -> Elements:
    """The elements before the first fault. Raises GoFileError if not even the list begins."""
    begin = re.match(r"\s*\[", text) if key is None else re.search(rf'"{key}"\s*:\s*\[', text)
    if begin is None:
        raise GoFileError("it is not JSON, or cut off before anything of use")
    decoder = json.JSONDecoder(parse_constant=_no_number)
    items: list[Any] = []
    position = begin.end()
    while True:
        between = _BETWEEN.match(text, position)
        position = between.end() if between else position
        if text[position : position + 1] == "]":
            break
        try:
            item, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        items.append(item)
    note = f"The file is cut off or damaged behind entry {len(items)}; what stands before that was read."
    return Elements(items, (*notes, note), whole=False)
