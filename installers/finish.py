"""What Briefcase leaves to do in a bundle: licence notices, proof that the fast parser is inside, compiled modules."""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

from installers import APP, ROOT, notices, template

MANUAL = ROOT / "build" / "share"
"""Where `make deb` has installers.manual write, by the program's own environment."""

_PROOF = """
import sys
sys.path.insert(0, sys.argv[1])
from aiohttp import http_parser, http_writer
assert http_parser.HttpRequestParser.__module__ == "aiohttp._http_parser", "aiohttp parses in Python"
writer = http_writer._serialize_headers
assert type(writer).__name__ != "function", "aiohttp writes in Python"
import cryptography.hazmat.bindings._rust, msgspec._core, multidict._multidict, yarl._quoting_c, frozenlist._frozenlist
"""


def finish(bundle: Path, release_date: str = "1970-01-01") -> None:
    """After `create`: prove and complete the bundle below this folder. Raises RuntimeError when a part is missing."""
    packages = site_packages(bundle)
    prove(packages)
    prefix = _prefix(packages)
    documents = prefix / "share" / "doc" / APP if prefix is not None else packages
    documents.mkdir(parents=True, exist_ok=True)
    (documents / "THIRD-PARTY-NOTICES.txt").write_text(notices.collected(packages), encoding="utf-8")
    if prefix is None:
        return
    if prefix.name == "usr":
        _complete_debian(prefix, release_date)
    else:
        _complete_flatpak(prefix, release_date)


def _complete_debian(prefix: Path, release_date: str) -> None:
    """A service that only the administrator enables, the manual page and completions (installers.manual)."""
    units = prefix / "lib" / "systemd" / "system"
    units.mkdir(parents=True)
    shutil.copy(ROOT / "installers" / "systemd" / "itsjustintv.service", units)
    made = MANUAL / f"{APP}.1"
    if not made.is_file():
        raise RuntimeError(f"{made} is missing: python -m installers.manual {MANUAL}")
    # Briefcase takes it from here, compresses it and puts it where manual pages lie.
    page = made.read_text(encoding="utf-8").replace("@DATE@", release_date)
    (prefix.parents[1] / made.name).write_text(page, encoding="utf-8")
    for path in MANUAL.rglob("*"):
        if path.is_file() and path.parent != MANUAL:
            place = prefix / "share" / path.relative_to(MANUAL)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def _complete_flatpak(prefix: Path, release_date: str) -> None:
    """What the .deb's template has already: the same start, menu entry, metainfo and licence."""
    (prefix / "lib" / APP / "start.py").write_text(template.rendered("start.py"), encoding="utf-8")
    for folder, end in (("applications", ".desktop"), ("metainfo", ".metainfo.xml")):
        (prefix / "share" / folder).mkdir(parents=True, exist_ok=True)
        text = template.rendered(end, release_date=release_date)
        (prefix / "share" / folder / f"{template.app_id()}{end}").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", prefix / "share" / "doc" / APP)


def site_packages(bundle: Path) -> Path:
    """The folder of the dependencies below a bundle. Raises RuntimeError unless there is exactly one."""
    found = [path.parent for path in bundle.rglob("aiohttp/__init__.py")]
    if len(found) != 1:
        raise RuntimeError(f"{bundle} has {len(found)} folders with aiohttp in it instead of one")
    return found[0].parent


def _prefix(packages: Path) -> Path | None:
    """What will be /usr of a .deb or /app of a Flatpak; None in bundles of other systems."""
    for folder in packages.parents:
        if folder.name == "usr" or (folder.name == "app" and folder.parent.name == "files"):
            return folder
    return None


def prove(packages: Path) -> None:
    """Raises RuntimeError when a compiled part that speed rests on is not there and a slow stand-in would be used."""
    asked = subprocess.run(
        [sys.executable, "-I", "-c", _PROOF, str(packages)], capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        raise RuntimeError(f"the bundle lacks a compiled part:\n{asked.stderr}")


def compile_all(bundle: Path) -> None:
    """After `build`: compile every module, for nobody may write into an installed bundle. Never looked at again there.

    The modules' paths in them are those of the installed files. Raises RuntimeError when one does not compile.
    """
    packages = site_packages(bundle)
    prefix = _prefix(packages)
    if prefix is None:
        return  # a signed bundle on macOS, and Windows' folder, keep their own Python's ways
    well = compileall.compile_dir(
        packages.parents[2],
        stripdir=str(prefix.parent),
        prependdir="/",
        quiet=1,
        force=True,
        workers=0,
        maxlevels=30,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not well:
        raise RuntimeError("a module of the bundle does not compile")
    (packages / "itsjustintv.pth").write_text("../../../app\n", encoding="utf-8")


def date(bundle: Path, epoch: int) -> None:
    """Last: every file gets the time (Unix seconds) of what is built, so that two builds of a commit are one."""
    for path in bundle.rglob("*"):
        if path.is_symlink():
            continue  # dpkg-deb dates what is newer; a link is always new
        os.utime(path, (epoch, epoch))
