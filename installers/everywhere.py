"""What CI does on every system, make or no make: `python -m installers.everywhere test`, `... build macOS app [words]`.

`test` runs the default tests in .venv. `build` draws the icons and calls installers.bundle with the words that follow.
Both install from the hashed locks first, for the Python that runs this.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from installers import ROOT

_PIP = ("-m", "pip", "install", "-q", "--disable-pip-version-check")


def environment(name: str, *locks: str, ours: bool = False) -> Path:
    """The interpreter of an environment in the checkout with these locks, and the program itself if `ours`."""
    folder = ROOT / name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not _has_pip(python):
        run(Path(sys.executable), "tools/make_venv.py", name)
    for lock in locks:
        run(python, *_PIP, "--require-hashes", "-r", f"requirements/{lock}.txt")
    if ours:
        run(python, *_PIP, "--no-deps", "--no-build-isolation", "--editable", ".")
    return python


def _has_pip(python: Path) -> bool:
    """Whether the environment is whole: one that was left half-built has a Python, but no pip."""
    return python.exists() and subprocess.run([str(python), "-c", "import pip"], check=False).returncode == 0


def run(program: Path, *words: str) -> None:
    """Run it in the checkout; ends this process when it fails, with its exit code."""
    done = subprocess.run([str(program), *words], cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1"}, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def main(words: list[str]) -> None:
    """The command."""
    match words:
        case ["test", *more]:
            python = environment(".venv", "run", "dev", ours=True)
            run(python, "-m", "pytest", "-m", "not slow", "-n", "4", *more)
        case ["build", platform, form, *more]:
            run(environment(".venv", "run", ours=True), "-m", "installers.icons", "build/icons")
            # A Flatpak's Python is the runtime's, which need not be the one that other things are built with here.
            ship = ".venv-ship-flatpak" if form == "flatpak" else ".venv-ship"
            run(environment(ship, "ship"), "-m", "installers.bundle", platform, form, *more)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
