"""Opening files in whose place something else may lie: a pipe, a device, a socket, a folder, a link.

Opening a pipe or a device the usual way can wait for ever, and a thread that waits there keeps the program from ending.
So a path is looked at first, opened without waiting, and what was opened is looked at again.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

_FLAGS = (
    getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


def open_descriptor(path: str | Path, flags: int = os.O_RDONLY, *, follow: bool = False) -> int:
    """A descriptor of a regular file, never inherited; one that is made is 0600.

    Raises OSError: ELOOP for a symbolic link (unless `follow`), EISDIR for a folder, EINVAL for anything else that is
    no regular file.
    """
    check(path, missing_ok=bool(flags & os.O_CREAT), follow=follow)
    # What is cut to nothing at its opening could be another file than the one looked at before.
    descriptor = os.open(path, (flags & ~os.O_TRUNC) | _FLAGS | (0 if follow else _NOFOLLOW), 0o600)
    try:
        _require(os.fstat(descriptor))
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def opened(path: str | Path, *, follow: bool = False) -> BinaryIO:
    """The file, to be read. Raises OSError as `open_descriptor` does."""
    return os.fdopen(open_descriptor(path, follow=follow), "rb")


def read(path: str | Path, most: int = -1, *, follow: bool = False) -> bytes:
    """What it holds, at most so many bytes. Raises OSError as `open_descriptor` does."""
    with opened(path, follow=follow) as file:
        return file.read(most)


def check(path: str | Path, *, missing_ok: bool = True, follow: bool = False) -> None:
    """For a path that a library opens: raises OSError as `open_descriptor` does, without opening it."""
    try:
        _require(os.stat(path, follow_symlinks=follow))  # noqa: PTH116 - images are read by plain names
    except FileNotFoundError:
        if not missing_ok:
            raise


def sync_folder(folder: Path) -> None:
    """Make renames in it durable (Windows has no such call). Raises OSError."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require(found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, and not a file")
