"""How this program is started again by somebody else: an installed command, `python -m`, or a bundle."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from itsjustintv_desktop.engine import files

PACKAGE = "itsjustintv_desktop"
COMMAND = "itsjustintv-desktop"
_KEPT = ("--config", "--data-dir")
"""Global options that say which files are ours; a start without them would be another instance."""


def command(
    argv: Sequence[str] | None = None,
    *,
    executable: str | None = None,
    environ: Mapping[str, str] | None = None,
    frozen: bool | None = None,
) -> list[str]:
    """Program and arguments, all paths absolute, of the way this process was started. Looks at the disk."""
    argv = sys.argv if argv is None else argv
    executable = sys.executable if executable is None else executable
    environ = os.environ if environ is None else environ
    if frozen is None:
        # Briefcase's bundles of macOS and Windows set no sys.frozen; their stub is no Python, and knows no -m.
        frozen = bool(getattr(sys, "frozen", False)) or not Path(executable).stem.lower().startswith("python")
    return [*_program(argv, executable, environ, frozen), *options(argv[1:])]


def flatpak(info: Path = Path("/.flatpak-info")) -> str | None:
    """The command outside of the sandbox that starts this Flatpak; None when this is none. Looks at the disk.

    `info` is the file that describes a Flatpak sandbox (flatpak-metadata(5)).
    """
    told = configparser.RawConfigParser()
    try:
        told.read_string(files.read(info).decode("utf-8"))
        name, app = told["Application"]["name"], told["Instance"]["app-path"]
    except (OSError, ValueError, KeyError, configparser.Error):
        return None
    installation, found, _ = app.partition(f"/app/{name}/")
    return f"{installation}/exports/bin/{name}" if found else None


def _program(argv: Sequence[str], executable: str, environ: Mapping[str, str], frozen: bool) -> list[str]:
    image = environ.get("APPIMAGE")
    if frozen and image:
        return [os.path.abspath(image)]  # its inside is mounted elsewhere each time # noqa: PTH100
    if frozen:
        return [os.path.abspath(executable)]  # noqa: PTH100
    started = Path(os.path.abspath(argv[0]))  # noqa: PTH100 - symbolic links are kept: pipx and Nix move what they point to
    if started.stem == COMMAND:
        for found in (started, started.with_name(f"{COMMAND}.exe")):
            if found.is_file():
                return [str(found)]
    quiet = Path(executable).with_name("pythonw.exe")  # no console window on Windows
    python = quiet if quiet.is_file() else Path(executable)
    return [os.path.abspath(python), "-m", PACKAGE]  # noqa: PTH100


def options(arguments: Sequence[str]) -> list[str]:
    """Those of a command line that say whose files are used, their paths absolute."""
    kept = []
    for at, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name not in _KEPT:
            continue
        if not equals:
            value = arguments[at + 1] if at + 1 < len(arguments) else ""
        if value:
            kept += [name, os.path.abspath(value)]  # noqa: PTH100
    return kept
