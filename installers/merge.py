"""One file out of two: [project] of pyproject.toml and [tool.briefcase] of briefcase.toml, for Briefcase to read.

Briefcase 0.4 reads a single pyproject.toml. Ours keeps to the project, and what only installers need has a file of its
own in the same schema. The version is filled in, since finding it would have Briefcase build the project first.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from installers import APP, ROOT

_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def version(root: Path = ROOT) -> str:
    """The program's, without importing it. Raises ValueError when it is not written where it belongs."""
    found = _VERSION.search((root / "itsjustintv_desktop" / "__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("itsjustintv_desktop/__init__.py has no __version__")
    return found[1]


def merged(root: Path = ROOT, *, python: str = "", **extra: str) -> dict[str, Any]:
    """The contents for Briefcase. `extra` are further values of the app, which the templates may name; `python` is that
    of a Linux package, such as "3.11": Briefcase asks for its library only, and our launcher runs the interpreter.

    Raises ValueError when briefcase.toml says anything outside of [tool.briefcase], or says again what [project] says.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = tomllib.loads((root / "briefcase.toml").read_text(encoding="utf-8"))
    if set(ours) != {"tool"} or set(ours["tool"]) != {"briefcase"}:
        raise ValueError("briefcase.toml may hold [tool.briefcase] only")
    briefcase = ours["tool"]["briefcase"]
    doubled = {"version", "license", "license-files", "requires-python"} & (set(briefcase) | set(briefcase["app"][APP]))
    if doubled:
        raise ValueError(f"briefcase.toml repeats what pyproject.toml says: {', '.join(sorted(doubled))}")
    briefcase["app"][APP].update(extra)
    if python:
        briefcase["app"][APP]["linux"]["system"]["debian"]["system_runtime_requires"].append(f"python{python}")
    kept = {key: project[key] for key in ("name", "requires-python", "license", "license-files")}
    # No dependencies: the lock is handed to pip instead (requirement_installer_args), with hashes.
    return {"project": kept | {"version": version(root)}, "tool": {"briefcase": briefcase}}


def write(path: Path, root: Path = ROOT, *, python: str = "", **extra: str) -> None:
    """Write it for Briefcase, whose paths are relative to `path`'s folder."""
    import tomlkit  # a release is checked where only Python is

    path.write_text(tomlkit.dumps(merged(root, python=python, **extra)), encoding="utf-8")
