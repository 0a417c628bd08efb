"""The machine's own system with a layer over it that is thrown away: packages are really installed, nothing stays.

/usr, /var and /etc are overlaid in a mount namespace of their own (Linux, root). All else is the machine's: /tmp, the X
server's socket, the process table.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

OVERLAID = ("usr", "var", "etc")
_MOUNTS = "set -e; " + "".join(
    f"mount -t overlay overlay -o lowerdir=/{name},upperdir=$0/{name},workdir=$0/work-{name} /{name}; "
    for name in OVERLAID
)


@dataclass(frozen=True, slots=True)
class Layer:
    """`folder` holds what differs from the machine."""

    folder: Path
    holder: int

    def inside(self, *command: str) -> list[str]:
        """The command line that runs `command` under the layer."""
        return ["nsenter", f"--mount=/proc/{self.holder}/ns/mnt", f"--wd={os.getcwd()}", *command]  # noqa: PTH109

    def run(self, *command: str, environ: Mapping[str, str] | None = None, timeout: float = 120.0) -> str:
        """Run it to its end under the layer; what it printed. An exit code but 0 fails the test."""
        done = subprocess.run(
            self.inside(*command), env=environ, capture_output=True, text=True, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def added(self) -> set[str]:
        """Files and folders that the machine has not got, but for dpkg's own records in /var."""
        found = set()
        for path in (self.folder / "usr").rglob("*"):
            seen = Path("/") / path.relative_to(self.folder)
            if not os.path.lexists(seen):
                found.add(str(seen))
        return found

    def removed(self) -> set[str]:
        """Files of the machine that are hidden."""
        return {
            str(Path("/") / path.relative_to(self.folder))
            for path in (self.folder / "usr").rglob("*")
            if path.is_char_device() and os.path.lexists(Path("/") / path.relative_to(self.folder))
        }


@contextmanager
def layer(folder: Path) -> Iterator[Layer]:
    """Put it over the machine for this process' children that ask for it. Skips the test where that is not possible."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("installing needs Linux, root and unshare (util-linux)")
    for name in OVERLAID:
        (folder / name).mkdir(parents=True)
        (folder / f"work-{name}").mkdir()
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"{_MOUNTS} echo up; exec sleep 3600", folder],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stderr is not None
    try:
        if holder.stdout.readline() != "up\n":
            pytest.skip(f"this machine allows no overlay: {holder.stderr.read()}")
        yield Layer(folder, holder.pid)
    finally:
        holder.kill()
        holder.communicate()
