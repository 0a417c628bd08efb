"""Builds an installer with Briefcase: `python -m installers.bundle linux system` (.deb), `linux flatpak`, `macOS app`,
`windows app`. With `--files` as the last word it stops when all files are laid out below build/.

Run it with the Python that Briefcase is installed for (requirements/ship.txt); for a .deb that must be the system's,
since the package runs on it, and for a Flatpak one of the runtime's version. What is made lies in dist/. Briefcase is
called inside this process, the way its own `__main__` does, because its command line cannot name another file than
pyproject.toml: pinned, and tested in tests/installers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from briefcase.cmdline import parse_cmdline
from briefcase.config import AppConfig
from briefcase.console import Console
from briefcase.exceptions import BriefcaseError, HelpText

from installers import APP, ROOT, changelog, debian, finish, merge

FLATPAK_PYTHON = (3, 12)
"""That of the runtime in briefcase.toml."""

_CONFIG = ROOT / ".briefcase-merged.toml"


def build(platform: str, form: str, package: list[str], *, files_only: bool = False) -> list[Path]:
    """Build and package; what then lies in dist/. `package`: more words for `briefcase package`. Raises SystemExit."""
    epoch = source_date_epoch()
    # Same times in, same package out; Briefcase's own folder beside ours, not in the person's home.
    os.environ.update(SOURCE_DATE_EPOCH=str(epoch), BRIEFCASE_HOME=str(ROOT / "build" / "briefcase"))
    Path(os.environ["BRIEFCASE_HOME"]).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(ROOT / "build" / APP, ignore_errors=True)
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    python = f"{sys.version_info.major}.{sys.version_info.minor}" if form == "system" else ""
    merge.write(_CONFIG, python=python, release_date=released(epoch))
    try:
        create(platform, form, released(epoch))
        if form == "flatpak":  # its builder takes a copy of what lies there
            finish.compile_all(ROOT / "build" / APP)
            finish.date(ROOT / "build" / APP, epoch)
        if files_only:
            return []
        briefcase("build", platform, form)
        if form != "flatpak":
            finish.compile_all(ROOT / "build" / APP)
            finish.date(ROOT / "build" / APP, epoch)
        briefcase("package", platform, form, *package)
    finally:
        _CONFIG.unlink(missing_ok=True)
    for deb in list((ROOT / "dist").glob("*.deb")):
        debian.complete(deb, epoch, debian.system())
    return sorted(path for path in (ROOT / "dist").iterdir() if path.is_file())


def create(platform: str, form: str, release_date: str) -> None:
    """Lay all files out below build/. Raises SystemExit when the runtime has another Python."""
    if form == "flatpak":
        if sys.version_info[:2] != FLATPAK_PYTHON:
            raise SystemExit(
                f"the runtime has Python {FLATPAK_PYTHON[0]}.{FLATPAK_PYTHON[1]}: run this with that version"
            )
        # A Flatpak's id is the name of its menu entry, D-Bus names and icons; Briefcase would make another one up.
        AppConfig.bundle_identifier = property(lambda app: app.app_id)
    briefcase("create", platform, form)
    finish.finish(ROOT / "build" / APP, release_date)


def briefcase(*words: str) -> None:
    """One command of Briefcase over the merged file. Raises SystemExit with its message when it fails."""
    console = Console()
    try:
        kind, extra = parse_cmdline([*words, "--no-input"], console=console)
        command = kind(console=console)
        options, overrides = command.parse_options(extra=extra)
        command.parse_config(_CONFIG, overrides=overrides)
        command(**options)
    except (BriefcaseError, HelpText) as error:
        raise SystemExit(f"briefcase {' '.join(words)}: {error}") from error
    finally:
        console.close()


def source_date_epoch() -> int:
    """Seconds since 1970 of what is built: SOURCE_DATE_EPOCH if set, else the last commit's, else now."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    git = shutil.which("git")
    if git is not None:
        asked = subprocess.run(
            [git, "-c", f"safe.directory={ROOT}", "log", "-1", "--format=%ct"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode == 0 and asked.stdout.strip():
            return int(asked.stdout)
    return int(time.time())


def released(epoch: int) -> str:
    """The date that the metainfo gives this version: the changelog's, or that of what is built."""
    date = changelog.of(merge.version()).date
    return date.isoformat() if date is not None else time.strftime("%Y-%m-%d", time.gmtime(epoch))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    began = time.monotonic()
    os.chdir(ROOT)
    files = sys.argv[-1] == "--files"
    for made in build(sys.argv[1], sys.argv[2], sys.argv[3 : -1 if files else None], files_only=files):
        print(f"{made.relative_to(ROOT)}: {made.stat().st_size / 1e6:.1f} MB")
    print(f"built in {time.monotonic() - began:.0f} s")
