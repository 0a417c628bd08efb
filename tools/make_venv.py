"""Make a virtual environment that has pip: `python tools/make_venv.py FOLDER`. Needs nothing but the standard library.

Debian's Python comes without ensurepip unless python3-venv is installed, and leaves a folder with a Python and no pip
behind. Where there is no ensurepip, a pip of the system installs one into the folder instead.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

HELP = """\
This Python ({python}) can make no virtual environment with pip in it: it has neither ensurepip nor pip.
On Debian and Ubuntu, install it and run make again:
    sudo apt install python3-venv
"""
LEAST = (3, 11)


def make(folder: Path) -> int:
    """Complete `folder` or make it anew. Returns an exit status; 1 has said why."""
    if sys.version_info < LEAST:
        sys.stderr.write("Python 3.11 or newer is needed; choose one with: make PYTHON=/path/to/python3.12 ...\n")
        return 1
    if importlib.util.find_spec("ensurepip") is not None:
        steps = [[sys.executable, "-m", "venv", str(folder)]]
    elif importlib.util.find_spec("pip") is not None:
        inside = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        steps = [
            [sys.executable, "-m", "venv", "--without-pip", str(folder)],
            [
                sys.executable,
                "-m",
                "pip",
                "--python",
                str(inside),
                "install",
                "-q",
                "--disable-pip-version-check",
                "pip",
            ],
        ]
    else:
        sys.stderr.write(HELP.format(python=sys.executable))
        return 1
    for step in steps:
        if status := subprocess.run(step, check=False).returncode:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(make(Path(sys.argv[1])))
