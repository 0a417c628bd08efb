"""Files on disk: opened only if they are files, replaced in one step, set aside when damaged. All of it blocks.

Another thing may lie in a file's place: a pipe, a device, a socket, a folder, a link. Opening a pipe or a device the
usual way can wait for ever, and a thread that waits there keeps the program from ending. So a path is looked at first,
opened without waiting, and what was opened is looked at again.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

_FLAGS = (
    getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
UNFINISHED: Final = ".new"
"""How the names of files end that are not written to their end yet; the rest is `.<name>.` and random letters."""
_RENAMES: Final = 5


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


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o600, sync: bool = True, over_link: bool = True) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` in one step once it is written; until then, and if that fails, the old
    one stays. The folder has to be there. Raises OSError.

    `sync`: it is on the disk before it takes that place, so that no power cut leaves half of it. A symbolic link at
    `path` makes way for the file; without `over_link` it is ELOOP.
    """
    if not over_link and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)  # 0600
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        if mode != 0o600:
            fresh.chmod(mode)
        _rename(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replace the whole file in one step, see `replacing`. `durable`: no power cut undoes it once this returns."""
    with replacing(path, mode=mode, sync=durable) as file:
        file.write(content)
    if durable:
        sync_folder(path.parent)


def clear_leftovers(path: Path, *, older_than: float = 0.0) -> None:
    """Remove what `replacing` had half written for `path` when its process was killed. Raises OSError.

    `older_than` (seconds): for a file that another process may be replacing at this moment.
    """
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*{UNFINISHED[1:]}"):
        with contextlib.suppress(FileNotFoundError):
            if not older_than or time.time() - leftover.stat().st_mtime > older_than:
                leftover.unlink()


def aside_of(path: Path, why: str = "damaged", *, at: float | None = None, beside: Sequence[str] = ("",)) -> Path:
    """A name for a file that cannot be used which nothing has yet: `<name>.<why>-<UTC time>`, a number where needed.

    `at`: Unix seconds, else now. `beside`: the endings of the files that go with it, see `set_aside`.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    number = 1
    while True:
        aside = path.with_name(f"{path.name}.{why}-{stamp}{f'-{number}' if number > 1 else ''}")
        if not any(os.path.lexists(aside.with_name(aside.name + ending)) for ending in beside):
            return aside
        number += 1


def set_aside(path: Path, aside: Path, *, beside: Sequence[str] = ("",)) -> list[Path]:
    """Rename a file that cannot be used; returns the new paths. What has the name `aside` is replaced. Raises OSError.

    `beside`: endings of the names of files that belong together, the most important one first; it is renamed last.
    """
    moved = []
    for ending in reversed(beside):
        each = path.with_name(path.name + ending)
        if os.path.lexists(each):
            moved.append(each.replace(aside.with_name(aside.name + ending)))
    sync_folder(path.parent)
    return moved


def _rename(fresh: Path, path: Path) -> None:
    """A reader that holds the file open without sharing (Windows) makes it fail: a few quick tries."""
    for attempt in range(_RENAMES):
        try:
            fresh.replace(path)
            return
        except PermissionError:
            if attempt == _RENAMES - 1:
                raise
            time.sleep(0.02 * 2**attempt)


def _require(found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, and not a file")
