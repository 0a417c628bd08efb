"""The folder image_cache/: files named `<sha256>.<ext>`, 0600, written whole or not at all. All of it blocks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Container
from pathlib import Path

from itsjustintv_desktop.engine.core import files
from itsjustintv_desktop.engine.storage.image_check import KINDS, MAX_BYTES

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{64})\.[a-z]{3,4}")
_UNFINISHED = (files.UNFINISHED, ".part")
"""The latter is that of earlier versions."""
_UNFINISHED_TTL = 3600.0


def digest_of(data: bytes) -> str:
    """SHA-256 (hex): what a picture is called here."""
    return hashlib.sha256(data).hexdigest()


def keep(folder: Path, data: bytes, extension: str) -> str:
    """Store these bytes and return their SHA-256 (hex). Raises OSError.

    No fsync: a file that a power cut tore doesn't match its name, so `load` drops it.
    """
    digest = digest_of(data)
    path = _name(folder, digest, extension)
    if _whole(path, digest) is not None:
        os.utime(path)  # used again: its age starts anew
        return digest
    try:
        files.write_atomic(Path(path), data, durable=False)
    except FileNotFoundError:  # asking for the folder first would cost two more system calls a picture
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_atomic(Path(path), data, durable=False)
    return digest


def load(folder: Path, digest: str) -> bytes | None:
    """The bytes with this SHA-256, or None. A damaged file is removed."""
    if not _SHA256.fullmatch(digest):
        return None
    for kind in KINDS:
        data = _whole(_name(folder, digest, kind.extension), digest)
        if data is not None:
            return data
    return None


def touch(folder: Path, digest: str) -> bool:
    """Whether it is there. If so, its age starts anew, so that a purge leaves it alone until it was sent."""
    if not _SHA256.fullmatch(digest):
        return False
    for kind in KINDS:
        with contextlib.suppress(OSError):
            os.utime(_name(folder, digest, kind.extension))
            return True
    return False


def unused_since(folder: Path, at: float) -> set[str]:
    """SHA-256 (hex) of the pictures last used before `at`, Unix seconds."""
    found = set()
    for entry in _entries(folder):
        match = _NAME.fullmatch(entry.name)
        with contextlib.suppress(OSError):
            if match is not None and entry.stat(follow_symlinks=False).st_mtime < at:
                found.add(match[1])
    return found


def purge(folder: Path, unwanted: Container[str], *, now: float, ttl: float) -> int:
    """Remove those of the `unwanted` not used for `ttl` seconds, and what a crash left. Returns how many."""
    removed = 0
    for entry in _entries(folder):
        match = _NAME.fullmatch(entry.name)
        unfinished = entry.name.endswith(_UNFINISHED)
        if not unfinished and (match is None or match[1] not in unwanted):
            continue
        with contextlib.suppress(OSError):
            age = now - entry.stat(follow_symlinks=False).st_mtime
            if age > (_UNFINISHED_TTL if unfinished else ttl):
                Path(entry.path).unlink()
                removed += 1
    return removed


def _whole(path: str, digest: str) -> bytes | None:
    """What the file holds, if that has this SHA-256; else it is removed."""
    try:
        data = files.read(path, MAX_BYTES + 1)
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() == digest:
        return data
    with contextlib.suppress(OSError):
        Path(path).unlink()
    return None


def _name(folder: Path, digest: str, extension: str) -> str:
    """Not a Path: each would have its name interned and forgotten again, 100 times for every output.json, and Python's
    table of interned strings (2 MB) would be rebuilt every few minutes for it."""
    return f"{folder}{os.sep}{digest}.{extension}"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
