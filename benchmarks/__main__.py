"""`python -m benchmarks [receive] [burst] [queue] [idle] [desktop]`: the figures of docs/performance.md, taken now."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import burst, desktop, idle, queued, receive
from benchmarks.report import say

ALL = {"receive": receive.run, "burst": burst.run, "queue": queued.run, "idle": idle.run, "desktop": desktop.run}


def main() -> int:
    names = sys.argv[1:] or list(ALL)
    unknown = sorted(set(names) - ALL.keys())
    if unknown:
        print(f"There is no {', '.join(unknown)}. There are: {', '.join(ALL)}.", file=sys.stderr)
        return 2
    say(f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}{_load()}")
    # Beside the code, not in the system's temporary folder: that one may be memory, and a commit would cost nothing.
    build = Path(__file__).parents[1] / "build"
    build.mkdir(exist_ok=True)
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=build))
        try:
            ALL[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _load() -> str:
    if not hasattr(os, "getloadavg"):
        return ""
    return f", load before: {os.getloadavg()[0]:.1f} (above 0.3 the figures say little)"


if __name__ == "__main__":
    sys.exit(main())
