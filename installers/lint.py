"""Checks of what is packaged, before anything is built: `python -m installers.lint` (`make lint-packaging`).

Menu entry, metainfo and manual page as the template makes them, by the programs that software centres and menus use; a
licence text for every package of the lock; the compiled parts of those packages; the shell scripts. A program that the
machine lacks is named and passed over, but for CI, where that is a fault.
"""

from __future__ import annotations

import importlib.metadata as md
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from installers import ROOT, debian, finish, notices, template

_LOCKED = re.compile(r"^([a-z0-9][^=\s]*)==([^\s;\\]+)(?: ; ([^\\\n]*))?", re.MULTILINE)


def validated(folder: Path) -> Iterator[str]:
    """Faults of the menu entry and the metainfo. Writes them into `folder`."""
    entry, metainfo = (folder / f"{template.app_id()}{end}" for end in (".desktop", ".metainfo.xml"))
    entry.write_text(template.rendered(".desktop"), encoding="utf-8")
    metainfo.write_text(template.rendered(".metainfo.xml", release_date="2026-01-01"), encoding="utf-8")
    yield from said("desktop-file-validate", str(entry))
    yield from said("appstreamcli", "validate", "--no-net", "--no-color", "--pedantic", str(metainfo))


def scripts() -> Iterator[str]:
    """Faults that shellcheck finds."""
    found = [*(ROOT / "installers").rglob("*.sh"), *debian.SCRIPTS.iterdir(), *(ROOT / ".ci").iterdir()]
    yield from said("shellcheck", *map(str, sorted(found)))


def said(program: str, *words: str) -> Iterator[str]:
    """What a program complains about; that it is missing, in CI."""
    if shutil.which(program) is None:
        if os.environ.get("CI"):
            yield f"{program} is not installed (make system-deps)"
        else:
            print(f"left out, since it is not installed: {program} (make system-deps)")
        return
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0 or (program == "desktop-file-validate" and done.stdout):
        yield f"{program}: {done.stdout}{done.stderr}"


def licences(lock: Path = ROOT / "requirements" / "bundle.txt") -> Iterator[str]:
    """Packages of the lock without a licence text. They must be installed for the Python that runs this."""
    for name, version, marker in _LOCKED.findall(lock.read_text(encoding="utf-8")):
        try:
            found = md.distribution(name)
        except md.PackageNotFoundError:
            if not marker:
                yield f"{name} is in {lock.name} and not installed here, so its licence was not looked at"
            continue
        if found.version != version:
            yield f"{name} {found.version} is installed, and {lock.name} wants {version}"
        if not notices.has_text(found):
            yield f"{name} {version} ships no licence text. Add one to installers/licences/."


def fast() -> Iterator[str]:
    """A compiled part that is not there."""
    try:
        finish.prove(Path(str(md.distribution("aiohttp").locate_file("."))))
    except RuntimeError as error:
        yield str(error)


def main() -> None:
    """The command. Exits with 1 and all faults if there are any."""
    with tempfile.TemporaryDirectory() as folder:
        faults = [*validated(Path(folder)), *scripts(), *licences(), *fast()]
    if faults:
        sys.exit("\n".join(faults))
    print("menu entry, metainfo, licences, compiled parts and scripts are well")


if __name__ == "__main__":
    main()
