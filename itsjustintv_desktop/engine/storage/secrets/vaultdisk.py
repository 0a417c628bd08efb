"""Reading and replacing secrets.vault without ever following a link or leaving half a file. All of it blocks."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

from itsjustintv_desktop.engine.core import files

_MAX_BYTES: Final = 64 * 1024 * 1024


def read(path: Path) -> bytes | None:
    """The bytes of the file, None if there is none. Raises OSError, ELOOP for a symbolic link."""
    try:
        return files.read(path, _MAX_BYTES)
    except FileNotFoundError:
        return None


def replace(path: Path, data: bytes) -> None:
    """Put `data` in the file's place, 0600, durable; a kill at any moment leaves the old file. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # what a kill left behind
    descriptor = files.open_descriptor(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    files.sync_folder(path.parent)


def put_aside(path: Path, now: float) -> Path:
    """Rename a damaged file to `<name>.damaged-<UTC time>`, which it returns. Raises OSError."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.rename(target)
    files.sync_folder(path.parent)
    return target


def last_put_aside(path: Path) -> Path | None:
    """The newest file that was put aside, None if there is none."""
    return max(path.parent.glob(f"{path.name}.damaged-*"), default=None)
