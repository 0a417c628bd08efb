"""Real small disks that fill up, where the machine lets us mount one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Disk:
    """A tmpfs of its own at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Take all the space that is left."""
        with (self.path / "filler").open("ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def free(self) -> None:
        (self.path / "filler").unlink(missing_ok=True)

    def read_only(self, on: bool) -> None:
        """Remount; raises CalledProcessError while a file is open for writing."""
        mode = "remount,ro" if on else "remount,rw"
        subprocess.run(["mount", "-o", mode, str(self.path)], check=True, capture_output=True, timeout=10)


def memory_disk() -> str | None:
    """A folder in memory with space for a whole run, where Linux has one: at each commit SQLite waits for a disk."""
    folder = "/dev/shm"
    if sys.platform != "linux" or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return None
    found = os.statvfs(folder)
    fits = found.f_bavail * found.f_frsize >= 2 << 30
    return folder if fits and not found.f_flag & os.ST_NOEXEC else None  # some tests make programs


def can_mount() -> bool:
    """Whether this machine lets us mount a small disk."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if not _mount(Path(folder), "64k"):
            return False
        _unmount(Path(folder))
    return True


@contextmanager
def small_disk(path: Path, size: str = "1m") -> Iterator[Disk]:
    """Mount a disk of that size at `path`. The test must be marked `small_disk`."""
    path.mkdir(parents=True, exist_ok=True)
    assert _mount(path, size)
    try:
        yield Disk(path)
    finally:
        _unmount(path)


def _mount(path: Path, size: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(path)]
    return subprocess.run(command, check=False, capture_output=True, timeout=10).returncode == 0


def _unmount(path: Path) -> None:
    # Lazily: a test that failed may have left a file open.
    subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True, timeout=10)
